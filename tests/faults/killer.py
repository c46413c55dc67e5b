"""Kills (-9) the processes of one installation, each kind at random moments from a seed."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from postroom.management import embedded
from tests.faults.scale import Scale
from tests.installation import Installation

ROLES = ("web", "smtp", "sender", "interpreter", "clock", "simulator")
BACKEND, POSTMASTER = "PostgreSQL: a backend", "PostgreSQL: the postmaster"
KINDS = (*ROLES, BACKEND, POSTMASTER)

_WORKED_S_MIN = 1.0
"""A process that has only just been started is left alone until it may have something to lose."""
_LOOK_S = 0.05


@dataclass(frozen=True, slots=True)
class Fault:
    """One kill."""

    kind: str
    at: datetime
    pid: int


@dataclass
class Killer:
    """Kills until every kind had its share."""

    installation: Installation
    seed: int
    closing: threading.Event = field(default_factory=threading.Event)
    """Set to let it end early."""
    faults: list[Fault] = field(default_factory=list)

    def kill(self, scale: Scale) -> None:
        """Returns after the last kill; raises what went wrong with the killing itself."""
        with ThreadPoolExecutor(len(KINDS), "killer") as pool:
            ends = [pool.submit(self._kill_kind, kind, scale) for kind in KINDS]
        for end in ends:
            end.result()

    def _kill_kind(self, kind: str, scale: Scale) -> None:
        dice = random.Random(f"{kind} {self.seed}")
        began = time.monotonic()
        times = scale.kills_of_each // (2 if kind in (BACKEND, POSTMASTER) else 1)
        for number in range(times):
            due = began + (number + dice.random()) * scale.lasts_s / times
            self.closing.wait(max(0.0, due - time.monotonic()))
            while not self.closing.is_set() and not self._killed(kind, dice):
                self.closing.wait(_LOOK_S)

    def _killed(self, kind: str, dice: random.Random) -> bool:
        """Whether a process of this kind was there, had worked for a while, and is dead now."""
        ready = sorted(pid for pid in _FINDERS[kind](self.installation) if _worked(pid))
        if not ready:
            return False
        pid = dice.choice(ready)
        at = datetime.now(UTC)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.faults.append(Fault(kind, at, pid))
            return True
        return False


def _of_role(role: str) -> Callable[[Installation], Iterator[int]]:
    """The role's process, and its workers where it has any."""

    def find(installation: Installation) -> Iterator[int]:
        pid = installation.role_pid(role)
        if pid is not None:
            yield pid
            yield from _children(pid)

    return find


def _postmaster(installation: Installation) -> Iterator[int]:
    with suppress(OSError, ValueError):  # between two servers there is none
        pid = embedded.server_pid(installation.data)
        if _name(pid) == "postgres":
            yield pid


def _backends(installation: Installation) -> Iterator[int]:
    """Those that serve our roles: the title of such a process names user and database."""
    for pid in _postmaster(installation):
        yield from (child for child in _children(pid) if "postroom postroom" in _title(child))


_FINDERS: dict[str, Callable[[Installation], Iterator[int]]] = {
    **{role: _of_role(role) for role in ROLES},
    BACKEND: _backends,
    POSTMASTER: _postmaster,
}


def _children(parent: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _stat(int(entry.name))[1:2] == [str(parent)]:
            yield int(entry.name)


def _worked(pid: int) -> bool:
    """Whether the process is old enough; a backend may be young, for its postmaster is not."""
    stat = _stat(pid)
    if not stat or stat[0] == "Z":
        return False
    started_s = int(stat[19]) / os.sysconf("SC_CLK_TCK")
    age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - started_s
    return age_s > _WORKED_S_MIN or "postroom postroom" in _title(pid)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on (proc(5)); none when it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def _name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""
