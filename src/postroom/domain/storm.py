"""When a receiving domain fails so many at once that it is not to be believed.

On 14 and 15 December 2020 Gmail answered 550 5.1.1 for hours, for mailboxes that were there.
Numbers are counted by when the mails were handed over, so notifications that come late or all at
once make no storm.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

SLOT = timedelta(minutes=10)
_HOUR = 6
"""Slots in the hour that is looked at; it slides by one slot."""
USUAL_WINDOW = timedelta(days=30)
USUAL_UNTIL = timedelta(days=1)
"""The last day is not taken for usual: a storm of many hours must not make itself so."""
FAILED_MIN = 20
_TIMES_USUAL = 5
_WORDS_MIN = 100
"""Of fewer words nobody knows what is usual."""
_SHARE_MAX = 0.1
"""What is taken for usual at most, and where nobody knows: a list that was never mailed has so
many dead addresses. Half of all failing is a storm at any domain."""
_PROVEN_SHARE = 0.05
"""Of an hour's words: so many addresses do not die within a month of a mail that arrived."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a receiving domain said about mails handed over in some time."""

    delivered: int = 0
    failed: int = 0
    """For the recipient's sake."""
    proven: int = 0
    """Failed, though mail to the same address arrived within the month before."""

    def __add__(self, other: "Words") -> "Words":
        return Words(
            self.delivered + other.delivered,
            self.failed + other.failed,
            self.proven + other.proven,
        )


def slot_of(at: datetime) -> datetime:
    """The beginning of the slot in which it lies."""
    return at.replace(minute=at.minute // 10 * 10, second=0, microsecond=0)


def is_storm(hour: Words, usual: Words) -> bool:
    """Whether so many failed within an hour that it is the domain that fails, not its people."""
    words = hour.delivered + hour.failed
    failed_max = max(FAILED_MIN, _TIMES_USUAL * _usual_share(usual) * words)
    proven_max = max(FAILED_MIN, _PROVEN_SHARE * words)
    return hour.failed > failed_max or hour.proven > proven_max


def _usual_share(usual: Words) -> float:
    words = usual.delivered + usual.failed
    if words < _WORDS_MIN:
        return _SHARE_MAX
    return min(_SHARE_MAX, usual.failed / words)


def stormy(slots: Mapping[datetime, Words], usual: Words) -> frozenset[datetime]:
    """The slots that lie in an hour which is a storm."""
    return frozenset(
        slot
        for start in _starts(slots)
        if is_storm(_sum(slots.get(slot, Words()) for slot in _hour_from(start)), usual)
        for slot in _hour_from(start)
    )


def _starts(slots: Iterable[datetime]) -> frozenset[datetime]:
    """The beginning of every hour in which one of these slots lies."""
    return frozenset(slot - n * SLOT for slot in slots for n in range(_HOUR))


def _hour_from(start: datetime) -> list[datetime]:
    return [start + n * SLOT for n in range(_HOUR)]


def _sum(words: Iterable[Words]) -> Words:
    return sum(words, Words())
