"""Where faults are made: a running installation, its clients, and the time that a run lasts."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tests.faults.clients import Clients
from tests.faults.place import Place
from tests.faults.scale import Scale
from tests.installation import Installation


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that went wrong, at an instant or for a while."""

    kind: str
    at: datetime
    until: datetime | None = None
    """None: it was an instant."""
    breaks_calls: bool = False
    """Whether a call to the provider may end without a known result because of it."""


@dataclass
class Scene:
    """One run, as whoever makes trouble in it sees it."""

    place: Place
    clients: Clients
    scale: Scale
    seed: int
    closing: threading.Event = field(default_factory=threading.Event)
    """Set to let trouble end early."""
    faults: list[Fault] = field(default_factory=list)
    suppressed: dict[str, datetime] = field(default_factory=dict)
    """Addresses that a person suppressed meanwhile, and when that was acknowledged."""
    began: float = field(default_factory=time.monotonic)

    @property
    def installation(self) -> Installation:
        """What runs."""
        return self.place.installation

    @property
    def seldom(self) -> int:
        """How often a fault happens that takes its time."""
        return max(1, self.scale.times // 2)

    def moments(self, name: str, times: int | None = None) -> Iterator[random.Random]:
        """Waits for so many random moments, one in each equal part of the run; gives dice.

        The same name and seed give the same moments and throws.
        """
        dice, times = random.Random(f"{name} {self.seed}"), times or self.scale.times
        for number in range(times):
            due = self.began + (number + dice.random()) * self.scale.lasts_s / times
            self.pause(due - time.monotonic())
            if self.closing.is_set():
                return
            yield dice

    def pause(self, seconds: float) -> None:
        """Returns after that time, or when the run is closing."""
        self.closing.wait(max(0.0, seconds))

    @contextmanager
    def fault(self, kind: str, *, breaks_calls: bool = False) -> Iterator[None]:
        """What is done inside is noted as one fault that lasts as long."""
        at = datetime.now(UTC)
        try:
            yield
        finally:
            self.faults.append(Fault(kind, at, datetime.now(UTC), breaks_calls))


Trouble = Callable[[Scene], None]
"""Makes its faults at random moments of the run, and returns when all is mended again."""
