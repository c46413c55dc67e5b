"""A provider that costs little: takes every call, after a while, and writes down when it came.

`python -m bench.sink PORT LOG [--latency S] [--takes N]`. It speaks no more of HTTP than clients of
ours need, so that it does not compete with what it measures. A line of the log tells of one call:
the instant (CLOCK_MONOTONIC, which all processes share), recipients, status, addresses.
"""

import argparse
import asyncio
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from bench.processes import running
from tests.helpers import eventually, free_ports

_HEADER_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_ADDRESS = re.compile(rb'"to": ?\[ ?\{ ?"email": ?"([^"]+)"')


@dataclass(frozen=True, slots=True)
class Call:
    """One call that arrived."""

    at: float
    """When all of it was there, on the monotonic clock."""
    recipients: int
    status: int
    addresses: Sequence[str]


@dataclass
class Sink:
    """A running sink, and what it saw."""

    port: int
    _log: TextIO
    calls: list[Call] = field(default_factory=list)
    _rest: str = ""

    def look(self) -> list[Call]:
        """All calls by now."""
        *lines, self._rest = (self._rest + self._log.read()).split("\n")
        for line in lines:
            at, recipients, status, addresses = line.split(" ")
            self.calls.append(Call(float(at), int(recipients), int(status), addresses.split(",")))
        return self.calls

    def taken(self) -> int:
        """Recipients of the calls that were answered with 202."""
        return sum(call.recipients for call in self.look() if call.status == 202)

    def wait_for(self, recipients: int, within_s: float) -> None:
        """Returns when so many recipients were taken in all."""
        eventually(lambda: self.taken() >= recipients, within_s, every_s=0.05)


def per_second(calls: Sequence[Call]) -> float:
    """Recipients a second, from the first call to the last."""
    return sum(call.recipients for call in calls[1:]) / (calls[-1].at - calls[0].at)


def fullest_second(calls: Sequence[Call]) -> int:
    """Recipients of the fullest second, wherever it begins."""
    fullest = within = first = 0
    for call in calls:
        within += call.recipients
        while calls[first].at <= call.at - 1:
            within -= calls[first].recipients
            first += 1
        fullest = max(fullest, within)
    return fullest


@contextmanager
def sink(latency_s: float = 0.0, takes: int | None = None) -> Iterator[Sink]:
    """A sink in a process of its own; after `takes` recipients it answers 503."""
    (port,) = free_ports(1)
    words = [sys.executable, "-m", "bench.sink", str(port)]
    limit = [] if takes is None else ["--takes", str(takes)]
    with (
        tempfile.NamedTemporaryFile(prefix="postroom-bench-", suffix=".log") as log,
        running([*words, log.name, "--latency", str(latency_s), *limit], port),
        Path(log.name).open() as lines,
    ):
        yield Sink(port, lines)


class _Provider:
    """What all connections share."""

    def __init__(self, log: int, latency_s: float, takes: float) -> None:
        self._log = log
        self._latency_s = latency_s
        self._left = takes
        self._count = 0

    def answer(self, body: bytes, transport: asyncio.WriteTransport) -> None:
        """Write the call down, and answer when the latency is over."""
        addresses = _ADDRESS.findall(body)
        status = 202 if self._left >= len(addresses) else 503
        self._left -= len(addresses) if status == 202 else 0
        seen = b"%.6f %d %d %b\n" % (
            time.monotonic(), len(addresses), status, b",".join(addresses)
        )  # fmt: skip
        os.write(self._log, seen)
        self._count += 1
        answer = (
            b"HTTP/1.1 %d Said\r\nContent-Length: 0\r\nX-Message-Id: sink-%d%b"
            % (status, self._count, _HEADER_END)
        )  # fmt: skip
        if self._latency_s:
            asyncio.get_running_loop().call_later(self._latency_s, transport.write, answer)
        else:
            transport.write(answer)


class _Connection(asyncio.Protocol):
    """One call after the other."""

    def __init__(self, provider: _Provider) -> None:
        self._provider = provider
        self._received = bytearray()
        self._call_bytes = 0
        """Length of the call under way; 0: not known yet."""
        self._body_start = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - for the type alone
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._call_bytes:
            self._read_head()
        if self._call_bytes and len(self._received) >= self._call_bytes:
            body = bytes(self._received[self._body_start : self._call_bytes])
            del self._received[: self._call_bytes]
            self._call_bytes = 0
            self._provider.answer(body, self._transport)

    def _read_head(self) -> None:
        end = self._received.find(_HEADER_END)
        if end >= 0 and (length := _LENGTH.search(self._received, 0, end)):
            self._body_start = end + len(_HEADER_END)
            self._call_bytes = self._body_start + int(length[1])


async def _serve(provider: _Provider, port: int) -> None:
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopping.set)
    server = await loop.create_server(lambda: _Connection(provider), "127.0.0.1", port, backlog=512)
    await stopping.wait()
    server.close()


def main(words: Sequence[str]) -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser("python -m bench.sink", description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("log", type=Path)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds to an answer")
    parser.add_argument("--takes", type=float, default=float("inf"), help="recipients; then 503")
    asked = parser.parse_args(words)
    with asked.log.open("ab", buffering=0) as log:
        asyncio.run(_serve(_Provider(log.fileno(), asked.latency, asked.takes), asked.port))


if __name__ == "__main__":
    main(sys.argv[1:])
