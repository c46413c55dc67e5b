"""What tests of every room share."""

import socket
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(predicate: Callable[[], T], within_s: float = 10.0, every_s: float = 0.02) -> T:
    """Gives the first true answer of `predicate`; fails when there is none in time."""
    deadline = time.monotonic() + within_s
    while not (answer := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s:g} s; the last answer was {answer!r}")
        time.sleep(every_s)
    return answer


def free_ports(count: int) -> list[int]:
    """Gives different loopback ports that were free a moment ago."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    return ports
