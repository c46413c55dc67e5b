"""A counter of the room: claims what it can serve, and serves it.

The queue is looked at and not listened to: a commit with a pending NOTIFY takes a lock over the
whole server, and a look at the partial index of the queue costs a fraction of a millisecond.
"""

import asyncio
import logging
import time
from collections import Counter as Tally
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from postroom.domain.health import SLOW_S
from postroom.domain.lane import Lane
from postroom.ledger import blobs, queue
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.queue import Claimed
from postroom.sending.accounts import Accounts
from postroom.sending.appetite import Appetite
from postroom.sending.compose import Planned
from postroom.sending.handing import Handing
from postroom.sending.pace import Pace
from postroom.sending.patience import patiently
from postroom.sending.planning import Planner, Plans, by_message, for_calls
from postroom.sending.shelf import Portion, Shelf
from postroom.sending.slots import Slots

_log = logging.getLogger(__name__)

_IDLE_S_MIN = 0.05
_AGAIN_AFTER_S = 0.5
_LOOK_S = 1.0
"""Calls that have begun to hang make room without having ended."""
_READY_SHARE = 2
"""For one call in so many another one gets ready: its attempt is committed meanwhile, so that no
place is empty for the time of a commit. What is ready and not called is in doubt after a crash."""
_HELD_S = 1.0
"""Seconds of an account's pace that are claimed ahead."""


class Counter:
    """Serves some lanes with so many calls in flight; holds no more than they need."""

    def __init__(
        self,
        lanes: Sequence[Lane],
        calls_max: int,
        pace: Pace,
        accounts: Accounts,
        planner: Planner,
        handing: Handing,
        stopping: asyncio.Event,
    ) -> None:
        self._lanes = lanes
        self._calls_max = calls_max
        self._pace = pace
        self._accounts = accounts
        self._planner = planner
        self._handing = handing
        self._stopping = stopping
        self._slots = Slots(
            calls_max, SLOW_S, ahead=calls_max // _READY_SHARE, are_closed=stopping.is_set
        )
        self._shelf = Shelf(pace.kept_bytes_max * calls_max // pace.calls_max)
        self._calls: set[asyncio.Task[None]] = set()
        self._came_down = asyncio.Event()
        self._enough = 0
        self._appetite = Appetite(pace.claim_max)
        self._idle_s = _IDLE_S_MIN
        self._undone: list[Claimed] = []

    async def run(self) -> None:
        """Serve until the sender stops; then finish the calls in flight and give back the rest."""
        while not self._stopping.is_set():
            room, portion = self._room(), max(1, self._appetite.ahead // 2)
            free = room - self._held()
            if self._calls and free < portion:
                await self._come_down_to(room - portion)
            elif claimed := await self._claim(free):
                self._idle_s = _IDLE_S_MIN
                await self._serve(claimed, free)
            else:
                await self._rest()
        if self._calls:
            await asyncio.wait(self._calls)
        if self._undone:
            await patiently(queue.give_back, self._undone, 0.0)

    async def _come_down_to(self, held: int) -> None:
        """Wait until no more calls are held; not for long, for room may have changed by then."""
        self._enough = max(held, 0)
        self._came_down.clear()
        if self._held() > self._enough:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._came_down.wait(), _LOOK_S)

    def _held(self) -> int:
        """Calls that are being made or wait for a slot, without those that hang."""
        return len(self._calls) - self._slots.hanging

    def _room(self) -> int:
        """Calls that may be held: no more than can be made soon, for others could make them."""
        kinds = self._accounts.kinds(time.monotonic())
        busy = self._calls_max + self._appetite.ahead
        return int(min(busy, 1 + self._accounts.calls_within(kinds, _HELD_S)))

    async def _claim(self, calls: int) -> list[Claimed]:
        kinds = self._accounts.kinds(time.monotonic())
        if not kinds:
            return []
        limit = self._appetite.limit(calls)
        try:
            return await asyncio.to_thread(
                queue.claim, kinds, limit, self._pace.lease_s, self._lanes
            )
        except LedgerUnavailable as error:
            _log.warning("cannot claim: %s", error)
        except Exception:  # noqa: BLE001 - no trouble with a claim may end the calls in flight
            _log.exception("ALARM the queue cannot be claimed from")
        await asyncio.sleep(_AGAIN_AFTER_S)
        return []

    async def _rest(self) -> None:
        """Wait a little longer each time that there was nothing to do."""
        try:
            await asyncio.wait_for(self._stopping.wait(), self._idle_s)
        except TimeoutError:
            self._idle_s = min(2 * self._idle_s, self._pace.idle_s_max)

    async def _serve(self, claimed: Sequence[Claimed], calls: int) -> None:
        """Plan the calls, as many as the shelf has room for, and let them wait for a free slot."""
        held, surplus = for_calls(claimed, calls)
        if surplus:  # more calls than were asked for: others could make them sooner
            await patiently(queue.give_back, surplus, 0.0)
        recipients = [len(group) for group in by_message(surplus).values()]
        sizes = await patiently(blobs.sizes, list({one.message_id for one in held}))
        for portion in self._shelf.portions(held, sizes):
            await self._shelf.put(portion.weight)
            plans = await self._plan(portion.claimed)
            self._begin(plans, portion)
            recipients += [len(planned.claims) for planned in plans]
        self._appetite.learn(len(claimed), recipients, calls)

    def _begin(self, plans: Sequence[Planned], portion: Portion) -> None:
        """Start the calls; with each of them a part of what its message takes is let go."""
        each = Tally(planned.message.stored.message_id for planned in plans)
        left = portion.weight
        for planned in plans:
            id = planned.message.stored.message_id
            part = portion.weights[id] // each[id]
            left -= part
            call = asyncio.create_task(self._call(planned))
            self._calls.add(call)
            call.add_done_callback(partial(self._ended, part))
        self._shelf.take(left)

    def _ended(self, part: int, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._shelf.take(part)
        if self._held() <= self._enough:
            self._came_down.set()
        self._appetite.ended()
        if not call.cancelled() and (error := call.exception()) is not None:
            # Its lease runs out, and the sweep finds whether an attempt was begun.
            _log.error("ALARM a call broke off", exc_info=error)

    async def _plan(self, claimed: Sequence[Claimed]) -> list[Planned]:
        if self._stopping.is_set():
            self._undone += claimed
            return []
        try:
            plans = await asyncio.to_thread(self._planner.plan, claimed)
        except LedgerUnavailable:
            plans = Plans(left=list(claimed))
        if plans.left:
            await patiently(queue.give_back, plans.left, _AGAIN_AFTER_S)
        return plans.calls

    async def _call(self, planned: Planned) -> None:
        """Make a call and what follows from it: a refused batch goes on in smaller calls."""
        async with self._slots.one(may_hang=lambda: self._accounts.is_left(planned)) as place:
            if self._stopping.is_set():
                self._undone += planned.claims.values()
                return
            again = await self._handing.make(planned, place)
        for group in again:
            for smaller in await self._plan(group):
                await self._call(smaller)
