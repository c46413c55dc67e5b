"""The role `smtp` as real processes."""

import os
import signal
import smtplib
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from postroom.ledger import keys
from tests.helpers import eventually, free_ports
from tests.submission.door import MAIL, message_count
from tests.submission.test_smtp_accept import unverified


@contextmanager
def role(processes: int) -> Iterator[tuple[int, int, int]]:
    """The ports of a running role: submission, implicit TLS, relay."""
    ports = free_ports(3)
    names = ("POSTROOM_SMTP_PORT", "POSTROOM_SMTPS_PORT", "POSTROOM_SMTP_RELAY_PORT")
    environment = {
        **os.environ,
        **{name: str(port) for name, port in zip(names, ports, strict=True)},
        "POSTROOM_SMTP_PROCESSES": str(processes),
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "postroom.cli", "run", "smtp"],
        env=environment,
        start_new_session=True,
    )
    try:
        eventually(lambda: all(map(_answers, (ports[0], ports[2]))), within_s=20)
        yield ports[0], ports[1], ports[2]
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(port: int) -> bool:
    try:
        smtplib.SMTP("127.0.0.1", port, timeout=5, local_hostname="c").close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize("processes", [1, 2])
def test_all_three_listeners_take_mail_and_the_role_ends_when_asked(
    ledger: None, processes: int
) -> None:
    key = keys.create_key("field", "test", ["send"])
    keys.add_network("legacy", "127.0.0.1/32", kind="test")
    with role(processes) as (submission, implicit, relay):
        for _ in range(2 * processes):
            with smtplib.SMTP("127.0.0.1", relay, timeout=10, local_hostname="c") as client:
                client.sendmail("a@corp.example", ["ann@sim.example"], MAIL)
        with smtplib.SMTP("127.0.0.1", submission, timeout=10, local_hostname="c") as client:
            client.starttls(context=unverified())
            client.login(key.id, key.secret)
            client.sendmail("a@corp.example", ["ann@sim.example"], MAIL)
        with smtplib.SMTP_SSL(
            "127.0.0.1", implicit, timeout=10, local_hostname="c", context=unverified()
        ) as tls_client:
            tls_client.login(key.id, key.secret)
            tls_client.sendmail("a@corp.example", ["ann@sim.example"], MAIL)
    assert message_count() == 2 * processes + 2
