"""Attempts: committed before the call, and found again when nobody settled them.

Whatever is written about a claim carries the claim's fence, so that a sender which lost its lease
cannot write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from postroom.domain.delivery import Stage
from postroom.ledger import application_limits, blobs
from postroom.ledger.blobs import BlobRun, pack_segments
from postroom.ledger.copying import copy_rows
from postroom.ledger.db import Connection, transaction
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
