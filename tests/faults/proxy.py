"""A line that can be cut, slowed, and broken off in mid word, between a client and a server."""

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path

_CHUNK = 65_536
_SLOW_S = 1.0
_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for a close that resets the connection."""


class Way(StrEnum):
    """What becomes of what is sent."""

    OPEN = "open"
    SHUT = "reset"
    """Connections are reset, and new ones as soon as they are made."""
    NO_REQUEST = "cut before the request"
    HALF_REQUEST = "cut within the request"
    NO_ANSWER = "cut after the request"
    HALF_ANSWER = "cut within the answer"
    AFTER_ANSWER = "cut after the answer"
    SLOW = "1 byte/s"


_CUTS = {
    Way.NO_REQUEST: (False, 0.0),
    Way.HALF_REQUEST: (False, 0.5),
    Way.NO_ANSWER: (True, 0.0),
    Way.HALF_ANSWER: (True, 0.5),
    Way.AFTER_ANSWER: (True, 1.0),
}
"""Whether the answer's bytes are cut, or the request's; and the part of them that still passes."""


class Proxy:
    """Listens on a loopback port while `running`; `to` may be set after that."""

    def __init__(self) -> None:
        self.port = 0
        self.to: tuple[str, int] | Path | None = None
        """Where it leads: an address, or the path of a Unix socket; None: nowhere yet."""
        self._way = Way.OPEN
        self._loop = asyncio.new_event_loop()
        self._links: set[asyncio.StreamWriter] = set()

    @contextmanager
    def running(self) -> Iterator["Proxy"]:
        """The port is open inside."""
        ready: Future[int] = Future()
        thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(ready),))
        thread.start()
        try:
            self.port = ready.result(10)
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._end.set)
            thread.join()
            self._loop.close()

    def turn(self, way: Way) -> None:
        """From now on what is sent goes that way; for any thread."""
        self._loop.call_soon_threadsafe(self._turn, way)

    def _turn(self, way: Way) -> None:
        self._way = way
        if way is Way.SHUT:
            for writer in self._links:
                _reset(writer)

    async def _run(self, ready: "Future[int]") -> None:
        self._end = asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        ready.set_result(server.sockets[0].getsockname()[1])
        await self._end.wait()
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, source: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._way is Way.SHUT:
            _reset(writer)
            return
        ends = {writer}
        try:
            answers, there = await self._reach()
            ends.add(there)
            self._links |= ends
            there_and_back = (
                asyncio.create_task(self._pass(source, there, is_answer=False)),
                asyncio.create_task(self._pass(answers, writer, is_answer=True)),
            )
            await _until_either_ends(*there_and_back)
        except OSError:
            _reset(writer)
        finally:
            self._links -= ends
            for end in ends:
                end.close()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.to is None:
            raise ConnectionError("it leads nowhere yet")
        if isinstance(self.to, Path):
            return await asyncio.open_unix_connection(self.to)
        return await asyncio.open_connection(*self.to)

    async def _pass(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_answer: bool
    ) -> None:
        while data := await source.read(_CHUNK):
            cuts_answer, share = _CUTS.get(self._way, (None, 1.0))
            if cuts_answer is is_answer:
                await _write(sink, data[: int(len(data) * share)])
                return
            await self._write_slowly(sink, data)

    async def _write_slowly(self, sink: asyncio.StreamWriter, data: bytes) -> None:
        """A byte a second for as long as the line is slow, then the rest."""
        sent = 0
        while self._way is Way.SLOW and sent < len(data):
            await _write(sink, data[sent : sent + 1])
            sent += 1
            await asyncio.sleep(_SLOW_S)
        await _write(sink, data[sent:])


async def _until_either_ends(*tasks: "asyncio.Task[None]") -> None:
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _write(sink: asyncio.StreamWriter, data: bytes) -> None:
    sink.write(data)
    await sink.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    connection = writer.get_extra_info("socket")
    with suppress(OSError):  # it has ended already; a Unix socket knows no such thing
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()
