"""STARTTLS injection: plain text sent before the handshake must never be read after it.

CVE-2024-34083 (aiosmtpd before 1.4.6); RFC 3207, section 4.2.
"""

import socket
import ssl

from postroom.ledger import keys
from tests.submission.door import Door
from tests.submission.test_smtp_accept import unverified
from tests.submission.test_smtp_refusals import plain


def start_tls(door: Door, injected: bytes) -> ssl.SSLSocket:
    """A session under TLS, after `injected` was sent in the same packet as STARTTLS."""
    plain = socket.create_connection(("127.0.0.1", door.port), timeout=10)
    plain.recv(1000)
    plain.sendall(b"EHLO c\r\n")
    plain.recv(1000)
    plain.sendall(b"STARTTLS\r\n" + injected)
    assert plain.recv(1000).startswith(b"220 ")
    return unverified().wrap_socket(plain)


def test_commands_inplain_text_before_the_handshake_are_forgotten(submission_door: Door) -> None:
    with start_tls(submission_door, b"EHLO evil\r\nNOOP\r\n") as client:
        client.sendall(b"MAIL FROM:<a@corp.example>\r\n")
        assert client.recv(1000).startswith(b"503 5.5.1")
        client.sendall(b"NOOP\r\n")
        assert client.recv(1000) == b"250 2.0.0 Ok\r\n"


def test_an_identity_from_before_the_handshake_is_forgotten(submission_door: Door) -> None:
    key = keys.create_key("field", "test", ["send"])
    with submission_door.smtp() as client:
        client.ehlo()
        assert client.docmd("AUTH PLAIN", plain(key.id, key.secret))[0] == 235
        client.starttls(context=unverified())
        client.ehlo()
        assert client.mail("a@corp.example")[0] == 530


def test_starttls_is_offered_once(submission_door: Door) -> None:
    with submission_door.smtp() as client:
        client.ehlo()
        assert client.has_extn("starttls")
        client.starttls(context=unverified())
        client.ehlo()
        assert not client.has_extn("starttls")
        assert client.docmd("STARTTLS")[0] == 503


def test_a_broken_handshake_ends_the_session(submission_door: Door) -> None:
    with socket.create_connection(("127.0.0.1", submission_door.port), timeout=10) as plain:
        plain.recv(1000)
        plain.sendall(b"STARTTLS\r\n")
        plain.recv(1000)
        plain.sendall(b"this is no handshake\r\n" * 20)
        assert b"250" not in _everything(plain)


def _everything(connection: socket.socket) -> bytes:
    received = b""
    try:
        while piece := connection.recv(1000):
            received += piece
    except ConnectionResetError:
        pass
    return received
