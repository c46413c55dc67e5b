"""Attempts: committed before the call, settled after it, and found again when nobody settled them.

Whatever is written about a claim carries the claim's fence, so that a sender which lost its lease
cannot write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from postroom.domain.delivery import OUTCOME_VERDICTS, Outcome, Stage
from postroom.ledger import application_limits, blobs, flow, guard
from postroom.ledger.blobs import BlobRun, pack_segments
from postroom.ledger.copying import copy_rows
from postroom.ledger.db import Connection, transaction
from postroom.ledger.folding import refold
from postroom.ledger.recordset import rows_json, rows_of
from postroom.ledger.retrying import again_on_deadlock


@dataclass(frozen=True, slots=True)
class NewHandover:
    """One delivery in an attempt; `start` and `length` are its own slice of the request."""

    id: UUID
    delivery_id: UUID
    fence: int
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class NewAttempt:
    """One call that is about to be made."""

    id: UUID
    message_id: UUID
    account_id: int
    road: str
    begun_at: datetime
    segments: Sequence[bytes | BlobRun] = field(repr=False)
    shared: Mapping[bytes, bytes] = field(repr=False)
    handovers: Sequence[NewHandover] = field(repr=False)
    lease_s: float
    """The lease is renewed to this length, from now."""
    changes: Sequence[str] = ()


PROVIDER_ID_LENGTH_MAX = 500


class Then(StrEnum):
    """What becomes of a delivery after one hand-over has ended."""

    HANDED = "handed"
    """The verdict speaks."""
    QUEUED = "queued"
    """Tried again at `retry_at`."""
    AGAIN = "submitting"
    """Stays ours under the lease: the call is made again, smaller."""


@dataclass(frozen=True, slots=True)
class HandoverResult:
    """How one hand-over ended."""

    handover_id: UUID
    delivery_id: UUID
    fence: int
    outcome: Outcome
    then: Then
    retry_at: datetime | None = None
    provider_message_id: str | None = None
    reason: str | None = None
    text: str | None = None
    reply_code: int | None = None
    enhanced_code: str | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a call ended."""

    attempt_id: UUID
    ended_at: datetime
    outcome: Outcome
    """The outcome of every hand-over whose own result does not say otherwise."""
    status: int | None
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    error: str | None
    provider_message_id: str | None
    results: Sequence[HandoverResult] = field(repr=False)


@again_on_deadlock
def begin(attempts: Sequence[NewAttempt]) -> list[set[UUID]]:
    """For each attempt, the deliveries that are really ours to hand over now.

    The others must leave the call: their lease was lost, or another attempt turned out to have
    reached the provider meanwhile. With an empty set no attempt was written. With some left out
    the call as it was built must not be made, for it is addressed to them too: the attempt is
    recorded without its request and waits to be settled. No delivery is in two of the attempts.
    """
    with transaction() as conn:
        renewed = _renew(conn, attempts)
        begun = [{h.delivery_id for h in one.handovers} & renewed for one in attempts]
        _write(conn, [_as_begun(*pair) for pair in zip(attempts, begun, strict=True) if pair[1]])
        return begun


# One row for each claim: what was decided of meanwhile ends (a resend whose first attempt was heard
# of), what was paused or ran out goes back to the queue, the others are begun under a new lease.
_DECIDED = "verdict IS NOT NULL AND verdict NOT IN ('indeterminate', 'unconfirmed')"
_STOPPED = (
    "COALESCE(expires_at <= now(), false)"
    " OR application_id IN (SELECT id FROM application WHERE paused_at IS NOT NULL)"
    " OR COALESCE(communication_id IN"
    "       (SELECT id FROM communication WHERE paused_at IS NOT NULL), false)"
)
_STAGE = f"CASE WHEN {_DECIDED} THEN 'handed' WHEN {_STOPPED} THEN 'queued' ELSE stage END"
_IS_BEGUN = f"({_STAGE}) = 'submitting'"
_CLAIM = {"claimed_id": "uuid", "claimed_fence": "bigint"}
_BEGIN = f"""
UPDATE delivery
   SET stage = {_STAGE},
       lease_until = CASE WHEN {_IS_BEGUN} THEN now() + make_interval(secs => %s) END,
       changed_at = CASE WHEN {_IS_BEGUN} THEN changed_at ELSE now() END,
       tries = CASE WHEN {_IS_BEGUN} THEN tries + 1 ELSE tries END,
       verdict = CASE WHEN {_IS_BEGUN} THEN NULL ELSE verdict END,
       silent_since = CASE WHEN {_IS_BEGUN} THEN NULL ELSE silent_since END
  FROM {rows_of(_CLAIM, "claim")}
 WHERE id = claimed_id AND id = ANY(%s) AND fence = claimed_fence AND stage = 'submitting'
   AND (lease_until > now() OR {_DECIDED} OR {_STOPPED})
RETURNING id, stage
"""


def _renew(conn: Connection, attempts: Sequence[NewAttempt]) -> set[UUID]:
    """The deliveries whose claim still stands; their leases run anew."""
    claims = [(one.delivery_id, one.fence) for each in attempts for one in each.handovers]
    lease_s = max((one.lease_s for one in attempts), default=0.0)
    rows = conn.execute(
        _BEGIN, (lease_s, rows_json(_CLAIM, claims), [id for id, _ in claims])
    ).fetchall()
    application_limits.give_back(conn, [id for id, stage in rows if stage == Stage.QUEUED])
    return {id for id, stage in rows if stage == Stage.SUBMITTING}


def _as_begun(attempt: NewAttempt, begun: set[UUID]) -> NewAttempt:
    """The attempt as it is recorded: without its request where some had to be left out."""
    if len(begun) == len(attempt.handovers):
        return attempt
    left = [
        replace(handover, start=0, length=0)
        for handover in attempt.handovers
        if handover.delivery_id in begun
    ]
    return replace(attempt, segments=(), shared={}, handovers=left)


_ATTEMPT_COLUMNS = (
    "id",
    "message_id",
    "account_id",
    "road",
    "recipients",
    "begun_at",
    "request_segments",
    "changes",
)
_HANDOVER_COLUMNS = (
    "id",
    "delivery_id",
    "attempt_id",
    "account_id",
    "fence",
    "begun_at",
    "request_start",
    "request_length",
)


def _write(conn: Connection, attempts: Sequence[NewAttempt]) -> None:
    if not attempts:
        return
    blobs.keep(conn, [(one.message_id, one.shared) for one in attempts])
    copy_rows(conn, "attempt", _ATTEMPT_COLUMNS, map(_attempt_row, attempts))
    copy_rows(
        conn,
        "handover",
        _HANDOVER_COLUMNS,
        (_handover_row(one, handover) for one in attempts for handover in one.handovers),
    )


def _attempt_row(one: NewAttempt) -> tuple[object, ...]:
    return (
        one.id,
        one.message_id,
        one.account_id,
        one.road,
        len(one.handovers),
        one.begun_at,
        pack_segments(one.segments),
        list(one.changes),
    )


def _handover_row(one: NewAttempt, handover: NewHandover) -> tuple[object, ...]:
    return (
        handover.id,
        handover.delivery_id,
        one.id,
        one.account_id,
        handover.fence,
        one.begun_at,
        handover.start,
        handover.length,
    )


@again_on_deadlock
def settle(settlements: Sequence[Settlement]) -> None:
    """Record how calls ended and move their deliveries on; late settlements change nothing.

    A settlement is late when the lease ran out and the attempt was closed as unknown: the
    provider's own events will tell what became of it.
    """
    with transaction() as conn:
        calls = _close(conn, settlements)
        ours = [one for one in settlements if one.attempt_id in calls]
        _settle_handovers(conn, ours)
        returned = _move(conn, [result for one in ours for result in one.results])
        # Last, because many write these counters and hold them until their commit.
        application_limits.give_back(conn, returned)
        in_doubt = [one.attempt_id for one in ours if _count(one, Outcome.UNKNOWN)]
        taken = [(one.attempt_id, _count(one, Outcome.TAKEN)) for one in ours]
        flow.count_taken_after_all(conn, in_doubt)
        flow.count_taken(conn, [(*calls[id], count) for id, count in taken])
        guard.count_handed(conn, taken)


def _count(settlement: Settlement, outcome: Outcome) -> int:
    """Hand-overs of the call that ended so."""
    return sum(result.outcome is outcome for result in settlement.results)


def _indexable(provider_message_id: str | None) -> str | None:
    """The provider's id, unless it is longer than any honest one and no index would take it."""
    id = provider_message_id
    return id if id is not None and len(id) <= PROVIDER_ID_LENGTH_MAX else None


_CLOSED = {
    "attempt_id": "uuid",
    "new_ended_at": "timestamptz",
    "new_outcome": "text",
    "status": "int",
    "headers": "jsonb",
    "body": "bytea",
    "new_error": "text",
    "provider_id": "text",
}
_CLOSE = f"""
UPDATE attempt
   SET ended_at = new_ended_at, outcome = new_outcome, response_status = status,
       response_headers = headers, response_body = body, error = new_error,
       provider_message_id = provider_id
  FROM {rows_of(_CLOSED, "closed")}
 WHERE id = attempt_id AND id = ANY(%s) AND ended_at IS NULL
RETURNING id, account_id, begun_at
"""


def _close(conn: Connection, settlements: Sequence[Settlement]) -> dict[UUID, tuple[int, datetime]]:
    """Account and begin of each call that has ended now, and was not closed before."""
    closed = [
        (
            one.attempt_id,
            one.ended_at,
            one.outcome,
            one.status,
            dict(one.headers),
            one.body,
            one.error,
            _indexable(one.provider_message_id),
        )
        for one in settlements
    ]
    rows = conn.execute(
        _CLOSE, (rows_json(_CLOSED, closed), [one.attempt_id for one in settlements])
    )
    return {id: (account_id, begun_at) for id, account_id, begun_at in rows}


_SETTLED = {
    "handover_id": "uuid",
    "new_settled_at": "timestamptz",
    "new_outcome": "text",
    "provider_id": "text",
    "new_reason": "text",
    "new_text": "text",
    "new_reply_code": "int",
    "new_enhanced_code": "text",
}
_SETTLE = f"""
UPDATE handover
   SET settled_at = new_settled_at, outcome = new_outcome, provider_message_id = provider_id,
       reason = new_reason, reason_text = new_text, reply_code = new_reply_code,
       enhanced_code = new_enhanced_code
  FROM {rows_of(_SETTLED, "settled")}
 WHERE id = handover_id AND id = ANY(%s) AND settled_at IS NULL
"""


def _settle_handovers(conn: Connection, settlements: Sequence[Settlement]) -> None:
    """Only where a hand-over has more to say than the call it was part of."""
    own = [
        (
            result.handover_id,
            one.ended_at,
            result.outcome,
            _indexable(result.provider_message_id),
            result.reason,
            result.text,
            result.reply_code,
            result.enhanced_code,
        )
        for one in settlements
        for result in one.results
        if result.outcome is not one.outcome or result.provider_message_id or result.text
    ]
    if own:
        conn.execute(_SETTLE, (rows_json(_SETTLED, own), [row[0] for row in own]))


# Where this is the first attempt and no event was heard before (`verdict` is still null), the fold
# can only give the outcome's own verdict, which is written here for the whole set.
_MOVED = {
    "delivery_id": "uuid",
    "claimed_fence": "bigint",
    "new_stage": "text",
    "plain": "text",
    "retry_at": "timestamptz",
}
_MOVE = f"""
UPDATE delivery
   SET stage = new_stage, changed_at = now(),
       lease_until = CASE WHEN new_stage = 'submitting' THEN lease_until END,
       due_at = COALESCE(retry_at, due_at),
       silent_since = CASE WHEN verdict IS NULL AND new_stage = 'handed' THEN now()
                           ELSE silent_since END,
       verdict = CASE WHEN verdict IS NULL AND tries = 1 THEN plain ELSE verdict END
  FROM {rows_of(_MOVED, "moved")}
 WHERE id = delivery_id AND id = ANY(%s) AND stage = 'submitting' AND fence = claimed_fence
RETURNING id, tries = 1 AND decided_by IS NULL AND verdict IS NOT DISTINCT FROM plain
"""


def _move(conn: Connection, results: Sequence[HandoverResult]) -> list[UUID]:
    """Move the deliveries of all calls on; those that wait in the queue again."""
    if not results:
        return []
    rows = rows_json(_MOVED, map(_moved_row, results))
    moved: dict[UUID, bool] = dict(
        conn.execute(_MOVE, (rows, [one.delivery_id for one in results])).fetchall()
    )
    ours = [one for one in results if one.delivery_id in moved]
    # A refusal is folded always: it brings its reason.
    refold(
        conn,
        [
            one.delivery_id
            for one in ours
            if one.outcome is Outcome.REFUSED or not moved[one.delivery_id]
        ],
    )
    _fold_what_moved_before(conn, [one.delivery_id for one in results if one.then is Then.QUEUED])
    return [one.delivery_id for one in ours if one.then is Then.QUEUED]


def _moved_row(result: HandoverResult) -> tuple[object, ...]:
    plain = OUTCOME_VERDICTS[result.outcome] if result.then is Then.HANDED else None
    return (result.delivery_id, result.fence, result.then, plain, result.retry_at)


def _fold_what_moved_before(conn: Connection, ids: list[UUID]) -> None:
    """Deliveries that were given back before this attempt was closed: what an earlier attempt
    left in doubt must be seen again."""
    if not ids:
        return
    rows = conn.execute(
        "SELECT id FROM delivery"
        " WHERE id = ANY(%s) AND stage = 'queued' AND verdict IS NULL AND tries > 1"
        " ORDER BY id FOR NO KEY UPDATE",
        (ids,),
    ).fetchall()
    refold(conn, [id for (id,) in rows])
