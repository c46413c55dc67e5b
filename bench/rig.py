"""The real parts of a measurement: the embedded database, and roles as processes of their own."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tests.directories import data_directory
from tests.helpers import eventually, free_ports

_START_S_MAX = 60.0


@dataclass(frozen=True)
class Rig:
    """A migrated database of its own, and ports for roles; Django is set up for it."""

    data: Path
    environment: Mapping[str, str]
    http_port: int
    relay_port: int

    @contextmanager
    def role(self, name: str, port: int, listeners: int = 1) -> Iterator[int]:
        """One role, with so many sockets listening; gives the process group it is."""
        with (self.data / f"{name}.log").open("ab") as log:
            words = [sys.executable, "-m", "postroom.cli", "run", name]
            with running(words, port, listeners, self.environment, log.fileno()) as group:
                yield group

    @property
    def database(self) -> dict[str, int]:
        """The process of the database, whose children are its sessions."""
        from postroom.management import embedded

        return {"PostgreSQL": embedded.server_pid(self.data)}

    @property
    def smtp_processes(self) -> int:
        """How many share the relay port."""
        from django.conf import settings

        return int(settings.POSTROOM_SMTP_PROCESSES)

    @cached_property
    def key(self) -> str:
        """A key of the application `bench`, which is also known by the loopback network."""
        from postroom.ledger import keys

        keys.add_network("bench", "127.0.0.0/8", "test")
        return keys.create_key("bench", "test", ["send"]).key


@contextmanager
def running(
    words: Sequence[str],
    port: int,
    listeners: int = 1,
    environment: Mapping[str, str] | None = None,
    log: int = 2,
) -> Iterator[int]:
    """A server, listening, as a process group of its own; gives the group."""
    process = subprocess.Popen(
        words,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        eventually(lambda: _listeners(port) >= listeners, _START_S_MAX, every_s=0.05)
        yield process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _listeners(port: int) -> int:
    """Sockets that listen on the port: several processes may share it."""
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = "0A"
    return sum(one[1].endswith(f":{port:04X}") and one[3] == listening for one in sockets)


@contextmanager
def rig() -> Iterator[Rig]:
    """The rig; only one in the life of a process, for Django is set up once."""
    from postroom.management import embedded

    http_port, smtp_port, relay_port = free_ports(3)
    with data_directory() as data:
        os.environ |= {
            "POSTROOM_DATA": str(data),
            "POSTROOM_HTTP_PORT": str(http_port),
            "POSTROOM_SMTP_PORT": str(smtp_port),
            "POSTROOM_SMTP_RELAY_PORT": str(relay_port),
            "DJANGO_SETTINGS_MODULE": "postroom.settings",
        }
        try:
            with embedded.running(data):
                _set_up()
                yield Rig(data, dict(os.environ), http_port, relay_port)
                _let_go()
        finally:
            embedded.wait_until_stopped(data, within_s=30)


def _set_up() -> None:
    import django

    django.setup()
    from postroom.management.migrate import migrate

    migrate()


def _let_go() -> None:
    from django.db import connections

    from postroom.ledger import db

    db.close()
    connections.close_all()
