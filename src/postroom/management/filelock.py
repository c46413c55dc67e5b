"""Locks on files, which the kernel lets go when their process ends, however it ends."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def held(file: Path, *, shared: bool = False) -> Iterator[None]:
    """Holds the lock, after waiting for it: one alone, or any number that share it."""
    descriptor = _open(file)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def take(file: Path) -> int | None:
    """Gives a descriptor that holds the lock alone until it is closed; None where it is taken."""
    descriptor = _open(file)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def is_free(file: Path) -> bool:
    """Whether nobody held the lock, alone or shared, at this moment."""
    descriptor = take(file)
    if descriptor is None:
        return False
    os.close(descriptor)
    return True


def _open(file: Path) -> int:
    return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
