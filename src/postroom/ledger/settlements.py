"""Settlements: how calls ended, and where their deliveries stand after that.

Under the fence of the claim, as all that is written about one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from postroom.domain.delivery import OUTCOME_VERDICTS, Outcome
from postroom.ledger import application_limits, flow, guard
from postroom.ledger.db import Connection, transaction
from postroom.ledger.folding import refold
from postroom.ledger.recordset import rows_json, rows_of
from postroom.ledger.retrying import again_on_deadlock

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
