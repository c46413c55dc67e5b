"""A load generator that costs little: kept connections, one thread, no HTTP library.

It must not compete with what it measures: a request costs it some 15 us, against 200 us and more
on the other side. What it did cost is told with the result.
"""

import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_HEADER_END = b"\r\n\r\n"
_LENGTH = b"content-length: "
_SILENCE_S_MAX = 60.0


class UnexpectedAnswer(Exception):
    """A request was not answered as it should have been; nothing was measured."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a run of requests came to."""

    count: int
    took_s: float
    client_cpu_s: float

    @property
    def per_second(self) -> float:
        return self.count / self.took_s


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    received: bytes = b""
    answer_bytes: int = 0
    """Length of the answer under way; 0: not known yet."""


def post(path: str, body: bytes, headers: Sequence[str] = ()) -> bytes:
    """The bytes of one request."""
    lines = [
        f"POST {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + _HEADER_END + body


def load(port: int, requests: Sequence[bytes], connections: int, status: int) -> Load:
    """Send the requests, each as soon as one of so many connections is free.

    Raises UnexpectedAnswer for the first answer of another status.
    """
    opened = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    try:
        began, cpu_s = time.perf_counter(), time.process_time()
        _exchange(opened, requests, b"HTTP/1.1 %d " % status)
        return Load(len(requests), time.perf_counter() - began, time.process_time() - cpu_s)
    finally:
        for one in opened:
            one.close()


def _exchange(opened: Sequence[socket.socket], requests: Sequence[bytes], expected: bytes) -> None:
    waiting = iter(requests)
    poll = select.epoll()
    by_number = {one.fileno(): _Connection(one) for one in opened}
    try:
        busy = 0
        for number, connection in by_number.items():
            connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            poll.register(number, select.EPOLLIN)
            busy += _send_next(connection, waiting)
        while busy:
            ready = poll.poll(_SILENCE_S_MAX)
            if not ready:
                raise UnexpectedAnswer(f"no answer for {_SILENCE_S_MAX:g} s")
            for number, _ in ready:
                connection = by_number[number]
                if _is_answered(connection, expected) and not _send_next(connection, waiting):
                    busy -= 1
    finally:
        poll.close()


def _send_next(connection: _Connection, waiting: Iterator[bytes]) -> bool:
    request = next(waiting, None)
    if request is not None:
        connection.socket.sendall(request)
    return request is not None


def _is_answered(connection: _Connection, expected: bytes) -> bool:
    """Whether the answer is whole; what follows it is the next one's."""
    chunk = connection.socket.recv(65536)
    if not chunk:
        raise UnexpectedAnswer("the server closed the connection")
    connection.received += chunk
    if not connection.answer_bytes:
        connection.answer_bytes = _answer_bytes(connection.received, expected)
    if not connection.answer_bytes or len(connection.received) < connection.answer_bytes:
        return False
    connection.received = connection.received[connection.answer_bytes :]
    connection.answer_bytes = 0
    return True


def _answer_bytes(received: bytes, expected: bytes) -> int:
    head_end = received.find(_HEADER_END)
    if head_end < 0:
        return 0
    if not received.startswith(expected):
        raise UnexpectedAnswer(received[:500].decode("latin-1"))
    head = received[:head_end].lower() + b"\r\n"
    at = head.index(_LENGTH) + len(_LENGTH)
    return head_end + len(_HEADER_END) + int(head[at : head.index(b"\r", at)])
