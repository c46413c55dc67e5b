"""What the guard found: one row for each cell that is near a line, or held until a person resumes.

Mail is held by the application, communication, From domain, kind and receiver of its cell, over
whatever account it would go: the list is bad, not the road.
"""

from collections.abc import Collection
from dataclasses import astuple, dataclass
from datetime import datetime
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.domain.guard import Level
from postroom.domain.guard_lines import MAILBOXES
from postroom.ledger.db import Connection, connection, transaction
from postroom.ledger.guard import FROM_DOMAIN, PRESSING
from postroom.ledger.local_events import move

HELD = "guard"
"""Reason of the deliveries that are held because of a case."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Mail that belongs together."""

    application_id: int
    communication_id: int | None
    """None: of all communications, and outside of any."""
    account_id: int
    from_domain: str
    kind: str
    is_pressing: bool
    """Somebody waits for it: urgent, or neither bulk nor marketing."""
    receiver: str | None = None
    """Only to this operator's mailboxes (a name of `MAILBOXES`), or to this domain."""


@dataclass(frozen=True, slots=True)
class Case:
    """A cell that is near a line."""

    id: int
    cell: Cell
    level: Level
    said: str
    """The figures, as they were when it came to this level."""
    began_at: datetime
    changed_at: datetime
    """Since when it is at this level."""
    simulated: bool
    application: str
    communication: str | None
    account: str


_CASES = """
SELECT guard_case.id, guard_case.application_id, communication_id, account_id, from_domain, kind,
       is_pressing, operator, level, said, began_at, changed_at, guard_case.simulated,
       application.name, communication.name, account.name
  FROM guard_case
  JOIN application ON application.id = guard_case.application_id
  JOIN account ON account.id = account_id
  LEFT JOIN communication ON communication.id = communication_id
 WHERE ended_at IS NULL
 ORDER BY level DESC, guard_case.id
"""


def standing() -> list[Case]:
    """Those that are not over, the gravest first."""
    with connection() as conn:
        rows = conn.execute(_CASES).fetchall()
    return [Case(row[0], Cell(*row[1:8]), Level(row[8]), *row[9:]) for row in rows]


# The share lock lets a person's resuming come first or after: never are facts taken up again that
# were looked at before it.
_NOTE = """
INSERT INTO guard_case AS known
       (application_id, communication_id, account_id, from_domain, kind, is_pressing, operator,
        receivers, simulated, level, said)
SELECT id, %s, %s, %s, %s, %s, %s, %s, (SELECT simulated FROM account WHERE account.id = %s),
       %s, %s
  FROM application
 WHERE id = %s AND (guard_resumed_at IS NULL OR guard_resumed_at < %s)
   FOR SHARE
    ON CONFLICT (application_id, communication_id, account_id, from_domain, kind, is_pressing,
                 operator) WHERE ended_at IS NULL
    DO UPDATE SET level = excluded.level, said = excluded.said, changed_at = now()
 WHERE known.level < excluded.level
"""


def note(cell: Cell, level: Level, said: str, seen_at: datetime) -> bool:
    """Whether this is news: the cell was at no such level, and is now.

    Nothing is noted of an application whose mail a person let go on after `seen_at`, the time of
    the database at which its counters were read.
    """
    application, *rest = astuple(cell)
    receivers = None
    if cell.receiver is not None:
        receivers = list(MAILBOXES.get(cell.receiver, (cell.receiver,)))
    values = (*rest, receivers, cell.account_id, int(level), said, application, seen_at)
    with connection() as conn:
        return conn.execute(_NOTE, values).rowcount == 1


def end(case_id: int) -> bool:
    """Whether this is news: the case stood, without holding mail, and is over."""
    with connection() as conn:
        return (
            conn.execute(
                "UPDATE guard_case SET ended_at = now()"
                " WHERE id = %s AND ended_at IS NULL AND level < %s",
                (case_id, int(Level.PAUSE)),
            ).rowcount
            == 1
        )


def resume(case_id: int, why: str) -> bool:
    """Whether this is news: the case held mail, and lets it go on, for this reason.

    What the application handed over before is counted no more: it is not held again for it.
    """
    with transaction() as conn:
        row = conn.execute(
            "UPDATE guard_case SET ended_at = now(), ended_why = %s"
            " WHERE id = %s AND ended_at IS NULL AND level = %s"
            " RETURNING application_id",
            (why, case_id, int(Level.PAUSE)),
        ).fetchone()
        if row is not None:
            conn.execute("UPDATE application SET guard_resumed_at = now() WHERE id = %s", row)
        return row is not None


_HELD_BY = f"""
    guard_case.ended_at IS NULL AND level = {int(Level.PAUSE)}
AND guard_case.simulated = delivery.simulated
AND guard_case.application_id = delivery.application_id
AND (guard_case.communication_id IS NULL OR guard_case.communication_id = delivery.communication_id)
AND guard_case.from_domain = {FROM_DOMAIN}
AND guard_case.kind = message.kind
AND guard_case.is_pressing = {PRESSING}
AND (receivers IS NULL OR split_part(recipient_key, '@', -1) = ANY(receivers))
"""


def hold_claimed(conn: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Those of these deliveries, locked by the caller, that are held instead of claimed.

    A copy that is sent because of doubt is not held: it belongs to a mail that went before.
    """
    if not conn.execute(_ANY).fetchall():
        return set()
    rows = conn.execute(
        "SELECT delivery.id, guard_case.id, said"
        "  FROM delivery"
        "  JOIN message ON message.id = message_id"
        f" JOIN guard_case ON {_HELD_BY}"
        " WHERE delivery.id = ANY(%s) AND verdict IS NULL"
        " ORDER BY guard_case.id"
        "   FOR SHARE OF guard_case",
        (list(ids),),
    ).fetchall()
    by_case: dict[tuple[int, str], list[UUID]] = {}
    for id, case, said in {row[0]: row for row in rows}.values():
        by_case.setdefault((case, said), []).append(id)
    for (case, said), held in by_case.items():
        conn.execute(_hold("id = ANY(%s)"), _because(case, said, held))
    return {id for held in by_case.values() for id in held}


_ANY = f"SELECT FROM guard_case WHERE ended_at IS NULL AND level = {int(Level.PAUSE)} LIMIT 1"


def _hold(which: str) -> str:
    return move(EventType.HELD, "stage = 'held', reason = %s, reason_text = %s", which)


def _because(case: int, said: str, *which: object) -> tuple[object, ...]:
    text = f"{said}. `postroom guard resume {case}` lets it go on."
    return (HELD, text, *which, HELD, text)


_WAITING = (
    "id = ANY(ARRAY("
    "   SELECT delivery.id"
    "     FROM delivery"
    "     JOIN message ON message.id = message_id"
    f"    JOIN guard_case ON {_HELD_BY}"
    "    WHERE guard_case.id = %s AND stage IN ('queued', 'scheduled') AND verdict IS NULL"
    "    LIMIT %s"
    "      FOR UPDATE OF delivery SKIP LOCKED))"
)


def hold_waiting(limit: int) -> int:
    """How many deliveries in the queue were held for a new case; later ones are when claimed."""
    with transaction() as conn:
        row = conn.execute(
            "SELECT id, said FROM guard_case"
            f" WHERE level = {int(Level.PAUSE)} AND ended_at IS NULL AND swept_at IS NULL"
            " ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
        ).fetchone()
        if row is None:
            return 0
        case, said = row
        moved = conn.execute(_hold(_WAITING), _because(case, said, case, limit)).rowcount
        if moved < limit:
            conn.execute("UPDATE guard_case SET swept_at = now() WHERE id = %s", (case,))
        return moved


_RELEASE = move(
    EventType.RELEASED,
    "reason = NULL, reason_text = NULL,"
    " stage = CASE WHEN due_at > now() THEN 'scheduled' ELSE 'queued' END",
    "id = ANY(ARRAY("
    "   SELECT delivery.id"
    "     FROM delivery"
    "     JOIN message ON message.id = message_id"
    f"   WHERE stage = 'held' AND reason = '{HELD}' AND delivery.application_id = %s"
    f"     AND NOT EXISTS (SELECT FROM guard_case WHERE {_HELD_BY})"
    "    ORDER BY delivery.id LIMIT %s"
    "      FOR UPDATE OF delivery SKIP LOCKED))",
)


def release(limit: int) -> int:
    """How many held deliveries go on because a person let them."""
    with transaction() as conn:
        row = conn.execute(
            "SELECT id, application_id FROM guard_case"
            f" WHERE level = {int(Level.PAUSE)} AND ended_at IS NOT NULL AND released_at IS NULL"
            " ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
        ).fetchone()
        if row is None:
            return 0
        case, application = row
        moved = conn.execute(_RELEASE, (application, limit, None, None)).rowcount
        if moved < limit:
            conn.execute("UPDATE guard_case SET released_at = now() WHERE id = %s", (case,))
        return moved
