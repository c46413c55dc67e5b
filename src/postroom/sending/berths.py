"""Calls in flight of each account, as far as all senders together may have no more than so many.

A sender takes the right to several calls at once, for some seconds, and uses it for many calls one
after the other: there is no round trip for each.
"""

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID, uuid4

from postroom.domain.in_flight import Need, Share, held_with
from postroom.domain.lane import Lane
from postroom.ledger import call_leases
from postroom.ledger.db import LedgerUnavailable
from postroom.sending.meter import Later
from postroom.sending.patience import patiently

_log = logging.getLogger(__name__)

WAIT_S_MAX = 2.0
"""A call waits no longer: its mail goes back to the queue, where others may claim it."""
_AGAIN_AFTER_S = 0.5
_RENEW_S = 1.0
_PAUSE_S = 0.05
"""Between two questions, however many calls come."""
_KEPT_S = 2.0
"""What was in use so lately is kept: longer than a carrier keeps connections open for it."""

Lease = Callable[[int, Need], Share]
"""The most calls, and the need: the ledger's `lease` for one account and this sender."""


@dataclass(order=True, slots=True)
class _Waiting:
    """A call that waits: urgent before normal before bulk, else in the order of coming."""

    lane: Lane
    number: int
    berth: asyncio.Future["Berth"] = field(compare=False)

    @property
    def is_urgent(self) -> bool:
        return self.lane is Lane.URGENT


class Berth:
    """The right to one call."""

    def __init__(self, leave: Callable[[], None]) -> None:
        self._leave: Callable[[], None] | None = leave

    def leave(self) -> None:
        """The call is over, or is not made; others may have the right."""
        if self._leave is not None:
            leave, self._leave = self._leave, None
            leave()


class Berths:
    """The calls in flight of one account in one sender."""

    def __init__(self, lease: Lease, give_back: Callable[[], None]) -> None:
        self._lease = lease
        self._give_back = give_back
        self.most: int | None = None
        """Calls that all senders together may have in flight; None: any number."""
        self._share, self._ends = Share(), 0.0
        self._is_asking = False
        self._busy = {True: 0, False: 0}
        """Calls in flight, by whether they are of those for urgent mail alone."""
        self._peaks = _Peaks()
        self._waiting: list[_Waiting] = []
        self._numbers = itertools.count()
        self._changed = asyncio.Event()
        self._keeping: asyncio.Task[None] | None = None

    async def take(self, lane: Lane) -> Berth:
        """The right to one call; raises Later when there is none in time."""
        if self.most is None:
            return Berth(lambda: None)
        berth: asyncio.Future[Berth] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, _Waiting(lane, next(self._numbers), berth))
        self._give()
        if not berth.done():
            self._ask()
        try:
            async with asyncio.timeout(WAIT_S_MAX):
                return await berth
        except TimeoutError as error:
            if berth.done() and not berth.cancelled():
                return berth.result()
            raise Later(_AGAIN_AFTER_S) from error

    def _ask(self) -> None:
        self._changed.set()
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.create_task(self._keep())

    def _give(self) -> None:
        """Berths to whoever is first, while there are any."""
        while self._waiting:
            if not self._waiting[0].berth.done():
                is_of_urgent = self._free_for(self._waiting[0])
                if is_of_urgent is None:
                    break
                self._busy[is_of_urgent] += 1
                leave = partial(self._left, is_of_urgent)
                self._waiting[0].berth.set_result(Berth(leave))
            heapq.heappop(self._waiting)
        self._peaks.note(self._wanted())

    def _free_for(self, one: _Waiting) -> bool | None:
        """Whether a free berth is of those for urgent mail alone; None: there is none.

        None is given while the ledger is asked: its answer rests on what was in flight then.
        """
        if self._is_asking or time.monotonic() >= self._ends:
            return None
        if one.is_urgent and self._busy[True] < self._share.urgent:
            return True
        return False if self._busy[False] < self._share.ordinary else None

    def _left(self, was_of_urgent: bool) -> None:
        self._busy[was_of_urgent] -= 1
        self._give()

    def _wanted(self) -> Share:
        waiting = [one for one in self._waiting if not one.berth.done()]
        urgent = sum(one.is_urgent for one in waiting)
        return Share(self._busy[False] + len(waiting) - urgent, self._busy[True] + urgent)

    async def _keep(self) -> None:
        """Renew the lease, and fit it to the need, until there is none."""
        while (wanted := self._peaks.of(self._wanted())).calls:
            self._changed.clear()
            await self._renew(wanted)
            await asyncio.sleep(_PAUSE_S)
            await self._until_changed()
        self._share = Share()
        await patiently(self._give_back)
        if self._waiting:
            self._keeping = asyncio.create_task(self._keep())

    async def _renew(self, wanted: Share) -> None:
        if self.most is None:
            self._waiting.clear()
            return
        asked_at, self._is_asking = time.monotonic(), True
        need = Need(Share(self._busy[False], self._busy[True]), wanted)
        try:
            self._share = await asyncio.to_thread(self._lease, self.most, need)
            self._ends = asked_at + call_leases.LEASE_S
        except LedgerUnavailable as error:
            _log.warning("cannot renew the calls of an account: %s", error)
        finally:
            self._is_asking = False
        self._give()

    async def _until_changed(self) -> None:
        try:
            async with asyncio.timeout(_RENEW_S):
                await self._changed.wait()
        except TimeoutError:
            return

    async def close(self) -> None:
        """Give back what is held; no call is in flight any more."""
        if self._keeping is not None and not self._keeping.done():
            self._keeping.cancel()
            await asyncio.wait([self._keeping])
            await asyncio.to_thread(self._give_back)


class _Peaks:
    """The most that was wanted lately."""

    def __init__(self) -> None:
        self._since = 0.0
        self._before, self._now = Share(), Share()

    def note(self, wanted: Share) -> None:
        """So much is wanted now."""
        if time.monotonic() - self._since > _KEPT_S:
            self._since, self._before, self._now = time.monotonic(), self._now, Share()
        self._now = held_with(self._now, wanted)

    def of(self, wanted: Share) -> Share:
        """The most, with what is wanted now."""
        self.note(wanted)
        return held_with(self._before, self._now)


class AllBerths:
    """The berths of one sender, for each account."""

    def __init__(self) -> None:
        self._sender: UUID = uuid4()
        self._berths: dict[int, Berths] = {}

    async def close(self) -> None:
        """Give back what is held; LedgerUnavailable when the database is away."""
        for berths in self._berths.values():
            await berths.close()

    def of(self, account_id: int) -> Berths:
        """The account's."""
        if account_id not in self._berths:
            self._berths[account_id] = Berths(
                partial(call_leases.lease, account_id, self._sender),
                partial(call_leases.give_back, account_id, self._sender),
            )
        return self._berths[account_id]
