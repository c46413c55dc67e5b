"""The expected flow of words about what an account was handed: whether it runs, and since when not.

Hand-overs are counted by the minute in which their call began. A word counts when it came soon
after that; one that comes hours later is a fact about its delivery and none about the flow.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

MINUTE = timedelta(minutes=1)

ACKNOWLEDGED_WITHIN = timedelta(minutes=1)
"""In this time a provider that acknowledges says so of 99 in 100 hand-overs."""
HEARD_WITHIN = timedelta(minutes=5)
"""In this time the first word of any kind counts as part of the flow."""

PROOF_SHARE = 0.99
PROOF_SAMPLE_MIN = 100
"""Of fewer hand-overs one in a hundred cannot be told."""
PROOF_NEAR_MIN = 10
"""Hand-overs that must have been acknowledged right around the call in doubt."""


class Tells(StrEnum):
    """What a provider tells of each mail, when nothing is lost."""

    ACCEPTANCE = "acceptance"
    """That it took the mail, under our id, and later what became of it."""
    FATE = "fate"
    """What became of it, and nothing before."""
    FAILURE = "failure"
    """Only what went wrong: silence is the rule."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Minute:
    """What was handed to an account in the calls that began in one minute."""

    at: datetime
    """The minute's beginning."""
    taken: int
    """Hand-overs that the provider took, by its answer or by its events."""
    heard: int
    """Those of which a first word came within `HEARD_WITHIN`."""
    acknowledged: int
    """Those of which the acceptance was told within `ACKNOWLEDGED_WITHIN`."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Several minutes together."""

    taken: int
    heard: int
    acknowledged: int

    @property
    def heard_share(self) -> float:
        """Part of the taken that were heard of; 0 where none was taken."""
        return self.heard / self.taken if self.taken else 0.0

    def shows_flow(self, taken_min: int) -> bool:
        """Whether at least so many were taken, and all but one in a hundred acknowledged."""
        return self.taken >= taken_min and self.acknowledged >= PROOF_SHARE * self.taken


def together(minutes: Iterable[Minute]) -> Sample:
    """The sums."""
    known = list(minutes)
    return Sample(
        sum(one.taken for one in known),
        sum(one.heard for one in known),
        sum(one.acknowledged for one in known),
    )


def not_taken(
    minutes: Iterable[Minute], begun_at: datetime, ended_at: datetime, now: datetime
) -> Sample | None:
    """The flow that gives weight to silence about a call, from its begin until now; or None.

    With this sample, silence about the call proves that the provider did not take it: of other
    calls to the account it spoke within a minute all the while, and right around the call too.
    """
    known = list(minutes)
    since = begun_at - MINUTE
    near = together(one for one in known if since < one.at + MINUTE and one.at <= ended_at + MINUTE)
    whole = together(
        one
        for one in known
        if since < one.at + MINUTE and one.at + MINUTE + ACKNOWLEDGED_WITHIN <= now
    )
    flows = near.shows_flow(PROOF_NEAR_MIN) and whole.shows_flow(PROOF_SAMPLE_MIN)
    return whole if flows else None
