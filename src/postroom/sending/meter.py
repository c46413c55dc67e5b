"""Gives calls their turn, so that no second of an account ever sees more than its limit.

Turns are instants, a stretch apart from one another, and the ledger gives each of them to one
sender only. A call that comes late to its turn takes another one. So a second holds no more turns
than the limit even when every call of it is as late as it may be: for that, stretches are longer
than they need be by what a call may be late and its way may take.
"""

import asyncio
import heapq
import itertools
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from postroom.domain.lane import Lane
from postroom.domain.limits import Limits, open_to
from postroom.ledger import paces
from postroom.ledger.paces import Turns
from postroom.sending.patience import patiently

LATE_S_MAX = 0.015
"""A call that is later than this for its turn takes another."""
WAY_S = 0.02
"""What the ways of two calls to the provider may differ by."""
LEASE_S = 0.1
"""Seconds of turns that are taken together: short, so that a 429 is heeded by all at once."""
AHEAD_S = 0.06
"""A call is told its turn so long before, to commit its attempt meanwhile."""
_TOGETHER_MAX = int(LEASE_S * paces.LEARNED_PER_S_MAX)
"""Calls that turns are taken for together: as many as the fastest account makes in that time."""
_ROUNDING_S = 1e-5

Take = Callable[[float, int, float | None], Turns]
"""Stretch in seconds, recipients, recipients a day: the ledger's `take` for one account."""


class Later(Exception):
    """The account has no turn for a while; `in_s` says for how long."""

    def __init__(self, in_s: float) -> None:
        super().__init__(f"no turn for {in_s:.1f} s")
        self.in_s = in_s


@dataclass(order=True, slots=True)
class _Waiting:
    """A call that waits: urgent before normal before bulk, else in the order of coming."""

    lane: Lane
    number: int
    recipients: int = field(compare=False)
    counts: bool = field(compare=False)
    """Whether its recipients are still to be counted to the day."""
    turn: asyncio.Future[float] = field(compare=False)


class Meter:
    """The turns of one account in one sender."""

    def __init__(self, take: Take) -> None:
        self._take = take
        self.limits = Limits()
        self._full_until = 0.0
        self._numbers = itertools.count()
        self._waiting: list[_Waiting] = []
        self._giving: asyncio.Task[None] | None = None
        self._made: deque[float] = deque()

    @property
    def is_full(self) -> bool:
        """Whether the account was found to have had its recipients of this day, not long ago."""
        return time.monotonic() < self._full_until

    def observed_per_s(self) -> float:
        """Calls that this sender made in the last second."""
        self._forget(time.monotonic() - 1)
        return float(len(self._made))

    def _forget(self, until: float) -> None:
        while self._made and self._made[0] <= until:
            self._made.popleft()

    async def turn(self, lane: Lane, recipients: int, *, counts: bool = True) -> float:
        """The instant (monotonic) at which the call is to be made; raises Later.

        `counts` is false for a call whose recipients were counted to the day before.
        """
        if not self.limits.bind:
            return time.monotonic()
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(lane, next(self._numbers), recipients, counts, turn)
        heapq.heappush(self._waiting, waiting)
        if self._giving is None or self._giving.done():
            self._giving = asyncio.create_task(self._give())
        return await turn

    async def come(self, at: float, lane: Lane, recipients: int) -> None:
        """Returns at the call's turn, another one where this one was missed; raises Later."""
        while self.limits.bind:
            await asyncio.sleep(max(0.0, at - time.monotonic()))
            if time.monotonic() - at <= LATE_S_MAX:
                break
            at = await self.turn(lane, recipients, counts=False)
        now = time.monotonic()
        self._forget(now - 1)
        self._made.append(now)

    async def _give(self) -> None:
        """Take stretches and give them out while anybody waits."""
        begins, ended_s = 0.0, float("-inf")
        while self._waiting:
            first = self._first()
            try:
                turns = await self._taken(first)
                if turns.day_is_full and len(first) > 1:
                    first = first[:1]
                    turns = await self._taken(first)
            except Exception as error:  # noqa: BLE001 - handed on to those who wait
                self._send_away(error)
                continue
            if turns.day_is_full:
                self._full_until = time.monotonic() + turns.in_s
            if not turns.given:
                self._send_away(Later(turns.in_s), only_uncounted=turns.day_is_full)
                continue
            at, stretch_s = turns.told_at + turns.in_s, sum(map(self._stretch_s, first))
            # What was left of the last stretch belongs to this one where nobody came between.
            begins = begins if abs(turns.begins_s - ended_s) <= _ROUNDING_S else at
            ended_s = turns.begins_s + stretch_s
            begins = await self._give_out(begins, at + stretch_s)

    async def _taken(self, first: Sequence[_Waiting]) -> Turns:
        uncounted = [one for one in first if one.counts]
        stretch_s = sum(map(self._stretch_s, first))
        recipients = sum(one.recipients for one in uncounted)
        per_day = self.limits.recipients_per_day
        if per_day is not None:
            per_day = open_to(max(one.lane for one in first), per_day)
        turns = await patiently(self._take, stretch_s, recipients, per_day)
        for one in uncounted:
            one.counts = not turns.given
        return turns

    def _first(self) -> list[_Waiting]:
        """The next calls, as many as turns are taken for together."""
        found: list[_Waiting] = []
        taken_s = 0.0
        for one in heapq.nsmallest(_TOGETHER_MAX, self._waiting):
            found.append(one)
            taken_s += self._stretch_s(one)
            if taken_s >= LEASE_S:
                break
        return found

    def _stretch_s(self, one: _Waiting) -> float:
        return (1 + LATE_S_MAX + WAY_S) * self.limits.stretch_s(one.recipients)

    async def _give_out(self, at: float, ends: float) -> float:
        """Give turns from `at` on to whoever is first at each; where what is left begins."""
        while True:
            await asyncio.sleep(max(0.0, at - AHEAD_S - time.monotonic()))
            if not self._waiting or not self._fits(self._waiting[0], at, ends):
                return at
            first = heapq.heappop(self._waiting)
            if not first.turn.done():
                first.turn.set_result(at)
            at += self._stretch_s(first)

    def _fits(self, first: _Waiting, at: float, ends: float) -> bool:
        """Whether it needs no more than is left, and was counted to the day if days count."""
        if first.counts and self.limits.recipients_per_day is not None:
            return False
        return at + self._stretch_s(first) <= ends + _ROUNDING_S

    def _send_away(self, why: Exception, *, only_uncounted: bool = False) -> None:
        """Nobody waits any more; a full day concerns none that it has counted already."""
        kept = sorted(one for one in self._waiting if only_uncounted and not one.counts)
        sent_away = [one for one in self._waiting if one.counts or not only_uncounted]
        self._waiting = kept
        for one in sent_away:
            if not one.turn.done():
                one.turn.set_exception(why)


class Meters:
    """The meters of one sender, one for each account."""

    def __init__(self) -> None:
        self._meters: dict[int, Meter] = {}

    def of(self, account_id: int) -> Meter:
        """The account's meter."""
        if account_id not in self._meters:
            self._meters[account_id] = Meter(partial(paces.take, account_id))
        return self._meters[account_id]
