"""How much a counter claims: enough to keep every place busy, and little more."""

import time
from collections import deque
from collections.abc import Sequence

_AHEAD_S = 0.15
"""Seconds of calls that are claimed and planned before a place is free for them."""
_OVER_S = 1.0
"""The pace of calls is that of so many seconds."""


class Appetite:
    """What the calls and claims of one counter have come to lately."""

    def __init__(self, claim_max: int) -> None:
        self._claim_max = claim_max
        self._per_call = float(claim_max)
        self._ended: deque[float] = deque()

    def ended(self) -> None:
        """One call is over."""
        self._ended.append(time.monotonic())

    @property
    def ahead(self) -> int:
        """Calls that may wait for a place: those that will soon have one at the present pace."""
        since = time.monotonic() - _OVER_S
        while self._ended and self._ended[0] < since:
            self._ended.popleft()
        return int(len(self._ended) * _AHEAD_S / _OVER_S)

    def limit(self, calls: int) -> int:
        """Deliveries to claim for so many calls."""
        return min(self._claim_max, max(1, int(calls * self._per_call)))

    def learn(self, claimed: int, sizes: Sequence[int], calls: int) -> None:
        """What a claim for so many `calls` came to: its deliveries, and the recipients of each
        call made of them.

        A claim that was cut off by its limit tells how large calls were, not how large they can
        be: where some went together and no more calls came of it than were asked for, more is
        tried, or one urgent mail after the other would shrink the calls of a broadcast. A claim of
        one cannot tell: two are tried, or the broadcast would go one by one for ever.
        """
        was_cut_off = claimed >= self.limit(calls)
        self._per_call = claimed / max(1, len(sizes))
        may_hold_more = claimed == 1 or max(sizes, default=0) > 1
        if was_cut_off and len(sizes) <= calls and may_hold_more:
            self._per_call = min(2 * self._per_call, self._claim_max)
