"""Our own events, numbered per delivery: held, released, cancelled, expired, suppressed, rejected.

They are written in the same transaction as the change of stage that they record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from postroom.domain.delivery import GRADES, VERDICTS, EventType, Grade
from postroom.domain.reason import RULES_VERSION
from postroom.ledger.db import Connection
from postroom.ledger.recordset import rows_json, rows_of

FIRST = 1
BASIS = "local"


@dataclass(frozen=True, slots=True)
class NewLocalEvent:
    """One of our own events; `number` is the delivery's running number of them."""

    delivery_id: UUID
    number: int
    type: EventType
    reason: str | None = None
    text: str | None = None
    handover_id: UUID | None = None
    """Of an event about one attempt, which enters the fold; the others enter it never."""


_COLUMNS = {
    "delivery_id": "uuid",
    "digest": "bytea",
    "handover_id": "uuid",
    "provider_type": "text",
    "diagnostic": "text",
    "received_at": "timestamptz",
    "basis": "text",
    "type": "text",
    "grade": "smallint",
    "verdict": "text",
    "reason": "text",
    "rules": "smallint",
}
_NAMES = ", ".join(_COLUMNS)
_INSERT = f"INSERT INTO event ({_NAMES}) SELECT {_NAMES} FROM {rows_of(_COLUMNS, 'made')}"


def _local_digest(type: EventType, number: int) -> bytes:
    """The fact's identity within its delivery; `_DIGEST` is the same in SQL."""
    return sha256(f"local:{type}:{number}".encode()).digest()[:16]


_DIGEST = "substr(sha256(convert_to('local:' || {type} || ':' || {number}, 'UTF8')), 1, 16)"


def insert_local_events(conn: Connection, events: Sequence[NewLocalEvent], now: datetime) -> None:
    """Write events for changes that were made in this transaction."""
    if events:
        conn.execute(_INSERT, (rows_json(_COLUMNS, (_row(event, now) for event in events)),))


def insert_about_attempts(
    conn: Connection,
    type: EventType,
    handovers: Mapping[UUID, UUID],
    now: datetime,
    text: str | None = None,
) -> None:
    """Write one event for each hand-over, given by its delivery, whose row the caller has locked.

    The deliveries are to be folded after this.
    """
    numbers = conn.execute(
        "UPDATE delivery SET local_events = local_events + 1 WHERE id = ANY(%s)"
        " RETURNING id, local_events",
        (list(handovers),),
    )
    events = [
        NewLocalEvent(id, number, type, text=text, handover_id=handovers[id])
        for id, number in numbers
    ]
    insert_local_events(conn, events, now)


def _row(event: NewLocalEvent, now: datetime) -> tuple[object, ...]:
    in_fold = event.handover_id is not None
    return (
        event.delivery_id,
        _local_digest(event.type, event.number),
        event.handover_id,
        event.type,
        event.text,
        now,
        BASIS,
        event.type,
        GRADES[event.type] if in_fold else Grade.NONE,
        VERDICTS[event.type] if in_fold else None,
        event.reason,
        RULES_VERSION,
    )


def move(type: EventType, change: str, which: str) -> str:
    """SQL that changes the deliveries that the condition selects, and records an event for each.

    Its row count is theirs. It takes the parameters of the change and of the condition, and then
    the event's reason and text, the same for all.
    """
    digest = _DIGEST.format(type=f"'{type}'", number="local_events")
    return (
        "WITH moved AS ("
        "   UPDATE delivery"
        f"     SET {change}, local_events = local_events + 1, changed_at = now()"
        f"   WHERE {which}"
        "   RETURNING id, local_events)"
        " INSERT INTO event (delivery_id, digest, provider_type, received_at, basis, type, grade,"
        "                    rules, reason, diagnostic)"
        f" SELECT id, {digest}, '{type}', now(), '{BASIS}', '{type}', {int(Grade.NONE)},"
        f"        {RULES_VERSION}, %s, %s"
        "   FROM moved"
    )
