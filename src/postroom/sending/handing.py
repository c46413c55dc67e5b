"""One call: the attempt is committed, the mail handed over, the answer settled."""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from postroom.domain.lane import Lane
from postroom.ledger import accounts, paces, queue
from postroom.ledger.attempts import NewAttempt, NewHandover
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.ids import uuid7
from postroom.ledger.queue import Claimed
from postroom.ledger.settlements import Then
from postroom.providers.base import Reply, ReplyKind
from postroom.sending.backoff import BackOff, concerns_account, is_throttling
from postroom.sending.beginner import Beginner
from postroom.sending.berths import AllBerths
from postroom.sending.compose import Planned
from postroom.sending.endings import Moment, ending_of, not_made
from postroom.sending.meter import Later, Meters
from postroom.sending.pace import Pace
from postroom.sending.patience import patiently
from postroom.sending.settler import Settler
from postroom.sending.slots import Place
from postroom.sending.slow_receivers import SlowReceivers
from postroom.sending.watch import Watch

_log = logging.getLogger(__name__)

_STOPPED_REST_S = 2.0
_ELSEWHERE_S = 5.0
"""By then senders know whether the account is given up."""

Groups = Sequence[tuple[Claimed, ...]]


class Handing:
    """Makes calls; keeps no state but the rest that accounts need."""

    def __init__(
        self,
        pace: Pace,
        beginner: Beginner,
        settler: Settler,
        back_off: BackOff,
        meters: Meters,
        berths: AllBerths,
        watch: Watch,
        slow: SlowReceivers,
        is_left: Callable[[Planned], bool],
    ) -> None:
        self._pace = pace
        self._beginner = beginner
        self._settler = settler
        self._back_off = back_off
        self._meters = meters
        self._berths = berths
        self._watch = watch
        self._slow = slow
        self._is_left = is_left

    async def make(self, planned: Planned, place: Place) -> Groups:
        """Make the call; gives the deliveries to call again at once, one call for each group.

        The place is taken for the call, and left with the provider's answer, which is before that
        is recorded.
        """
        if self._is_left(planned) or self._slow.concern(planned.claims.values()):
            return await self._give_back(planned, 0.0)
        rest_s = self._back_off.left_s(planned.way.account.id, time.monotonic())
        if rest_s > 0:
            return await self._give_back(planned, _soon(planned, rest_s))
        limits = self._meters.of(planned.way.account.id).limits
        if limits.bind or limits.calls_in_flight is not None:
            await place.take()  # a turn or a berth that nobody can use is lost to all senders
        try:
            berth = await self._berths.of(planned.way.account.id).take(planned.message.stored.lane)
        except Later as later:
            return await self._give_back(planned, _soon(planned, later.in_s))

        def left() -> None:
            berth.leave()
            place.leave()

        try:
            return await self._make(planned, place, left)
        finally:
            berth.leave()

    async def _make(self, planned: Planned, place: Place, left: Callable[[], None]) -> Groups:
        """Make the call at its turn."""
        meter, turn = self._meters.of(planned.way.account.id), _turn_of(planned)
        try:
            at = await meter.turn(*turn)
        except Later as later:
            return await self._give_back(planned, _soon(planned, later.in_s))
        attempt = _attempt(planned, self._pace.lease_s)
        lease_ends = time.monotonic() + self._pace.lease_s
        begun = await self._begin(attempt, planned)
        if len(begun) < len(planned.claims):
            return await self._leave_out_the_lost(attempt.id, planned, begun)
        if not await place.take():
            await self._not_made(attempt.id, planned, "the sender was stopped", Then.QUEUED)
            return ()
        try:
            await meter.come(at, *turn)
        except Later as later:
            in_s = _soon(planned, later.in_s)
            await self._not_made(attempt.id, planned, str(later), Then.QUEUED, in_s)
            return ()
        if time.monotonic() + self._pace.call_timeout_s > lease_ends:
            # Frozen since the attempt was begun: another sender may hold the claim by now.
            await self._not_made(attempt.id, planned, "the lease was about to end", Then.QUEUED)
            return ()
        return await self._call(attempt.id, planned, left)

    async def _give_back(self, planned: Planned, in_s: float) -> Groups:
        await patiently(queue.give_back, list(planned.claims.values()), in_s)
        return ()

    async def _begin(self, attempt: NewAttempt, planned: Planned) -> set[UUID]:
        try:
            return await self._beginner.begun(attempt)
        except LedgerUnavailable:
            # Whether it was committed is not known, that no call is made is. Giving back waits
            # for the locks of a commit still under way, so that the settlement finds it.
            await patiently(queue.give_back, list(planned.claims.values()), 0.0)
            await self._not_made(attempt.id, planned, "the ledger was lost", Then.QUEUED)
            return set()
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, it is held
            _log.exception("ALARM attempt %s cannot be written, its mail is held", attempt.id)
            why = f"the attempt cannot be recorded: {type(error).__name__}"
            await patiently(queue.put_on_hold, list(planned.claims.values()), "render_failed", why)
            return set()

    async def _leave_out_the_lost(
        self, attempt_id: UUID, planned: Planned, begun: set[UUID]
    ) -> Groups:
        """Some are not ours any more: the call as recorded is not made, the rest make a new one."""
        if not begun:
            return ()
        await self._not_made(attempt_id, planned, "part of the batch was taken away", Then.AGAIN)
        return (tuple(one for one in planned.claims.values() if one.delivery_id in begun),)

    async def _not_made(
        self, attempt_id: UUID, planned: Planned, why: str, then: Then, in_s: float = 0.0
    ) -> None:
        settlement = not_made(attempt_id, planned.claims, why, then, _now(), in_s)
        await self._settler.settled(settlement)

    async def _call(self, attempt_id: UUID, planned: Planned, left: Callable[[], None]) -> Groups:
        account = planned.way.account
        call, called_at = self._watch.begin(account.id), _now()
        reply = await self._hand_over(attempt_id, planned)
        self._watch.ended(call, reply)
        left()
        await self._heard(account.id, reply)
        if reply.slowed:
            slowed = [planned.claims[id].recipient for id in reply.slowed if id in planned.claims]
            await self._slow.heard(account.simulated, slowed, called_at)
        if reply.kind is ReplyKind.ACCOUNT_STOPPED:
            # Until all senders have read that it is stopped, nobody here calls it.
            self._back_off.rest(account.id, time.monotonic() + _STOPPED_REST_S)
            await patiently(accounts.stop, account.id, _why_stopped(reply))
            _log.error("ALARM account %s is stopped: %s", account.name, reply.status or reply.error)
        moment = Moment(_now(), random.random())  # noqa: S311 - spreads tries, keeps no secret
        due_at = planned.message.due_at
        if reply.retry_after_s is not None:
            reply = replace(reply, retry_after_s=_soon(planned, reply.retry_after_s))
        ending = ending_of(attempt_id, planned.claims, due_at, reply, moment)
        await self._settler.settled(ending.settlement)
        return ending.again

    async def _heard(self, account_id: int, reply: Reply) -> None:
        """Let all senders know when the account is in trouble, or has no calls left."""
        now, meter = time.monotonic(), self._meters.of(account_id)
        if meter.limits.calls_per_s is not None:
            # Its turns keep it below the limit; a rest after the last of them would halve that.
            reply = replace(reply, rest_s=None)
        self._back_off.heard(account_id, reply, now)
        if concerns_account(reply) or reply.rest_s is not None:
            rest_s = self._back_off.left_s(account_id, now)
            observed = meter.observed_per_s() if is_throttling(reply) else None
            await patiently(paces.slow, account_id, rest_s, observed)

    async def _hand_over(self, attempt_id: UUID, planned: Planned) -> Reply:
        timeout_s = self._pace.call_timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                return await planned.way.carrier.hand_over(planned.way.account, planned.call)
        except TimeoutError:
            return Reply(ReplyKind.UNKNOWN, error=f"no answer within {timeout_s:g} s")
        except Exception as error:  # noqa: BLE001 - a carrier's fault must not lose the attempt
            _log.exception("ALARM road %s failed in attempt %s", planned.way.road.name, attempt_id)
            return Reply(ReplyKind.UNKNOWN, error=f"the carrier failed: {type(error).__name__}")


def _soon(planned: Planned, in_s: float) -> float:
    """The seconds to wait, which are few where another account may take over meanwhile."""
    return min(in_s, _ELSEWHERE_S) if planned.others else in_s


def _turn_of(planned: Planned) -> tuple[Lane, int]:
    """What the meter needs to know of the call."""
    return planned.message.stored.lane, len(planned.claims)


def _attempt(planned: Planned, lease_s: float) -> NewAttempt:
    now, call = _now(), planned.call
    handovers = [
        NewHandover(copy.handover_id, one.delivery_id, one.fence, start, length)
        for copy, (start, length) in zip(call.copies, call.slices, strict=True)
        for one in (planned.claims[copy.handover_id],)
    ]
    return NewAttempt(
        id=uuid7(now),
        message_id=planned.message.stored.message_id,
        account_id=planned.way.account.id,
        road=planned.way.road.name,
        begun_at=now,
        segments=call.segments,
        shared=call.shared,
        handovers=handovers,
        lease_s=lease_s,
        changes=call.changes,
    )


def _why_stopped(reply: Reply) -> str:
    said = reply.body.decode("utf-8", "replace")
    return " ".join(str(part) for part in (reply.status, reply.error, said) if part)


def _now() -> datetime:
    return datetime.now(UTC)
