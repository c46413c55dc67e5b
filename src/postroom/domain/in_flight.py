"""How senders share the calls that an account may have in flight at once."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Share:
    """What one sender holds, or would hold, of an account's calls."""

    ordinary: int = 0
    """Calls that any mail may make."""
    urgent: int = 0
    """Calls that only urgent mail may make."""

    @property
    def calls(self) -> int:
        """All of them."""
        return self.ordinary + self.urgent


@dataclass(frozen=True, slots=True)
class Need:
    """What one sender has in flight, and what it could use."""

    busy: Share
    wanted: Share


def kept_for_urgent(most: int) -> int:
    """Of so many calls, those that only urgent mail may make: a fifth, one at least, never all."""
    return min(most - 1, max(1, most // 5))


def grant(most: int, need: Need, held: Sequence[Share], wanted: Sequence[int]) -> Share:
    """What a sender may have in flight from now on; it holds that, or what is `busy` if more.

    `held` and `wanted`: what the others hold, and how many ordinary calls each could use. Whoever
    has more than an even share begins no more until enough of its calls have ended.
    """
    free = most - sum(one.calls for one in held)
    urgent = max(0, min(need.wanted.urgent, free - need.busy.ordinary))
    for_ordinary = most - kept_for_urgent(most)
    ordinary = min(
        _even_share(for_ordinary, need.wanted.ordinary, wanted),
        for_ordinary - sum(one.ordinary for one in held),
        free - max(urgent, need.busy.urgent),
    )
    return Share(max(0, ordinary), urgent)


def held_with(share: Share, busy: Share) -> Share:
    """What a sender holds that may have so many in flight and has these."""
    return Share(max(share.ordinary, busy.ordinary), max(share.urgent, busy.urgent))


def _even_share(most: int, mine: int, others: Sequence[int]) -> int:
    """My part where everybody gets the same, and what some do not want goes to the rest."""
    left, takers = most, sorted([mine, *others])
    for count, wanted in enumerate(takers):
        even = -(-left // (len(takers) - count))
        if wanted > even:
            return min(mine, even)
        left -= wanted
    return mine
