"""Where receipts and hits lie while the ledger is away: append-only files on this machine's disk.

Each process writes one file, and holds a lock on it for as long as it does. Whoever gets the lock
of a file that nobody writes may bring its receipts into the ledger and remove it; the kernel lets
go of a dead process's locks, so its file waits for the next one that looks.
"""

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from uuid import UUID

from django.conf import settings

from postroom.ledger.clock import utc_now
from postroom.ledger.ids import instant_of, uuid7
from postroom.ledger.spool_frames import Item, framed

FILE_BYTES_MAX = 16 * 1024**2
"""After this much a file is complete: what is read into memory to be stored, and stored again
when its reader was killed."""
_WAITING, _SET_ASIDE = ".spool", ".left"


class SpoolUnavailable(Exception):
    """The spool is full, or its disk does not take what is written."""


@dataclass(frozen=True, slots=True)
class Held:
    """What lies in the spool."""

    size_bytes: int
    """Of all its files, with what was set aside."""
    oldest_at: datetime | None
    """When the oldest file with receipts to be stored was begun; None: there is none."""
    set_aside: int
    """Files with what could not be read or stored: for a person to look at."""


@dataclass(slots=True)
class _Own:
    """The file that this process writes; the lock is on the descriptor."""

    path: Path
    descriptor: int
    size: int = 0

    def append(self, frame: bytes) -> None:
        """Returns when the frame is on disk."""
        rest = memoryview(frame)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]
        os.fsync(self.descriptor)
        self.size += len(frame)

    def take_back(self) -> None:
        """Cuts off what was never acknowledged, and removes the file where that was all."""
        with suppress(OSError):  # then a torn tail stays, which its reader recognises
            os.ftruncate(self.descriptor, self.size)
            if self.size == 0:
                self.path.unlink()


class Spool:
    """One process's hand on a directory that it shares with others."""

    def __init__(self, directory: Path, bytes_max: int) -> None:
        self._directory = directory
        self._bytes_max = bytes_max
        self._own: _Own | None = None
        self._lock = threading.Lock()

    def append(self, item: Item) -> None:
        """Returns when the receipt or hit is on disk; raises SpoolUnavailable when it is not.

        The limit is looked at by each process for itself: what several write at the same moment
        may go a little over it.
        """
        frame = framed(item)
        with self._lock:
            try:
                if self.held().size_bytes + len(frame) > self._bytes_max:
                    raise SpoolUnavailable(f"it holds {self._bytes_max} bytes")
                self._ours().append(frame)
            except OSError as error:
                # After a failed write or fsync no more can be said of the file: it gets no more.
                self._close(take_back=True)
                raise SpoolUnavailable(str(error)) from error
            if self._own and self._own.size >= FILE_BYTES_MAX:
                self._close()

    def close(self) -> None:
        """Leave our file to whoever takes it; the next receipt begins another."""
        with self._lock:
            self._close()

    def _ours(self) -> _Own:
        if self._own is None:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._own = _begin(self._directory)
            _sync(self._directory)
            _sync(self._directory.parent)
        return self._own

    def _close(self, *, take_back: bool = False) -> None:
        own, self._own = self._own, None
        if own is not None:
            if take_back:
                own.take_back()
            os.close(own.descriptor)

    def held(self) -> Held:
        """What lies here now, of all processes."""
        sizes = self._sizes()
        waiting = [path for path in sizes if path.suffix == _WAITING]
        return Held(
            sum(sizes.values()),
            instant_of(UUID(min(waiting).stem)) if waiting else None,
            sum(path.suffix == _SET_ASIDE for path in sizes),
        )

    def waiting(self) -> list[Path]:
        """The files with receipts that are to be stored, oldest first."""
        return sorted(path for path in self._sizes() if path.suffix == _WAITING)

    def _sizes(self) -> dict[Path, int]:
        sizes = {}
        with suppress(FileNotFoundError), os.scandir(self._directory) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):  # stored and removed in this moment
                    sizes[Path(entry.path)] = entry.stat().st_size
        return sizes


@contextmanager
def taken(path: Path) -> Iterator[bytes | None]:
    """The content of a file that is ours alone inside; None where another writes or stores it."""
    descriptor = None
    with suppress(FileNotFoundError):  # stored and removed in this moment
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    if descriptor is None:
        yield None
        return
    try:
        yield path.read_bytes() if _is_ours(descriptor) else None
    finally:
        os.close(descriptor)


def remove(path: Path, unstored: bytes) -> None:
    """Remove a file that is ours and stored; what could not be is set aside beside it first."""
    if unstored:
        aside = path.with_suffix(_SET_ASIDE)
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(unstored)
            file.flush()
            os.fsync(descriptor)
        _sync(path.parent)
    path.unlink()


def _begin(directory: Path) -> _Own:
    """A new file, locked before anybody else could remove it as one that nobody writes."""
    while True:
        path = directory / f"{uuid7(utc_now())}{_WAITING}"
        how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        descriptor = os.open(path, how, 0o600)
        if _is_ours(descriptor):
            return _Own(path, descriptor)
        os.close(descriptor)


def _is_ours(descriptor: int) -> bool:
    """Whether we hold the lock now, on a file that is still in its directory."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(descriptor).st_nlink > 0


def _sync(directory: Path) -> None:
    """Returns when the names in the directory are on disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@cache
def spool() -> Spool:
    """This process's hand on the spool in POSTROOM_DATA."""
    return Spool(settings.POSTROOM_DATA / "spool", settings.POSTROOM_SPOOL_BYTES_MAX)
