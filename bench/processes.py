"""Servers and clients as processes of their own."""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.helpers import eventually

_START_S_MAX = 60.0
_END_S_MAX = 60.0


@contextmanager
def started(
    words: Sequence[str], environment: Mapping[str, str] | None = None, log: int = 2
) -> Iterator[int]:
    """A program as a process group of its own, ended by SIGTERM; gives the group."""
    process = subprocess.Popen(
        words,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield process.pid
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(_END_S_MAX)


@contextmanager
def running(
    words: Sequence[str],
    port: int,
    listeners: int = 1,
    environment: Mapping[str, str] | None = None,
    log: int = 2,
) -> Iterator[int]:
    """A server, listening, with so many sockets; gives its process group."""
    with started(words, environment, log) as group:
        eventually(lambda: is_listening(port, listeners), _START_S_MAX, every_s=0.05)
        yield group


def is_listening(port: int, listeners: int = 1) -> bool:
    """Whether so many sockets listen on the port: several processes may share it."""
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = "0A"
    ours = [one for one in sockets if one[1].endswith(f":{port:04X}") and one[3] == listening]
    return len(ours) >= listeners


def resident_mb(pid: int) -> float:
    """Megabytes of memory that the process and its children hold now (RSS)."""
    kin = [entry for entry in Path("/proc").iterdir() if _is_of(entry, pid)]
    pages = sum(int((one / "statm").read_text().split()[1]) for one in kin)
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def _is_of(entry: Path, pid: int) -> bool:
    if not entry.name.isdigit():
        return False
    try:
        parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return False  # it has just ended
    return pid in (int(entry.name), parent)
