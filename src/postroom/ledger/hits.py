"""From hits to events: taken, judged together with the others of their copy, and recorded.

A hit becomes an event of its delivery: `opened`, `clicked`, `unsubscribed` or `resubscribed`. Its
words never change; what it was, by a person or a machine, is a reading (`hit_readings.py`), which
further hits and newer rules may rewrite.
"""

from collections.abc import Collection, Mapping, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from postroom.domain.delivery import EventType, Grade
from postroom.ledger import doubts
from postroom.ledger.db import Connection, transaction
from postroom.ledger.folding import lock, refold
from postroom.ledger.hit_intake import NewHit
from postroom.ledger.hit_readings import REQUESTS, WORD, Judge, Judged, read_anew
from postroom.ledger.judging import Told, judge
from postroom.ledger.recordset import rows_json, rows_of
from postroom.ledger.retrying import again_on_deadlock
from postroom.ledger.tallies import count

KEPT_MAX = 1_000
"""Opens and clicks of one delivery that are kept, and as many requests; no person comes so
often. Further ones are counted."""

TYPES = {
    "o": EventType.OPENED,
    "c": EventType.CLICKED,
    "u": EventType.UNSUBSCRIBED,
    "r": EventType.RESUBSCRIBED,
}
_UNSUBSCRIBED = "unsubscribed"
"""Of the table of reasons."""


@again_on_deadlock
def judge_new(limit: int, judged: Judge) -> int:
    """How many new hits became events."""
    with transaction() as conn:
        hits = _take(conn, limit)
        if not hits:
            return 0
        handed = _handed(conn, {one.handover_id for one in hits})
        keys = lock(conn, handed.values())
        deliveries = _record(conn, hits, handed, keys)
        fresh = read_anew(conn, deliveries, judged)
        refold(conn, deliveries)
        judge(conn, [_told(one, *keys[one[0].delivery_id]) for one in fresh])
        doubts.note_refuted(conn, deliveries)
        return len(hits)


@again_on_deadlock
def rejudge(after: UUID, limit: int, judged: Judge) -> UUID | None:
    """Judge the hits of the next deliveries after this id by today's rules; the last one's id.

    None: there are no more.
    """
    with transaction() as conn:
        ids = [
            id
            for (id,) in conn.execute(
                "SELECT id FROM delivery"
                " WHERE id > %s AND (opened_at IS NOT NULL OR clicked_at IS NOT NULL)"
                " ORDER BY id LIMIT %s",
                (after, limit),
            )
        ]
        lock(conn, ids)
        read_anew(conn, ids, judged)
        refold(conn, ids)
        return ids[-1] if ids else None


def _take(conn: Connection, limit: int) -> list[NewHit]:
    rows = conn.execute(
        "DELETE FROM hit"
        " WHERE id = ANY(ARRAY(SELECT id FROM hit ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED))"
        " RETURNING kind, message_id, handover_id, url, hit_at, method, address, agent, id",
        (limit,),
    )
    return [NewHit(*row) for row in rows]


def _handed(conn: Connection, handovers: Collection[UUID]) -> Mapping[UUID, UUID]:
    """The delivery of each hand-over."""
    rows = conn.execute(
        "SELECT id, delivery_id FROM handover WHERE id = ANY(%s)", (list(handovers),)
    )
    return dict(rows.fetchall())


_COLUMNS = {
    "delivery_id": "uuid",
    "digest": "bytea",
    "handover_id": "uuid",
    "provider_class": "text",
    "url": "text",
    "remote_host": "text",
    "user_agent": "text",
    "received_at": "timestamptz",
    "type": "text",
}
_NAMES = ", ".join(_COLUMNS)
_INSERT = (
    f"INSERT INTO event ({_NAMES}, reason, occurred_at, provider_type, basis, grade, rules)"
    f" SELECT {_NAMES}, CASE type WHEN '{EventType.UNSUBSCRIBED}' THEN '{_UNSUBSCRIBED}' END,"
    f"        received_at, '{WORD}', '{WORD}', {int(Grade.NONE)}, 0"
    f"  FROM {rows_of(_COLUMNS, 'hit')}"
    " ON CONFLICT (delivery_id, digest) DO NOTHING"
)


def _record(
    conn: Connection,
    hits: Sequence[NewHit],
    handed: Mapping[UUID, UUID],
    present: Collection[UUID],
) -> set[UUID]:
    """Store the hits, not judged yet; gives their deliveries."""
    # A delivery whose month was dropped is counted and let go.
    known = [
        (one, handed[one.handover_id]) for one in hits if handed.get(one.handover_id) in present
    ]
    count(conn, "hits_of_dropped_months", "", len(hits) - len(known))
    full = _full(conn, {delivery_id for _, delivery_id in known})
    kept = [
        (hit, delivery_id)
        for hit, delivery_id in known
        if (delivery_id, TYPES[hit.kind] in REQUESTS) not in full
    ]
    count(conn, "hits_too_many", "", len(known) - len(kept))
    if kept:
        conn.execute(_INSERT, (rows_json(_COLUMNS, [_row(*one) for one in kept]),))
    return {delivery_id for _, delivery_id in kept}


def _full(conn: Connection, deliveries: Collection[UUID]) -> set[tuple[UUID, bool]]:
    """Deliveries of which no more requests (true), or no more opens and clicks, are kept."""
    rows = conn.execute(
        "SELECT delivery_id, type = ANY(%s) AS is_request"
        "  FROM event"
        " WHERE delivery_id = ANY(%s) AND provider_type = %s"
        " GROUP BY delivery_id, is_request"
        " HAVING count(*) >= %s",
        (list(REQUESTS), list(deliveries), WORD, KEPT_MAX),
    )
    return {(id, is_request) for id, is_request in rows}


def _row(hit: NewHit, delivery_id: UUID) -> tuple[Any, ...]:
    # One hit is one fact, by its own id, however often it is brought in from a spool.
    digest = sha256(f"{WORD}:{hit.id}".encode()).digest()[:16]
    return (
        delivery_id,
        digest,
        hit.handover_id,
        hit.method,
        hit.url or None,
        hit.address,
        hit.agent,
        hit.hit_at,
        str(TYPES[hit.kind]),
    )


def _told(fresh: Judged, simulated: bool, address_key: str) -> Told:
    one, judgement = fresh
    return Told(
        simulated=simulated,
        address_key=address_key,
        type=one.type,
        reason=_UNSUBSCRIBED if one.type == EventType.UNSUBSCRIBED else None,
        at_once=True,
        machine=judgement.machine,
        at=one.begun_at,
        heard_at=one.at,
        delivery_id=one.delivery_id,
        event_digest=one.digest,
        receipt_id=None,
    )
