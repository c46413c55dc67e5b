"""How much waits, and for how long: bounded reads for metrics, never a count over the ledger."""

from dataclasses import dataclass
from datetime import datetime

from postroom.domain.lane import Lane
from postroom.ledger.db import connection

COUNTED_MAX = 100_000
"""Where more waits, this is what is counted."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in one place."""

    place: str
    """`queue`, `submitting`, `receipts` or `orphans`."""
    simulated: bool | None
    """None: the place does not tell live from simulated."""
    lane: Lane | None
    count: int
    oldest_at: datetime | None
    """Since when the oldest waits; None: nothing does."""


_QUEUE = """
SELECT kind.simulated, lane.lane,
       (SELECT count(*) FROM (
               SELECT FROM delivery
                WHERE delivery.simulated = kind.simulated AND delivery.lane = lane.lane
                  AND stage IN ('queued', 'scheduled') AND due_at <= now()
                LIMIT %(max)s) AS due),
       (SELECT due_at FROM delivery
         WHERE delivery.simulated = kind.simulated AND delivery.lane = lane.lane
           AND stage IN ('queued', 'scheduled') AND due_at <= now()
         ORDER BY due_at LIMIT 1)
  FROM (VALUES (false), (true)) AS kind (simulated)
 CROSS JOIN (VALUES (0), (1), (2)) AS lane (lane)
"""

_PLACES = """
SELECT 'submitting',
       (SELECT count(*) FROM (
               SELECT FROM delivery WHERE stage = 'submitting' LIMIT %(max)s) AS claimed),
       NULL::timestamptz
 UNION ALL
SELECT 'receipts',
       (SELECT count(*) FROM (SELECT FROM receipt WHERE stage = 'new' LIMIT %(max)s) AS new),
       (SELECT received_at FROM receipt WHERE stage = 'new' ORDER BY id LIMIT 1)
 UNION ALL
SELECT 'orphans',
       (SELECT count(*) FROM (SELECT FROM orphan LIMIT %(max)s) AS kept),
       (SELECT first_heard_at FROM orphan ORDER BY id LIMIT 1)
"""


def waiting() -> list[Waiting]:
    """What waits in each place; of the queue, what is due, by kind and lane."""
    bound = {"max": COUNTED_MAX}
    with connection() as conn:
        queue = conn.execute(_QUEUE, bound).fetchall()
        places = conn.execute(_PLACES, bound).fetchall()
    return [
        *(Waiting("queue", kind, Lane(lane), count, at) for kind, lane, count, at in queue),
        *(Waiting(place, None, None, count, at) for place, count, at in places),
    ]


def stopped_accounts() -> list[tuple[str, bool]]:
    """Each account, and whether it is stopped."""
    with connection() as conn:
        rows = conn.execute("SELECT name, stopped_at IS NOT NULL FROM account ORDER BY id")
        return [(name, stopped) for name, stopped in rows]


def is_migrated() -> bool:
    """Whether the database answers and has the ledger's tables."""
    with connection() as conn:
        row = conn.execute("SELECT to_regclass('delivery') IS NOT NULL").fetchone()
    return row is not None and bool(row[0])
