"""How well an account does, from what its calls and its mails met with; and what it carries then.

One rule keeps roads from swinging: an account is given up at once, and everything else happens no
sooner than `rest` after its last change. So whatever is measured, there are at most two changes
within any `rest`: what follows a first change within that time can only be a giving up, and what
follows that is a rest away.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SLOW_S = 10.0
"""A call that takes longer counts as slow: ten times what providers usually take."""
WAIT_S_MAX = 60.0
"""An account that is told to wait longer is given up; a shorter wait is a matter of its pace."""
SLOT_S = 5
"""Calls are counted in slots of so many seconds."""
KEPT = timedelta(minutes=10)
"""No window looks further back."""
STOPPED = "stopped"
"""Why an account is open that the provider refuses, or that a person has stopped."""
_STRAINED_SHARE = 0.25
_FIRST_SHARE = 0.05
"""What an account carries at first that is new or comes back."""


class State(StrEnum):
    """What the roads are told of an account."""

    SOUND = "sound"
    """Carries all it is meant to: after `returning` went well, or a strain has passed."""
    STRAINED = "strained"
    """Carries a quarter, and nothing urgent: it throttles, is slow, or its mail is blocked."""
    OPEN = "open"
    """Carries nothing that another may carry: its calls fail, it has to wait, or is stopped."""
    RETURNING = "returning"
    """Carries little at first and more by and by: it is new, or has rested after `open`."""


@dataclass(frozen=True, slots=True)
class Health:
    """How an account stands."""

    state: State
    since: datetime
    why: str = ""
    """Which signal, with its figures."""

    def share(self, now: datetime, rest: timedelta) -> float:
        """The part of its usual mail that it carries, from 0 to 1."""
        if self.state is State.RETURNING:
            done = max(0.0, (now - self.since) / rest)
            return min(1.0, _FIRST_SHARE + (1 - _FIRST_SHARE) * done)
        return _SHARES[self.state]


_SHARES = {State.SOUND: 1.0, State.STRAINED: _STRAINED_SHARE, State.OPEN: 0.0}


@dataclass(frozen=True, slots=True)
class Pulse:
    """What was met with in the slot that begins at `at`."""

    at: datetime
    calls: int = 0
    errors: int = 0
    """Calls that failed or whose end is unknown, through no fault of the mail."""
    throttled: int = 0
    """Calls refused as too many."""
    slow: int = 0
    told: int = 0
    """Final words about mails: delivered or not."""
    blocked: int = 0
    """Those of them that say that the sender's reputation was refused."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What an account is judged by."""

    pulses: Sequence[Pulse] = ()
    """Those of the last ten minutes."""
    stopped: bool = False
    """It carries nothing, whatever they say."""
    told_to_wait_s: float = 0.0
    """Seconds from now on, by the answers that it gave last."""
    unheard: bool = False
    """First events about what it took are missing, or come much later than usually."""


@dataclass(frozen=True, slots=True)
class _Signal:
    """Something that is wrong when `bad` is at least `share` of `least` or more samples."""

    name: str
    samples: str
    bad: str
    window_s: float
    least: int
    share: float


_FAILING = (
    _Signal("errors", "calls", "errors", 10, 5, 0.5),
    _Signal("errors", "calls", "errors", 60, 5, 0.5),
    _Signal("errors", "calls", "errors", 300, 5, 0.5),
    _Signal("latency", "calls", "slow", 10, 5, 0.9),
)
"""The short window finds a sudden end in much traffic, the long one a lasting one in little."""

_STRAINING = (
    _Signal("throttling", "calls", "throttled", 60, 20, 0.5),
    _Signal("latency", "calls", "slow", 60, 5, 0.5),
    _Signal("bounce mix", "told", "blocked", 600, 50, 0.3),
)
_UNHEARD = "time to first event: little is heard of what it took"
_RELIEF = 0.5
"""A strain has passed when its share is below this part of what began it."""


def step(health: Health, seen: Seen, now: datetime, rest: timedelta) -> Health:
    """How the account stands now; the same object when nothing has changed."""
    if seen.stopped:
        is_known = health.state is State.OPEN and health.why == STOPPED
        return health if is_known else Health(State.OPEN, now, STOPPED)
    if health.why == STOPPED:
        return Health(State.RETURNING, now, "used again")
    slot = timedelta(seconds=SLOT_S)
    pulses = [one for one in seen.pulses if one.at + slot > health.since]
    failing = _wrong(_FAILING, pulses, now) or _told_to_wait(seen.told_to_wait_s)
    if failing and health.state is not State.OPEN:
        return Health(State.OPEN, now, failing)
    if now - health.since < rest or (health.state is State.OPEN and seen.told_to_wait_s > 0):
        return health
    return _rested(health, pulses, seen.unheard, now)


def _told_to_wait(seconds: float) -> str:
    return f"throttling: told to wait {seconds:.0f} s" if seconds > WAIT_S_MAX else ""


def _rested(health: Health, pulses: list[Pulse], unheard: bool, now: datetime) -> Health:
    """What an account may become that has not changed for a while."""
    if health.state is State.OPEN:
        return Health(State.RETURNING, now, "has rested")
    part = _RELIEF if health.state is State.STRAINED else 1.0
    strain = _wrong(_STRAINING, pulses, now, part) or _UNHEARD * unheard
    state = State.STRAINED if strain else State.SOUND
    return health if state is health.state else Health(state, now, strain)


def _wrong(
    signals: Iterable[_Signal], pulses: list[Pulse], now: datetime, part: float = 1.0
) -> str:
    """The first signal that is wrong, with its figures; empty when none is."""
    for signal in signals:
        since = now - timedelta(seconds=signal.window_s)
        within = [one for one in pulses if one.at > since]
        samples = sum(getattr(one, signal.samples) for one in within)
        bad = sum(getattr(one, signal.bad) for one in within)
        if samples >= signal.least and bad >= part * signal.share * samples:
            return f"{signal.name}: {bad} of {samples} in {signal.window_s:g} s"
    return ""
