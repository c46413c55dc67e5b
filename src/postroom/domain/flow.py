"""The expected flow of words about what an account was handed: whether it runs, and since when not.

Hand-overs are counted by the minute in which their call began. A word counts when it came soon
after that; one that comes hours later is a fact about its delivery and none about the flow.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import sqrt

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


SILENCE_SAMPLE_MIN = 20
"""Hand-overs of which none was heard of, before that means anything."""
SAMPLE_TAKEN = 50
"""Hand-overs that are looked at together: at a high pace those of one minute."""
SAMPLE_SPAN = timedelta(minutes=30)
"""How far back they may be fetched; at a lower pace nothing is said."""
USUAL_SPAN = timedelta(hours=24)
USUAL_SAMPLE_MIN = 100
USUAL_SHARE_MIN = 0.5
"""Where fewer are heard of soon at the best of times, silence is nothing unusual."""
FALL_MIN = 0.3
"""The part of the usual share that must be missing."""
DEVIATIONS = 4.5
"""And by how many standard deviations: at a look each minute, once in centuries by chance."""


class Trouble(StrEnum):
    """What is wrong with the flow of words from an account."""

    SILENCE = "silence"
    """Nothing at all is heard soon."""
    FALLING = "falling"
    """Much less is heard soon than usually."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """How the flow was in the newest minutes that can be judged."""

    since: datetime
    """The beginning of the first of them."""
    sample: Sample
    usual: float | None
    """The share that was heard of soon in the day before; None: too few to tell."""
    trouble: Trouble | None
    """None: words flow."""


def judged(
    minutes: Iterable[Minute], tells: Tells, now: datetime, usual_until: datetime | None = None
) -> Judgement | None:
    """How the flow is; None when too little was handed over, or silence is the rule.

    `usual_until` ends the day of which the usual share is taken: when the trouble that stands
    began. None: the newest minutes.
    """
    ripe = [one for one in minutes if one.at + MINUTE + HEARD_WITHIN <= now]
    newest = _newest(ripe, now)
    sample = together(newest)
    if sample.taken < SILENCE_SAMPLE_MIN:
        return None
    since = newest[-1].at
    usual = _usual(ripe, min(since, usual_until or since))
    if not _is_expected(tells, usual):
        return None
    return Judgement(since, sample, usual, _trouble(sample, usual, tells))


def _newest(ripe: list[Minute], now: datetime) -> list[Minute]:
    """The newest minutes, latest first, that together hold enough."""
    newest: list[Minute] = []
    taken = 0
    for one in reversed(ripe):
        if taken >= SAMPLE_TAKEN or one.at < now - SAMPLE_SPAN:
            break
        newest.append(one)
        taken += one.taken
    return newest


def _usual(ripe: list[Minute], until: datetime) -> float | None:
    day = together(one for one in ripe if until - USUAL_SPAN <= one.at < until)
    return day.heard_share if day.taken >= USUAL_SAMPLE_MIN else None


def _is_expected(tells: Tells, usual: float | None) -> bool:
    """Whether a word about most hand-overs is to be expected soon."""
    if usual is None:
        return tells in (Tells.ACCEPTANCE, Tells.FATE)
    return usual >= USUAL_SHARE_MIN


def _trouble(sample: Sample, usual: float | None, tells: Tells) -> Trouble | None:
    if sample.heard == 0:
        return Trouble.SILENCE
    # Fates come when receivers answer: a share of them may fall for their reasons.
    if usual is None or tells is not Tells.ACCEPTANCE or sample.taken < SAMPLE_TAKEN:
        return None
    deviation = sqrt(usual * (1 - usual) / sample.taken)
    fall = max(FALL_MIN * usual, DEVIATIONS * deviation)
    return Trouble.FALLING if sample.heard_share < usual - fall else None
