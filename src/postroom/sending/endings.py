"""What an answer means for the deliveries of the call: recorded, and called again or not."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from postroom.domain import retry
from postroom.domain.delivery import Outcome
from postroom.ledger.queue import Claimed
from postroom.ledger.settlements import HandoverResult, Settlement, Then
from postroom.providers.base import Refusal, Reply, ReplyKind
from postroom.sending.halving import halves

_TRIES_MIN = 10
"""So that an old mail that was only now released from a hold is given an hour of tries too."""

Claims = Mapping[UUID, Claimed]
"""The deliveries of one call by hand-over id."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a call ended."""

    settlement: Settlement
    again: tuple[tuple[Claimed, ...], ...] = ()
    """Deliveries that stay ours and are called again at once, one call for each group."""


_OUTCOMES: dict[ReplyKind, tuple[Outcome, Then]] = {
    ReplyKind.TAKEN: (Outcome.TAKEN, Then.HANDED),
    ReplyKind.TRY_LATER: (Outcome.NOT_TAKEN, Then.QUEUED),
    ReplyKind.REFUSED: (Outcome.NOT_TAKEN, Then.AGAIN),
    ReplyKind.UNKNOWN: (Outcome.UNKNOWN, Then.HANDED),
    ReplyKind.ACCOUNT_STOPPED: (Outcome.NOT_TAKEN, Then.QUEUED),
}
"""What each kind of answer means for a hand-over that it does not name."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When an answer came, and the chance that spreads the next tries of one instant."""

    now: datetime
    chance: float
    """In [0, 1)."""


def ending_of(
    attempt_id: UUID, claims: Claims, due_at: datetime, reply: Reply, moment: Moment
) -> Ending:
    """The ending that an answer makes; `due_at` is when the mail was first to be sent."""
    outcome, then = _OUTCOMES[reply.kind]
    refused = _refused(claims, reply)
    if refused and then is Then.QUEUED and not reply.retry_after_s:
        # Only those named stood in the way of the others.
        then = Then.AGAIN
    refused |= _given_up(claims, due_at, reply, moment.now)
    call_id = _only(reply.message_ids.values())
    own_ids = reply.message_ids if call_id is None else {}
    results = []
    for id, one in claims.items():
        if id in refused:
            results.append(_rejected(id, one, refused[id]))
        elif id in reply.message_ids:
            results.append(_taken(id, one, own_ids.get(id)))
        elif id in reply.later or then is Then.QUEUED:
            results.append(_queued(id, one, _retry_at(reply, one, moment)))
        else:
            results.append(HandoverResult(id, one.delivery_id, one.fence, outcome, then))
    whole = Outcome.REFUSED if len(refused) == len(claims) else outcome
    settlement = _settlement(attempt_id, reply, whole, results, moment.now, call_id)
    named = refused.keys() | reply.later | reply.message_ids.keys()
    left = [one for id, one in claims.items() if id not in named]
    return Ending(settlement, _groups(left, named=bool(refused)) if then is Then.AGAIN else ())


def _only(ids: Iterable[str]) -> str | None:
    """The id that the whole call shares; None when there are several or none."""
    distinct = set(ids)
    return distinct.pop() if len(distinct) == 1 else None


def not_made(
    attempt_id: UUID, claims: Claims, why: str, then: Then, now: datetime, in_s: float = 0.0
) -> Settlement:
    """The settlement of an attempt that was begun and never called; queued ones are due `in_s`."""
    retry_at = now + timedelta(seconds=in_s) if then is Then.QUEUED else None
    results = [
        HandoverResult(id, one.delivery_id, one.fence, Outcome.NOT_TAKEN, then, retry_at)
        for id, one in claims.items()
    ]
    reply = Reply(ReplyKind.TRY_LATER, error=why)
    return _settlement(attempt_id, reply, Outcome.NOT_TAKEN, results, now, None)


def _refused(claims: Claims, reply: Reply) -> dict[UUID, Refusal]:
    """The hand-overs that end refused: the named ones, or the only one of the call."""
    named = {id: why for id, why in reply.refused.items() if id in claims}
    if not named and reply.kind is ReplyKind.REFUSED and len(claims) == 1:
        text = reply.body.decode("utf-8", "replace") or reply.error or ""
        return {id: Refusal("provider_refused", text, reply.status) for id in claims}
    return named


def _groups(left: Sequence[Claimed], named: bool) -> tuple[tuple[Claimed, ...], ...]:
    """The others of a refused call go again together; where nobody was named, in halves."""
    if not left:
        return ()
    return (tuple(left),) if named else halves(left)


def _taken(id: UUID, one: Claimed, provider_message_id: str | None) -> HandoverResult:
    """Of one that the answer gives an id: taken, whatever became of the others."""
    taken, handed = Outcome.TAKEN, Then.HANDED
    return HandoverResult(
        id, one.delivery_id, one.fence, taken, handed, provider_message_id=provider_message_id
    )


def _rejected(id: UUID, one: Claimed, why: Refusal) -> HandoverResult:
    return HandoverResult(
        id,
        one.delivery_id,
        one.fence,
        Outcome.REFUSED,
        Then.HANDED,
        reason=why.reason,
        text=why.text,
        reply_code=why.reply_code,
        enhanced_code=why.enhanced_code,
    )


def _queued(id: UUID, one: Claimed, retry_at: datetime) -> HandoverResult:
    not_taken = Outcome.NOT_TAKEN
    return HandoverResult(id, one.delivery_id, one.fence, not_taken, Then.QUEUED, retry_at)


def _settlement(
    attempt_id: UUID,
    reply: Reply,
    outcome: Outcome,
    results: Sequence[HandoverResult],
    now: datetime,
    call_id: str | None,
) -> Settlement:
    return Settlement(
        attempt_id=attempt_id,
        ended_at=now,
        outcome=outcome,
        status=reply.status,
        headers=reply.headers,
        body=reply.body,
        error=reply.error,
        provider_message_id=call_id,
        results=results,
    )


def _given_up(claims: Claims, due_at: datetime, reply: Reply, now: datetime) -> dict[UUID, Refusal]:
    """Those that have been told `later` for so long that there is no point in another try."""
    told_later = claims.keys() if reply.kind is ReplyKind.TRY_LATER else reply.later
    text = reply.body.decode("utf-8", "replace") or reply.error or ""
    return {
        id: Refusal(retry.GAVE_UP_REASON, text, reply.status)
        for id, one in claims.items()
        if id in told_later
        and one.tries + 1 >= _TRIES_MIN
        and retry.gives_up(one.lane, due_at, now)
    }


def _retry_at(reply: Reply, one: Claimed, moment: Moment) -> datetime:
    wait_s = retry.wait_s(one.lane, one.tries + 1, moment.chance, reply.retry_after_s)
    return moment.now + timedelta(seconds=wait_s)
