"""How much waits, and for how long: bounded reads for metrics, never a count over the ledger."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from postroom.domain.lane import Lane
from postroom.ledger import shares
from postroom.ledger.db import Connection, connection

COUNTED_MAX = 100_000
"""Where more waits, this is what is counted."""
GROUPS_MAX = 1_000
"""Communications of a lane that are looked at; what lies in further ones is not counted."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits in one place."""

    place: str
    """`queue`, `paused`, `submitting`, `held`, `receipts` or `orphans`."""
    simulated: bool | None
    """None: the place does not tell live from simulated."""
    lane: Lane | None
    count: int
    oldest_at: datetime | None
    """Since when the oldest waits; None: nothing does."""


# What is due of these groups, up to a bound, and since when the oldest of each is due: the index
# that claims use leads to both.
_QUEUE = """
WITH wanted AS (
   SELECT * FROM unnest(%(applications)s::integer[], %(communications)s::bigint[])
                 AS wanted (application, communication))
SELECT (SELECT count(*) FROM (
               SELECT
                 FROM wanted, LATERAL (
                      SELECT FROM delivery
                       WHERE simulated = %(simulated)s AND lane = %(lane)s
                         AND application_id = wanted.application
                         AND COALESCE(communication_id, 0) = wanted.communication
                         AND stage IN ('queued', 'scheduled') AND due_at <= now()
                       LIMIT %(max)s) AS due
                LIMIT %(max)s) AS counted),
       (SELECT min(oldest.due_at)
          FROM wanted, LATERAL (
               SELECT due_at FROM delivery
                WHERE simulated = %(simulated)s AND lane = %(lane)s
                  AND application_id = wanted.application
                  AND COALESCE(communication_id, 0) = wanted.communication
                  AND stage IN ('queued', 'scheduled') AND due_at <= now()
                ORDER BY due_at
                LIMIT 1) AS oldest)
"""

_PLACES = """
SELECT 'submitting',
       (SELECT count(*) FROM (
               SELECT FROM delivery WHERE stage = 'submitting' LIMIT %(max)s) AS claimed),
       NULL::timestamptz
 UNION ALL
SELECT 'held',
       (SELECT count(*) FROM (
               SELECT FROM delivery WHERE stage = 'held' LIMIT %(max)s) AS kept),
       NULL
 UNION ALL
SELECT 'receipts',
       (SELECT count(*) FROM (SELECT FROM receipt WHERE stage = 'new' LIMIT %(max)s) AS new),
       (SELECT received_at FROM receipt WHERE stage = 'new' ORDER BY id LIMIT 1)
 UNION ALL
SELECT 'hits',
       (SELECT count(*) FROM (SELECT FROM hit LIMIT %(max)s) AS unjudged),
       (SELECT hit_at FROM hit ORDER BY id LIMIT 1)
 UNION ALL
SELECT 'orphans',
       (SELECT count(*) FROM (SELECT FROM orphan LIMIT %(max)s) AS kept),
       (SELECT first_heard_at FROM orphan ORDER BY id LIMIT 1)
"""


def waiting() -> list[Waiting]:
    """What waits in each place; of the queue, what is due, by kind and lane."""
    with connection() as conn:
        queue = [
            one
            for kind in (False, True)
            for lane in Lane
            for one in _waiting_in_lane(conn, kind, lane)
        ]
        places = conn.execute(_PLACES, {"max": COUNTED_MAX}).fetchall()
    return [*queue, *(Waiting(place, None, None, count, at) for place, count, at in places)]


def _waiting_in_lane(conn: Connection, simulated: bool, lane: Lane) -> list[Waiting]:
    """What goes as soon as a sender comes, and what waits for the end of a pause."""
    groups = shares.with_pauses(conn, simulated, lane, GROUPS_MAX)
    return [
        Waiting(place, simulated, lane, *_due(conn, simulated, lane, chosen))
        for place, chosen in (
            ("queue", [group for group, paused in groups.items() if not paused]),
            ("paused", [group for group, paused in groups.items() if paused]),
        )
    ]


def _due(
    conn: Connection, simulated: bool, lane: Lane, groups: Iterable[shares.Group]
) -> tuple[int, datetime | None]:
    wanted = list(groups)
    if not wanted:
        return 0, None
    [(count, oldest_at)] = conn.execute(
        _QUEUE,
        {
            "simulated": simulated,
            "lane": int(lane),
            "applications": [group.application for group in wanted],
            "communications": [group.communication for group in wanted],
            "max": COUNTED_MAX,
        },
    )
    return count, oldest_at


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
