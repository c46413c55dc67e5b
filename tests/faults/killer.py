"""Kills (-9) of the processes of one installation, each kind at random moments."""

import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from postroom.management import embedded
from tests.faults.scene import Fault, Scene, Trouble
from tests.installation import Installation

ROLES = ("web", "smtp", "sender", "interpreter", "clock", "simulator")
BACKEND, POSTMASTER = "PostgreSQL: a backend", "PostgreSQL: the postmaster"
KINDS = (*ROLES, BACKEND, POSTMASTER)
BREAKS_CALLS = frozenset({"sender", "simulator", BACKEND, POSTMASTER})
"""Kinds whose death can leave a call without a known result."""

_WORKED_S_MIN = 1.0
"""A process that has only just been started is left alone until it may have something to lose."""
_LOOK_S = 0.05


def kills_of(*kinds: str) -> Trouble:
    """Trouble that kills these kinds of processes, each at moments of its own."""

    def trouble(scene: Scene) -> None:
        with ThreadPoolExecutor(len(kinds), "killer") as pool:
            ends = [pool.submit(_kill_kind, scene, kind) for kind in kinds]
        for end in ends:
            end.result()

    return trouble


def _kill_kind(scene: Scene, kind: str) -> None:
    times = scene.scale.times // (2 if kind in (BACKEND, POSTMASTER) else 1)
    for dice in scene.moments(kind, times):
        while not scene.closing.is_set() and not _killed(scene, kind, dice):
            scene.pause(_LOOK_S)


def _killed(scene: Scene, kind: str, dice: random.Random) -> bool:
    """Whether a process of this kind was there, had worked for a while, and is dead now."""
    ready = sorted(pid for pid in _FINDERS[kind](scene.installation) if _worked(pid))
    if not ready:
        return False
    pid = dice.choice(ready)
    at = datetime.now(UTC)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
        scene.faults.append(Fault(kind, at, breaks_calls=kind in BREAKS_CALLS))
        return True
    return False


def _of_role(role: str) -> Callable[[Installation], Iterator[int]]:
    """The role's process, and its workers where it has any."""

    def find(installation: Installation) -> Iterator[int]:
        pid = installation.role_pid(role)
        if pid is not None:
            yield pid
            yield from children(pid)

    return find


def postmaster(installation: Installation) -> Iterator[int]:
    """The embedded server, while there is one."""
    with suppress(OSError, ValueError):  # between two servers there is none
        pid = embedded.server_pid(installation.data)
        if _name(pid) == "postgres":
            yield pid


def _backends(installation: Installation) -> Iterator[int]:
    """Those that serve our roles: the title of such a process names user and database."""
    for pid in postmaster(installation):
        yield from (child for child in children(pid) if "postroom postroom" in _title(child))


_FINDERS: dict[str, Callable[[Installation], Iterator[int]]] = {
    **{role: _of_role(role) for role in ROLES},
    BACKEND: _backends,
    POSTMASTER: postmaster,
}


def children(parent: int) -> Iterator[int]:
    """The processes that this one has started."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _stat(int(entry.name))[1:2] == [str(parent)]:
            yield int(entry.name)


def parent(pid: int) -> int:
    """Who started this process."""
    return int(_stat(pid)[1])


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
