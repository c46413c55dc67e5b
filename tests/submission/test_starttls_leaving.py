"""A client that leaves while TLS begins is no trouble of ours."""

import logging
import socket
import ssl
import struct
from collections.abc import Callable

import pytest

from tests.helpers import eventually
from tests.submission.door import Door
from tests.submission.test_starttls_injection import start_tls

SMTP_LOG = "postroom.submission.smtp"
"""The beginning of the names under which the door logs."""


def hang_up(client: socket.socket) -> None:
    """Closes the connection in order."""
    client.close()


def reset(client: socket.socket) -> None:
    """Lets the kernel answer with a reset, as for a process that was killed."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def distrust(client: socket.socket) -> None:
    """Refuses the self-signed certificate."""
    with pytest.raises(ssl.SSLCertVerificationError):
        ssl.create_default_context().wrap_socket(client, server_hostname="mail.example")


def talk_plainly(client: socket.socket) -> None:
    """Goes on as if nothing had been agreed."""
    client.sendall(b"EHLO client.example\r\n" * 20)


@pytest.mark.parametrize("leave", [hang_up, reset, distrust, talk_plainly])
def test_a_client_that_leaves_during_starttls_is_one_line_without_a_traceback(
    leave: Callable[[socket.socket], None],
    submission_door: Door,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG, "postroom.submission")
    with socket.create_connection(("127.0.0.1", submission_door.port), timeout=10) as client:
        client.recv(1000)
        client.sendall(b"STARTTLS\r\n")
        assert client.recv(1000).startswith(b"220 ")
        leave(client)
        eventually(lambda: "a client went away" in caplog.text)
    assert [one for one in caplog.records if one.levelno > logging.INFO or one.exc_info] == []
    said = [
        one
        for one in caplog.records
        if one.name.startswith(SMTP_LOG) and one.levelno == logging.INFO
    ]
    assert [one.msg for one in said] == ["a TLS handshake failed: %r"]


def test_a_client_that_leaves_right_after_the_handshake_is_not_even_mentioned(
    submission_door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    reset(start_tls(submission_door, b""))
    eventually(lambda: "connection lost" in caplog.text)
    with submission_door.smtp() as other:
        other.noop()
    assert [record for record in caplog.records if record.name.startswith(SMTP_LOG)] == []
