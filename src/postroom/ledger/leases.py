"""Leases that ran out: what a lost sender left behind goes on without it."""

from uuid import UUID

from postroom.ledger import application_limits, flow
from postroom.ledger.db import Connection, transaction
from postroom.ledger.folding import refold
from postroom.ledger.ids import bounds
from postroom.ledger.retrying import again_on_deadlock


@again_on_deadlock
def sweep(limit: int) -> int:
    """How many deliveries were taken from senders whose lease ran out.

    Where a hand-over was begun under the lost claim and has no answer, the outcome is unknown and
    the verdict speaks; where none was begun, the delivery goes back to the queue.
    """
    with transaction() as conn:
        lost = list(
            conn.execute(
                "SELECT id, fence FROM delivery"
                " WHERE stage = 'submitting' AND lease_until < now()"
                " ORDER BY id"
                " LIMIT %s"
                "   FOR UPDATE SKIP LOCKED",
                (limit,),
            )
        )
        if not lost:
            return 0
        in_doubt = _unanswered(conn, lost)
        closed = _close_unanswered(conn, list(set(in_doubt.values())))
        _release_lost(conn, [id for id, _ in lost], list(in_doubt))
        application_limits.give_back(conn, {id for id, _ in lost} - in_doubt.keys())
        refold(conn, list(in_doubt))
        flow.count_taken_after_all(conn, closed)
        return len(lost)


def _unanswered(conn: Connection, lost: list[tuple[UUID, int]]) -> dict[UUID, UUID]:
    """Delivery to attempt, for those begun under the lost claim and not known to be untaken.

    That includes an attempt which an earlier sweep closed as unknown for other deliveries of it.
    """
    ids = [id for id, _ in lost]
    rows = conn.execute(
        "SELECT delivery_id, fence, attempt_id"
        "  FROM handover"
        "  JOIN attempt ON attempt.id = handover.attempt_id"
        " WHERE delivery_id = ANY(%s) AND handover.id BETWEEN %s AND %s"
        "   AND COALESCE(handover.outcome, attempt.outcome) IS DISTINCT FROM 'not_taken'",
        (ids, *bounds(ids)),
    )
    claims = set(lost)
    return {id: attempt_id for id, fence, attempt_id in rows if (id, fence) in claims}


def _close_unanswered(conn: Connection, attempt_ids: list[UUID]) -> list[UUID]:
    """Those of the attempts that were open until now."""
    rows = conn.execute(
        "UPDATE attempt SET ended_at = now(), outcome = 'unknown',"
        "       error = 'the sender was lost before it recorded an answer'"
        " WHERE id = ANY(%s) AND ended_at IS NULL"
        " RETURNING id",
        (attempt_ids,),
    )
    return [id for (id,) in rows]


def _release_lost(conn: Connection, ids: list[UUID], in_doubt: list[UUID]) -> None:
    conn.execute(
        "UPDATE delivery"
        "   SET lease_until = NULL, changed_at = now(),"
        "       stage = CASE WHEN id = ANY(%(in_doubt)s) THEN 'handed' ELSE 'queued' END,"
        "       silent_since = CASE WHEN id = ANY(%(in_doubt)s) THEN now() END"
        " WHERE id = ANY(%(ids)s)",
        {"ids": ids, "in_doubt": in_doubt},
    )
