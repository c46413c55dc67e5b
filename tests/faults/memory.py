"""How much memory the processes of each role took at the most."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.killer import ROLES, children
from tests.faults.place import Place

_EVERY_S = 1.0
_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@contextmanager
def watched(place: Place) -> Iterator[dict[str, int]]:
    """By role, the most MB that one process of it has had so far; kept up to date inside."""
    peaks: dict[str, int] = {}
    closing = threading.Event()
    thread = threading.Thread(target=_watch, args=(place, peaks, closing), name="memory")
    thread.start()
    try:
        yield peaks
    finally:
        closing.set()
        thread.join()


def _watch(place: Place, peaks: dict[str, int], closing: threading.Event) -> None:
    while not closing.wait(_EVERY_S):
        for role in ROLES:
            found = [peak_mb(pid) for pid in _processes(place, role)]
            peaks[role] = max([peaks.get(role, 0), *found])


def _processes(place: Place, role: str) -> Iterator[int]:
    for pid in place.role_pids(role):
        yield pid
        yield from children(pid)


def peak_mb(pid: int) -> int:
    """The most that this process has had in memory since it began (proc(5)); 0: it has ended."""
    try:
        found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) // 1024 if found else 0
