"""Attempts: committed before the call, settled after it, and found again when nobody settled them.

Whatever is written about a claim carries the claim's fence, so that a sender which lost its lease
cannot write.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from postroom.domain.delivery import OUTCOME_VERDICTS, Outcome
from postroom.ledger import application_limits, blobs, flow, guard
from postroom.ledger.blobs import BlobRun, pack_segments
from postroom.ledger.copying import copy_rows, json_text
from postroom.ledger.db import Connection, transaction
from postroom.ledger.fences import by_fence
from postroom.ledger.folding import refold
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
        renewed = _renew_all(conn, attempts)
        begun = [{h.delivery_id for h in one.handovers} & renewed for one in attempts]
        _write(conn, [_as_begun(*pair) for pair in zip(attempts, begun, strict=True) if pair[1]])
        return begun


def _renew_all(conn: Connection, attempts: Sequence[NewAttempt]) -> set[UUID]:
    """The deliveries whose claim still stands; their leases run anew."""
    lease_s = max((one.lease_s for one in attempts), default=0.0)
    renewed: set[UUID] = set()
    for fence, ids in by_fence(h for one in attempts for h in one.handovers):
        _stop_decided(conn, ids, fence)
        _put_back(conn, ids, fence)
        renewed |= _renew(conn, ids, fence, lease_s)
    return renewed


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


def _stop_decided(conn: Connection, ids: list[UUID], fence: int) -> None:
    """A resend whose first attempt was heard of between claim and begin is not made."""
    conn.execute(
        "UPDATE delivery SET stage = 'handed', lease_until = NULL, changed_at = now()"
        " WHERE id = ANY(%s) AND stage = 'submitting' AND fence = %s"
        "   AND verdict IS NOT NULL AND verdict NOT IN ('indeterminate', 'unconfirmed')",
        (ids, fence),
    )


def _put_back(conn: Connection, ids: list[UUID], fence: int) -> None:
    """What was paused or ran out between claim and begin goes back to the queue."""
    stopped = conn.execute(
        "UPDATE delivery SET stage = 'queued', lease_until = NULL, changed_at = now()"
        " WHERE id = ANY(%s) AND stage = 'submitting' AND fence = %s"
        "   AND (expires_at <= now()"
        "        OR application_id IN (SELECT id FROM application WHERE paused_at IS NOT NULL)"
        "        OR communication_id IN"
        "           (SELECT id FROM communication WHERE paused_at IS NOT NULL))"
        " RETURNING id",
        (ids, fence),
    ).fetchall()
    application_limits.give_back(conn, [id for (id,) in stopped])


def _renew(conn: Connection, ids: list[UUID], fence: int, lease_s: float) -> set[UUID]:
    rows = conn.execute(
        "UPDATE delivery"
        "   SET tries = tries + 1, verdict = NULL, silent_since = NULL,"
        "       lease_until = now() + make_interval(secs => %s)"
        " WHERE id = ANY(%s) AND stage = 'submitting' AND fence = %s AND lease_until > now()"
        " RETURNING id",
        (lease_s, ids, fence),
    )
    return {id for (id,) in rows}


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
        taken, in_doubt, handed = [], [], []
        results: list[HandoverResult] = []
        for settlement in settlements:
            call = _close(conn, settlement)
            if call is not None:
                _settle_handovers(conn, settlement)
                results += settlement.results
                outcomes = Counter(result.outcome for result in settlement.results)
                taken.append((*call, outcomes[Outcome.TAKEN]))
                handed.append((settlement.attempt_id, outcomes[Outcome.TAKEN]))
                if outcomes[Outcome.UNKNOWN]:
                    in_doubt.append(settlement.attempt_id)
        returned = _move(conn, results)
        # Last, because many write these counters and hold them until their commit.
        application_limits.give_back(conn, returned)
        flow.count_taken_after_all(conn, in_doubt)
        flow.count_taken(conn, taken)
        guard.count_handed(conn, handed)


def _indexable(provider_message_id: str | None) -> str | None:
    """The provider's id, unless it is longer than any honest one and no index would take it."""
    id = provider_message_id
    return id if id is not None and len(id) <= PROVIDER_ID_LENGTH_MAX else None


def _close(conn: Connection, settlement: Settlement) -> tuple[int, datetime] | None:
    """Account and begin of the call, which has ended now; None when it was closed before."""
    return conn.execute(
        "UPDATE attempt"
        "   SET ended_at = %s, outcome = %s, response_status = %s, response_headers = %s,"
        "       response_body = %s, error = %s, provider_message_id = %s"
        " WHERE id = %s AND ended_at IS NULL"
        " RETURNING account_id, begun_at",
        (
            settlement.ended_at,
            settlement.outcome,
            settlement.status,
            json_text(dict(settlement.headers)),
            settlement.body,
            settlement.error,
            _indexable(settlement.provider_message_id),
            settlement.attempt_id,
        ),
    ).fetchone()


def _settle_handovers(conn: Connection, settlement: Settlement) -> None:
    """Only where a hand-over has more to say than the call it was part of."""
    own = [
        (
            settlement.ended_at,
            result.outcome,
            _indexable(result.provider_message_id),
            result.reason,
            result.text,
            result.reply_code,
            result.enhanced_code,
            result.handover_id,
        )
        for result in settlement.results
        if result.outcome is not settlement.outcome or result.provider_message_id or result.text
    ]
    if own:
        with conn.cursor() as cursor:
            cursor.executemany(
                "UPDATE handover"
                "   SET settled_at = %s, outcome = %s, provider_message_id = %s, reason = %s,"
                "       reason_text = %s, reply_code = %s, enhanced_code = %s"
                " WHERE id = %s AND settled_at IS NULL",
                own,
            )


def _move(conn: Connection, results: Sequence[HandoverResult]) -> list[UUID]:
    """Move the deliveries of all calls on; those that wait in the queue again."""
    groups: dict[tuple[int, Then, Outcome, datetime | None], list[UUID]] = {}
    for result in results:
        group = (result.fence, result.then, result.outcome, result.retry_at)
        groups.setdefault(group, []).append(result.delivery_id)
    unclear: list[UUID] = []
    returned: list[UUID] = []
    for (fence, then, outcome, retry_at), ids in groups.items():
        moved = _move_group(conn, ids, fence, then, outcome, retry_at)
        unclear += [id for id, is_clear in moved.items() if not is_clear]
        returned += moved if then is Then.QUEUED else ()
    refold(conn, unclear)
    _fold_what_moved_before(conn, [one.delivery_id for one in results if one.then is Then.QUEUED])
    return returned


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


def _move_group(
    conn: Connection,
    ids: list[UUID],
    fence: int,
    then: Then,
    outcome: Outcome,
    retry_at: datetime | None,
) -> dict[UUID, bool]:
    """Move deliveries of one outcome; those that were ours, and whether their verdict is clear.

    Where this is the first attempt and no event was heard before (`verdict` is still null), the
    fold can only give the outcome's own verdict, which is written here for the whole set. A
    refusal is folded always: it brings its reason.
    """
    plain = None if then is not Then.HANDED else str(OUTCOME_VERDICTS[outcome])
    rows = conn.execute(
        "UPDATE delivery"
        "   SET stage = %(then)s, changed_at = now(),"
        "       lease_until = CASE WHEN %(then)s = 'submitting' THEN lease_until END,"
        "       due_at = COALESCE(%(retry_at)s, due_at),"
        "       silent_since = CASE WHEN verdict IS NULL AND %(then)s = 'handed' THEN now()"
        "                           ELSE silent_since END,"
        "       verdict = CASE WHEN verdict IS NULL AND tries = 1 THEN %(plain)s ELSE verdict END"
        " WHERE id = ANY(%(ids)s) AND stage = 'submitting' AND fence = %(fence)s"
        " RETURNING id, tries = 1 AND decided_by IS NULL"
        "           AND verdict IS NOT DISTINCT FROM %(plain)s",
        {"then": then, "retry_at": retry_at, "plain": plain, "ids": ids, "fence": fence},
    ).fetchall()
    return {id: clear and outcome is not Outcome.REFUSED for id, clear in rows}
