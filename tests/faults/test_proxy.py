"""A line breaks off where it is told to, and the other end has what had passed by then."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.faults.proxy import Proxy, Way
from tests.helpers import eventually

_ASKED, _ANSWER = b"question", b"an answer!"


@contextmanager
def _server() -> Iterator[tuple[int, list[bytes]]]:
    """A port where each question is answered once, and what was asked there."""
    heard: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # the test is over
            with connection:
                heard.append(connection.recv(100))
                if heard[-1] == _ASKED:
                    connection.sendall(_ANSWER)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield listener.getsockname()[1], heard
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def _ask(port: int) -> bytes:
    """All that comes back before the line ends."""
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
            client.sendall(_ASKED)
            while received := client.recv(100):
                answer += received
    except ConnectionError:
        return answer
    return answer


@pytest.mark.parametrize(
    ("way", "asked", "answered"),
    [
        (Way.OPEN, _ASKED, _ANSWER),
        (Way.NO_REQUEST, b"", b""),
        (Way.HALF_REQUEST, b"ques", b""),
        (Way.NO_ANSWER, _ASKED, b""),
        (Way.HALF_ANSWER, _ASKED, b"an an"),
        (Way.AFTER_ANSWER, _ASKED, _ANSWER),
    ],
)
def test_a_line_passes_on_what_its_way_lets_pass(way: Way, asked: bytes, answered: bytes) -> None:
    with _server() as (port, heard), Proxy().running() as proxy:
        proxy.to = ("127.0.0.1", port)
        proxy.turn(way)
        assert _ask(proxy.port) == answered
        eventually(lambda: heard == [asked])


def test_a_line_that_is_shut_reaches_nobody_and_resets_who_was_connected() -> None:
    with _server() as (port, heard), Proxy().running() as proxy:
        proxy.to = ("127.0.0.1", port)
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
            client.sendall(b"quest")
            eventually(lambda: heard == [b"quest"])
        proxy.turn(Way.SHUT)
        assert _ask(proxy.port) == b""
        assert heard == [b"quest"]


def test_a_slow_line_goes_on_at_full_speed_once_it_is_open() -> None:
    with _server() as (port, heard), Proxy().running() as proxy:
        proxy.to = ("127.0.0.1", port)
        proxy.turn(Way.SLOW)
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
            client.sendall(_ASKED)
            eventually(lambda: heard == [_ASKED[:1]])
            proxy.turn(Way.OPEN)


def test_a_line_may_lead_to_a_unix_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener, Proxy().running() as proxy:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        proxy.to = tmp_path / "s"
        with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as client:
            client.sendall(_ASKED)
            connection, _ = listener.accept()
            with connection:
                assert connection.recv(100) == _ASKED
