"""Processes that stand still (SIGSTOP) and go on (SIGCONT) as if no time had passed."""

import os
import random
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from tests.faults.killer import children
from tests.faults.scale import LEASE_S
from tests.faults.scene import Scene, Trouble

_BEYOND_LEASE_S = (LEASE_S + 1, LEASE_S + 3)


def freezes(role: str, within_s: tuple[float, float]) -> Trouble:
    """Trouble that freezes one process of this role, with its workers, for a while each time."""

    def trouble(scene: Scene) -> None:
        times = scene.seldom if within_s == _BEYOND_LEASE_S else scene.scale.times
        for dice in scene.moments(f"{role} frozen", times):
            with (
                scene.fault(f"{role} frozen", breaks_calls=role == "sender"),
                _frozen(_one_of(scene, role, dice)),
            ):
                scene.pause(dice.uniform(*within_s))

    trouble.__name__ = f"{role} frozen"
    return trouble


sender_frozen_beyond_its_lease = freezes("sender", _BEYOND_LEASE_S)
"""Another sender works on; the frozen one comes back with claims and answers that are not its."""
web_frozen = freezes("web", (2, 4))
smtp_frozen = freezes("smtp", (2, 4))
interpreter_frozen = freezes("interpreter", (3, 6))
clock_frozen = freezes("clock", (3, 6))


def _one_of(scene: Scene, role: str, dice: random.Random) -> Sequence[int]:
    """The processes to freeze together."""
    pids = sorted(scene.place.role_pids(role))
    if not pids:
        return ()
    pid = dice.choice(pids)
    return (pid, *children(pid))


@contextmanager
def _frozen(pids: Sequence[int]) -> Iterator[None]:
    try:
        for pid in pids:
            _signal(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            _signal(pid, signal.SIGCONT)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # somebody else ended it
        os.kill(pid, number)
