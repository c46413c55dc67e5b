"""The CPU time that processes used, from /proc: what a rate costs, whatever else runs beside."""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


def used_s(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds so far by name, of these processes with their groups and their children."""
    names = {pid: name for name, pid in pids.items()}
    used = dict.fromkeys(pids, 0.0)
    for own, parent, group, ticks in _processes():
        name = names.get(own) or names.get(group) or names.get(parent)
        if name is not None:
            used[name] += ticks * _TICK_S
    return used


def per_unit(before: Mapping[str, float], after: Mapping[str, float], units: int) -> str:
    """What one unit of the work between two readings cost each group, as text."""
    costs = {name: (after[name] - before[name]) / units for name in after}
    return ", ".join(f"{name} {1e6 * cost_s:,.0f}" for name, cost_s in costs.items()) + " us CPU"


def _processes() -> Iterator[tuple[int, int, int, int]]:
    """Id, parent, group and clock ticks (with those of ended children) of every process."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                values = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # it has just ended
            yield int(entry.name), int(values[1]), int(values[2]), sum(map(int, values[11:15]))


def busy_cores(seconds: float = 1.0) -> float:
    """How many cores were busy, with whatever it was, over the next seconds."""
    before, began = _busy_ticks(), time.monotonic()
    time.sleep(seconds)
    return (_busy_ticks() - before) * _TICK_S / (time.monotonic() - began)


def _busy_ticks() -> int:
    """Of all cores together: user, nice, system, interrupts; without idling and waiting."""
    user, nice, system, _, _, *rest = map(int, Path("/proc/stat").read_text().split()[1:9])
    return user + nice + system + sum(rest)
