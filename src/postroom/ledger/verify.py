"""Recompute every cached verdict and every total from the facts, and compare.

Each check is a statement that gives only what is wrong, over a range of ids at a time: a statement
sees one state of the ledger, so a running system may be verified. What is compared:

- each delivery's verdict, reason and flags with the fold over its facts, its stage with our own
  events, its opens, clicks, complaints and unsubscribes with the first of each;
- each event's grade and verdict with the rule for its type;
- each message's recipients with its deliveries, each attempt's with its hand-overs;
- each event, hand-over and suppression with what it points to.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from postroom.domain.delivery import VERDICTS, EventType, Grade, grade_of
from postroom.ledger.as_of import KNOWN, parameters
from postroom.ledger.db import Connection, connection
from postroom.ledger.local_events import BASIS

DELIVERIES_AT_ONCE = 50_000
MESSAGES_AT_ONCE = 2_000
_EVERYTHING = datetime.max.replace(tzinfo=UTC)
"""An instant by which all facts are recorded."""
_FIRST, _LAST = UUID(int=0), UUID(int=(1 << 128) - 1)


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """One cached or counted value that its facts do not bear out."""

    table: str
    id: str
    what: str
    """The column, or the relation, that is wrong."""
    kept: str
    """What the ledger says."""
    expected: str
    """What its facts say."""

    def __str__(self) -> str:
        return f"{self.table} {self.id}: {self.what} is {self.kept}, should be {self.expected}"


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what is wrong."""

    deliveries: int
    messages: int
    discrepancies: list[Discrepancy]


def verify() -> Verified:
    """Everything that is wrong in the whole ledger."""
    discrepancies: list[Discrepancy] = []
    deliveries = messages = 0
    with connection() as conn:
        for run in _runs(conn, "delivery", DELIVERIES_AT_ONCE):
            deliveries += run.count
            discrepancies += _deliveries(conn, run)
        for run in _runs(conn, "message", MESSAGES_AT_ONCE):
            messages += run.count
            discrepancies += _found(conn, "message", "recipients", _MESSAGE_SUMS, run.values())
        for run in _runs(conn, "attempt", MESSAGES_AT_ONCE):
            discrepancies += _found(conn, "attempt", "recipients", _ATTEMPT_SUMS, run.values())
        discrepancies += _found(conn, "suppression", "evidence", _EVIDENCE_OF_SUPPRESSIONS, {})
    return Verified(deliveries, messages, discrepancies)


@dataclass(frozen=True, slots=True)
class _Run:
    """The ids above `after` up to `last`, of which `count` are in the table."""

    after: UUID
    last: UUID
    count: int

    def values(self) -> dict[str, object]:
        return {"after": self.after, "last": self.last}


def _runs(conn: Connection, table: str, size: int) -> Iterator[_Run]:
    """The whole space of ids in runs that hold `size` of the table's; no gap between them."""
    after = _FIRST
    while True:
        rows = conn.execute(
            f"SELECT id FROM {table} WHERE id > %s ORDER BY id LIMIT %s", (after, size)
        ).fetchall()
        last = rows[-1][0] if len(rows) == size else _LAST
        yield _Run(after, last, len(rows))
        if last == _LAST:
            return
        after = last


def _found(
    conn: Connection, table: str, what: str, statement: str, values: dict[str, Any]
) -> Iterator[Discrepancy]:
    """What a statement of rows (id, kept, expected) gives."""
    for id, kept, expected in conn.execute(statement, values):
        yield Discrepancy(table, str(id), what, _shown(kept), _shown(expected))


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else str(value)


def _deliveries(conn: Connection, run: _Run) -> Iterator[Discrepancy]:
    values = run.values() | parameters(_EVERYTHING, (run.after, run.last))
    yield from _cached(conn, values)
    yield from _readings(conn, values)
    for (table, what), statement in _POINTERS.items():
        yield from _found(conn, table, what, statement, values)


_COMPARED = (
    "state",
    "reason",
    "decided_by",
    "decided_handover",
    "after_acceptance",
    "conflicting_evidence",
    "opened_at",
    "clicked_at",
    "complained_at",
    "unsubscribed_at",
    "local_events",
)

# The cached columns beside the same values from the facts. Waiting its turn in the queue is one
# state here: the moves between accepted, scheduled, queued and claimed are no events.
_CACHED = f"""
WITH chosen AS MATERIALIZED (
    SELECT delivery.*, NULL::timestamptz AS send_at
      FROM delivery WHERE id > %(after)s AND id <= %(last)s
),
{KNOWN},
axis AS (
    SELECT delivery_id,
           min(received_at) FILTER (WHERE type = 'opened' AND handover_id IS NOT NULL) AS opened_at,
           min(received_at) FILTER (WHERE type = 'clicked' AND handover_id IS NOT NULL)
               AS clicked_at,
           min(received_at) FILTER (WHERE type = 'complained' AND handover_id IS NOT NULL)
               AS complained_at,
           min(received_at) FILTER (WHERE type = 'unsubscribed' AND handover_id IS NOT NULL)
               AS unsubscribed_at,
           count(*) FILTER (WHERE basis = '{BASIS}') AS local_events
      FROM event
     WHERE delivery_id > %(after)s AND delivery_id <= %(last)s
     GROUP BY delivery_id
),
compared AS (
    SELECT chosen.id,
           ROW(CASE WHEN chosen.verdict IS NOT NULL THEN chosen.verdict
                    WHEN stage IN ('accepted', 'scheduled', 'queued', 'submitting') THEN 'waiting'
                    ELSE stage END,
               CASE WHEN chosen.verdict IS NOT NULL
                      OR stage NOT IN ('accepted', 'scheduled', 'queued', 'submitting')
                    THEN chosen.reason END,
               CASE WHEN chosen.verdict IS NOT NULL THEN chosen.decided_by END,
               CASE WHEN chosen.verdict IS NOT NULL
                    THEN COALESCE(chosen.decided_handover, known.decided_handover) END,
               CASE WHEN chosen.verdict IS NOT NULL THEN chosen.after_acceptance ELSE false END,
               CASE WHEN chosen.verdict IS NOT NULL THEN chosen.conflicting_evidence
                    ELSE false END,
               chosen.opened_at, chosen.clicked_at, chosen.complained_at,
               chosen.unsubscribed_at, chosen.local_events::bigint) AS kept,
           ROW(CASE WHEN known.state IN ('scheduled', 'queued', 'submitting') THEN 'waiting'
                    ELSE known.state END,
               known.reason,
               CASE WHEN known.verdict IS NOT NULL THEN known.decided_by END,
               known.decided_handover, known.after_acceptance, known.conflicting_evidence,
               axis.opened_at, axis.clicked_at, axis.complained_at, axis.unsubscribed_at,
               COALESCE(axis.local_events, 0)) AS expected
      FROM chosen
      JOIN known ON known.id = chosen.id
      LEFT JOIN axis ON axis.delivery_id = chosen.id
)
SELECT id, to_jsonb(kept), to_jsonb(expected)
  FROM compared
 WHERE kept IS DISTINCT FROM expected
"""


def _cached(conn: Connection, values: dict[str, Any]) -> Iterator[Discrepancy]:
    with conn.transaction():
        # A whole run is compared: a nested loop over it would be quadratic, whatever the planner
        # believes of tables that were filled a moment ago.
        conn.execute("SET LOCAL enable_nestloop = off")
        rows = conn.execute(_CACHED, values).fetchall()
    for id, kept, expected in rows:
        pairs = zip(_COMPARED, kept.values(), expected.values(), strict=True)
        for what, is_kept, is_expected in pairs:
            if is_kept != is_expected:
                yield Discrepancy("delivery", str(id), what, _shown(is_kept), _shown(is_expected))


_POINTERS = {
    # A stage that contradicts the verdict: waiting although decided, or handed with nothing said.
    ("delivery", "stage"): """
        SELECT id, stage || ' with verdict ' || COALESCE(verdict, 'nothing'), 'one that agrees'
          FROM delivery
         WHERE id > %(after)s AND id <= %(last)s
           AND ((stage = 'handed' AND verdict IS NULL)
             OR (stage NOT IN ('submitting', 'handed')
                 AND verdict NOT IN ('indeterminate', 'unconfirmed')))
    """,
    ("delivery", "message"): """
        SELECT delivery.id, delivery.message_id, 'a message of the same application and kind'
          FROM delivery
          LEFT JOIN message ON message.id = message_id
               AND message.application_id = delivery.application_id
               AND message.simulated = delivery.simulated
               AND message.communication_id IS NOT DISTINCT FROM delivery.communication_id
         WHERE delivery.id > %(after)s AND delivery.id <= %(last)s
           AND message.id IS NULL
    """,
    ("delivery", "suppression"): """
        SELECT delivery.id, suppression_id, 'a suppression of its address and kind'
          FROM delivery
          LEFT JOIN suppression ON suppression.id = suppression_id
               AND suppression.simulated = delivery.simulated
               AND address_key = recipient_key
         WHERE delivery.id > %(after)s AND delivery.id <= %(last)s
           AND (stage = 'suppressed' OR suppression_id IS NOT NULL)
           AND suppression.id IS NULL
    """,
    ("event", "delivery"): """
        SELECT encode(digest, 'hex'), event.delivery_id, 'a delivery that exists'
          FROM event
          LEFT JOIN delivery ON delivery.id = event.delivery_id
         WHERE event.delivery_id > %(after)s AND event.delivery_id <= %(last)s
           AND delivery.id IS NULL
    """,
    ("event", "hand-over"): """
        SELECT encode(digest, 'hex'), event.handover_id,
               'a hand-over of delivery ' || event.delivery_id
          FROM event
          LEFT JOIN handover ON handover.id = event.handover_id
               AND handover.delivery_id = event.delivery_id
               AND handover.id BETWEEN %(low)s AND %(high)s
         WHERE event.delivery_id > %(after)s AND event.delivery_id <= %(last)s
           AND event.handover_id IS NOT NULL
           AND handover.id IS NULL
    """,
    ("hand-over", "delivery and attempt"): """
        SELECT handover.id, 'delivery ' || handover.delivery_id || ', attempt ' || attempt_id,
               'both there and of one message'
          FROM handover
          LEFT JOIN delivery ON delivery.id = delivery_id
               AND delivery.id BETWEEN %(low)s AND %(high)s
          LEFT JOIN attempt ON attempt.id = attempt_id
         WHERE handover.id > %(after)s AND handover.id <= %(last)s
           AND (delivery.id IS NULL
             OR attempt.id IS NULL
             OR attempt.message_id <> delivery.message_id)
    """,
}
"""What must point to something that is there, by table and relation; over one run of ids."""

_READINGS = """
SELECT type, machine, grade, verdict, handover_id IS NOT NULL, count(*), min(delivery_id::text)
  FROM event
 WHERE delivery_id > %(after)s AND delivery_id <= %(last)s
 GROUP BY 1, 2, 3, 4, 5
"""


def _readings(conn: Connection, values: dict[str, Any]) -> Iterator[Discrepancy]:
    """Grades and verdicts that are not what the rule for the event's type says."""
    for event, machine, grade, verdict, of_attempt, count, example in conn.execute(
        _READINGS, values
    ):
        kept, expected = (grade, verdict), _reading(event, machine, of_attempt)
        if kept != expected:
            whose, what = f"of delivery {example} and {count - 1} more", f"reading of {event}"
            yield Discrepancy("event", whose, what, _graded(kept), _graded(expected))


def _reading(event: str, machine: bool | None, of_attempt: bool) -> tuple[int, str | None]:
    grade = grade_of(EventType(event), machine) if of_attempt else Grade.NONE
    return int(grade), None if grade is Grade.NONE else str(VERDICTS[EventType(event)])


def _graded(reading: tuple[int, str | None]) -> str:
    return f"grade {reading[0]}, verdict {_shown(reading[1])}"


_MESSAGE_SUMS = """
SELECT message.id, recipients, count(delivery.id)
  FROM message
  LEFT JOIN delivery ON delivery.message_id = message.id
 WHERE message.id > %(after)s AND message.id <= %(last)s
 GROUP BY message.id
HAVING recipients <> count(delivery.id)
"""

_ATTEMPT_SUMS = """
SELECT attempt.id, recipients, count(handover.id)
  FROM attempt
  LEFT JOIN handover ON handover.attempt_id = attempt.id
       AND handover.account_id = attempt.account_id
 WHERE attempt.id > %(after)s AND attempt.id <= %(last)s
 GROUP BY attempt.id
HAVING recipients <> count(handover.id)
"""

# A suppression outlives the months that are dropped: evidence older than the ledger is let go.
_EVIDENCE_OF_SUPPRESSIONS = """
SELECT suppression.id, COALESCE(suppression.delivery_id::text, 'no delivery'),
       'the event that is its evidence'
  FROM suppression
  LEFT JOIN event ON event.delivery_id = suppression.delivery_id
       AND event.digest = suppression.event_digest
 WHERE source = 'event'
   AND event.delivery_id IS NULL
   AND (suppression.delivery_id IS NULL AND suppression.receipt_id IS NULL
     OR suppression.delivery_id >= (SELECT id FROM delivery ORDER BY id LIMIT 1))
"""
