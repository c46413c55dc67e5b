"""The truth log on disk: appended, and flushed to the disk before anyone is answered."""

import asyncio
import os
from pathlib import Path


class Journal:
    """Appends lines; calls that come together share one flush."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        _drop_torn_line(self._file)
        self._waiting: list[str] = []
        self._round: asyncio.Future[None] | None = None
        self._flusher: asyncio.Task[None] | None = None

    async def write(self, lines: list[str]) -> None:
        """Returns when the lines are on disk; raises OSError when they may not be."""
        self._waiting.extend(lines)
        if self._round is None:
            self._round = asyncio.get_running_loop().create_future()
        mine = self._round
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        await asyncio.shield(mine)

    async def _flush(self) -> None:
        while self._round is not None:
            lines, current = self._waiting, self._round
            self._waiting, self._round = [], None
            try:
                await asyncio.to_thread(self._append, lines)
            except OSError as error:
                current.set_exception(error)
            else:
                current.set_result(None)

    def _append(self, lines: list[str]) -> None:
        rest = memoryview("".join(f"{line}\n" for line in lines).encode())
        while rest:
            rest = rest[os.write(self._file, rest) :]
        os.fsync(self._file)

    async def close(self) -> None:
        """Wait for what was begun, then let the file go."""
        if self._flusher is not None:
            await self._flusher
        os.close(self._file)


def _drop_torn_line(file: int) -> None:
    """Cut a last line that a crash left unfinished: nobody was answered for it."""
    end = os.lseek(file, 0, os.SEEK_END)
    tail, start = b"", end
    while start > 0 and b"\n" not in tail:
        start = max(0, start - 65536)
        tail = os.pread(file, end - start, start)
    os.ftruncate(file, start + tail.rfind(b"\n") + 1)
