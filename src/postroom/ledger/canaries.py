"""Canaries on record: what goes first, what became of it, and the rest that waits for it."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass
from uuid import UUID

from postroom.domain.canary import Decision, Plan, Seen, decide
from postroom.domain.delivery import FINAL, EventType, Stage
from postroom.ledger.db import Connection, connection, transaction
from postroom.ledger.drafts import Draft
from postroom.ledger.ids import bounds
from postroom.ledger.local_events import move

WAITS, STAYS = "canary", "canary_stopped"
"""Reasons of the deliveries that are held for it: no decision yet, and decided against."""

_AT_ONCE = 20
"""Canaries that one step looks at."""
_FINAL = ", ".join(f"'{verdict}'" for verdict in FINAL)
_SEEN = f"""
SELECT count(*) FILTER (WHERE stage NOT IN ('suppressed', 'rejected', 'cancelled', 'expired')),
       count(*) FILTER (WHERE stage = 'handed'),
       count(*) FILTER (WHERE stage = 'handed' AND verdict IN ({_FINAL})),
       count(*) FILTER (WHERE stage = 'handed' AND verdict IN ('bounced', 'rejected')),
       count(*) FILTER (WHERE complained_at IS NOT NULL),
       COALESCE(extract(epoch FROM now() - (
           SELECT max(begun_at) FROM handover
            WHERE delivery_id = ANY(%(ids)s::uuid[])
              AND handover.id BETWEEN %(low)s AND %(high)s))::float8, 0)
  FROM delivery
 WHERE id = ANY(%(ids)s::uuid[])
"""


@dataclass(frozen=True, slots=True)
class _Open:
    """A canary that is not done with."""

    message_id: UUID
    chosen: list[UUID]
    plan: Plan
    decision: Decision
    why: str | None


def keep(conn: Connection, drafts: Iterable[Draft]) -> None:
    """Write the canaries of new messages."""
    for draft in drafts:
        if draft.new.canary is not None:
            going = zip(draft.delivery_ids, draft.outcomes, strict=True)
            first = [id for id, (stage, _, _) in going if stage in (Stage.QUEUED, Stage.SCHEDULED)]
            conn.execute(
                "INSERT INTO canary (message_id, chosen, share, wait_s, bounces_max,"
                "                    complaints_max)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (draft.id, first, *astuple(draft.new.canary)),
            )


def look(limit: int) -> int:
    """How many deliveries were moved by what canaries have shown; at most `limit` of each."""
    return sum(_look_at(id, limit) for id in _some_open())


def _some_open() -> list[UUID]:
    """Those that have decided, then some of the others: any that waits for long keeps none back."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT message_id FROM canary WHERE NOT done"
            " ORDER BY decision = 'wait', random() LIMIT %s",
            (_AT_ONCE,),
        ).fetchall()
    return [id for (id,) in rows]


def _look_at(message_id: UUID, limit: int) -> int:
    with transaction() as conn:
        row = conn.execute(
            "SELECT message_id, chosen, share, wait_s, bounces_max, complaints_max, decision, why"
            "  FROM canary WHERE message_id = %s AND NOT done FOR UPDATE SKIP LOCKED",
            (message_id,),
        ).fetchone()
        if row is None:
            return 0
        id, chosen, *plan, decision, why = row
        return _look(conn, _Open(id, chosen, Plan(*plan), Decision(decision), why), limit)


def _look(conn: Connection, one: _Open, limit: int) -> int:
    decision, why = one.decision, one.why
    if decision is Decision.WAIT:
        decision, why = decide(one.plan, _seen(conn, one.chosen))
        if decision is Decision.WAIT:
            return 0
        conn.execute(
            "UPDATE canary SET decision = %s, why = %s WHERE message_id = %s",
            (decision, why, one.message_id),
        )
    moved = _release(conn, one, limit) if decision is Decision.GO else _stay(conn, one, why, limit)
    if moved < limit:
        conn.execute("UPDATE canary SET done = true WHERE message_id = %s", (one.message_id,))
    return moved


def _seen(conn: Connection, chosen: list[UUID]) -> Seen:
    low, high = bounds(chosen) if chosen else (None, None)
    (row,) = conn.execute(_SEEN, {"ids": chosen, "low": low, "high": high}).fetchall()
    count, handed, final, failed, complained, since_s = row
    return Seen(count, handed, final, failed, complained, since_s if handed == count else 0.0)


def _release(conn: Connection, one: _Open, limit: int) -> int:
    return conn.execute(
        move(
            EventType.RELEASED,
            "reason = NULL, reason_text = NULL,"
            " stage = CASE WHEN due_at > now() THEN 'scheduled' ELSE 'queued' END",
            _THESE,
        ),
        (one.message_id, WAITS, limit, None, None),
    ).rowcount


def _stay(conn: Connection, one: _Open, why: str | None, limit: int) -> int:
    return conn.execute(
        move(EventType.HELD, "reason = %s, reason_text = %s", _THESE),
        (STAYS, why, one.message_id, WAITS, limit, STAYS, why),
    ).rowcount


_THESE = (
    "id = ANY(ARRAY("
    "   SELECT id FROM delivery"
    "    WHERE message_id = %s AND stage = 'held' AND reason = %s"
    "    ORDER BY id LIMIT %s FOR UPDATE))"
)
