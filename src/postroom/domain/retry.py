"""When to try again, when to give up, and what becomes of a hand-over whose outcome is unknown."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.domain.lane import Lane


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, and how often, one lane tries."""

    first_s: float
    """The wait after the first try; doubles with each further one."""
    longest_s: float
    """The longest wait between two tries, unless the provider asks for more."""
    age_max: timedelta
    """Measured from the instant the delivery was due: older ones are given up."""


PATIENCE: dict[Lane, Patience] = {
    Lane.URGENT: Patience(first_s=2, longest_s=60, age_max=timedelta(hours=24)),
    Lane.NORMAL: Patience(first_s=5, longest_s=600, age_max=timedelta(hours=72)),
    Lane.BULK: Patience(first_s=15, longest_s=1800, age_max=timedelta(hours=72)),
}
"""Urgent mail tries often and is worthless sooner; 72 h is as long as providers themselves try."""

ASKED_S_MAX = 3600.0
"""The longest wait that a provider may ask for: a wrong clock there must not park our mail."""

JITTER = 0.25
"""The part of a wait that is left to chance, so that many do not come back at once."""

GAVE_UP_REASON = "gave_up"
"""The reason of a delivery that we ourselves stop trying."""


def wait_s(lane: Lane, tries: int, chance: float, asked_s: float | None = None) -> float:
    """Seconds until the next try after `tries` tries (one or more) that ended in `try later`.

    `chance` is in [0, 1). `asked_s` is what the provider asks for; a wait is never shorter, up to
    one hour. None: it asks for nothing.
    """
    patience = PATIENCE[lane]
    doublings = min(max(tries, 1) - 1, 32)
    longest = min(patience.first_s * 2.0**doublings, patience.longest_s)
    own = longest * (1 - JITTER + JITTER * chance)
    if asked_s is None or asked_s <= 0:
        return own
    return min(asked_s, ASKED_S_MAX) + JITTER * chance * own


def gives_up(lane: Lane, due_at: datetime, now: datetime) -> bool:
    """Whether a delivery that was due at `due_at` is too old for another try."""
    return now - due_at >= PATIENCE[lane].age_max


DOUBT_WINDOW = timedelta(minutes=10)
"""How long a hand-over of unknown outcome waits for a word from the provider; other calls' first
events come within a minute (p99). Then `OnDoubt` decides: `resend` queues a possible duplicate,
`hold` goes on waiting until the window of silence makes it `unconfirmed`."""

SILENCE = timedelta(hours=72)
"""How long after the last event a word is still to be expected; then it is `unconfirmed`."""

SILENCE_AFTER_DEFERRAL = timedelta(hours=96)
"""The same where the last event was a deferral: providers try for 72 hours, then tell."""
