"""Who receives the mail of a domain, and the pace at which a receiver that asked for less is given
mail.

An answer that says `slow down` halves the pace; it grows back by a factor for each second, and is
forgotten after a quiet time. All instants are seconds from now.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from postroom.domain.reason_texts import operator_of

REST_S = 5.0
"""So long nothing goes to a receiver after its answer; what was on its way may bring more."""
GROWTH_PER_S = 1.01
"""By this factor the pace grows each second: from a half to the whole in 70 s."""
PER_S_MIN = 1.0
"""Nobody is given less: the receiver is asked by real mail whether it takes more."""
PER_S_MAX = 1_000.0
"""A pace above this is forgotten."""
QUIET_S = 900.0
"""And so is one of a receiver that has not asked for less for so long."""
NEAR_S = 0.1
"""What has its turn within this time goes at once."""
WAIT_S_MAX = 600.0
"""No mail waits longer before it is looked at again: the pace may have grown otherwise."""

RATE_LIMITED = "rate_limited"
"""The one reason that slows a receiver."""

_YAHOO = frozenset({"yahoo", "ymail", "rocketmail", "myyahoo", "aol", "aim"})
"""Brands of one operator: senders.yahooinc.com/faqs, read 2026-11-24."""


def receiver_of(address: str) -> str:
    """The operator of the mailbox, where it is a known one with many domains; else its domain."""
    domain = address.rpartition("@")[2].lower()
    if domain.partition(".")[0] in _YAHOO:
        return "yahoo"
    return operator_of(domain, None, "") or domain


@dataclass(frozen=True, slots=True)
class Standing:
    """How a receiver that asked for less stands now."""

    per_s: float
    """Its pace now, in recipients a second."""
    turn_s: float
    """When the next turn begins; what lies before it belongs to others, or to its rest."""
    tail_s: float
    """Where those end that were told to wait for their turn."""


@dataclass(frozen=True, slots=True)
class Allotment:
    """What becomes of the mail of one receiver, in its order."""

    going: int
    """So many of the first go now."""
    waits_s: tuple[float, ...]
    """When each of the others is looked at again."""
    turn_s: float
    tail_s: float
    """The standing from now on."""


def allot(standing: Standing, urgent: int, others: int) -> Allotment:
    """Turns for so many recipients: urgent mail has the next ones, other mail the last ones."""
    turn_s, going = max(0.0, standing.turn_s), 0
    while going < urgent + others and turn_s <= NEAR_S:
        turn_s += _stretch_s(standing.per_s, turn_s)
        going += 1
    urgent_left = urgent - min(going, urgent)
    others_left = others - (going - urgent + urgent_left)
    sooner = list(islice(_turns(standing.per_s, turn_s), urgent_left))
    tail_s = max(standing.tail_s, turn_s, *(sooner[-1:]))
    *later, tail_s = islice(_turns(standing.per_s, tail_s), others_left + 1)
    waits = tuple(_bounded(at, number) for number, at in enumerate([*sooner, *later]))
    return Allotment(going, waits, turn_s, min(tail_s, WAIT_S_MAX))


def lowered(per_s: float) -> float:
    """The pace after an answer that the present one is too fast."""
    return max(PER_S_MIN, per_s / 2)


def _turns(per_s: float, from_s: float) -> Iterator[float]:
    """Turns from an instant on, at the pace that is to be expected then."""
    at = from_s
    while True:
        yield at
        at += _stretch_s(per_s, at)


def _stretch_s(per_s: float, at_s: float) -> float:
    expected: float = per_s * GROWTH_PER_S ** min(at_s, WAIT_S_MAX)
    return 1 / min(PER_S_MAX, expected)


def _bounded(at_s: float, number: int) -> float:
    """The instant, or one in the later half of the longest wait, so that not all come at once."""
    if at_s < WAIT_S_MAX:
        return at_s
    return WAIT_S_MAX * (0.5 + number * 0.618 % 1 / 2)
