"""What each account was handed, and what it told of that soon: counters by minute.

They stand in parts, one for each of a few groups of connections: a row that all senders and
interpreters wrote would make them wait for one another's commits.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

from postroom.domain.delivery import EventType, Outcome
from postroom.domain.flow import ACKNOWLEDGED_WITHIN, HEARD_WITHIN, Minute
from postroom.ledger.db import Connection, transaction
from postroom.ledger.ids import bounds
from postroom.ledger.recordset import rows_json, rows_of

KEPT = timedelta(days=7)

PART = "mod(pg_backend_pid(), 8)"
"""SQL: in which part of its counters a connection writes."""

_ADD = (
    " ON CONFLICT (account_id, minute, part) DO UPDATE"
    "   SET taken = account_flow.taken + excluded.taken,"
    "       heard = account_flow.heard + excluded.heard,"
    "       acknowledged = account_flow.acknowledged + excluded.acknowledged"
)

_TAKEN = {"account_id": "int", "begun_at": "timestamptz", "taken": "int"}


def count_taken(conn: Connection, calls: Iterable[tuple[int, datetime, int]]) -> None:
    """Count hand-overs that providers took, as (account, begin of the call, how many)."""
    minutes: Counter[tuple[int, datetime]] = Counter()
    for account_id, begun_at, taken in calls:
        minutes[account_id, begun_at.replace(second=0, microsecond=0)] += taken
    rows = [(*minute, taken) for minute, taken in sorted(minutes.items()) if taken]
    if rows:
        conn.execute(
            "INSERT INTO account_flow (account_id, minute, part, taken)"
            f" SELECT account_id, begun_at, {PART}, taken FROM {rows_of(_TAKEN, 'call')}" + _ADD,
            (rows_json(_TAKEN, rows),),
        )


# A call without an answer is counted as taken as far as its hand-overs were heard of: they count
# as heard already.
_TAKEN_AFTER_ALL = (
    "INSERT INTO account_flow (account_id, minute, part, taken)"
    f" SELECT handover.account_id, date_trunc('minute', handover.begun_at), {PART}, count(*)"
    "   FROM handover"
    "   JOIN attempt ON attempt.id = attempt_id"
    "  WHERE attempt_id = ANY(%s)"
    f"   AND COALESCE(handover.outcome, attempt.outcome) = '{Outcome.UNKNOWN}'"
    "    AND EXISTS (SELECT FROM event"
    "                 WHERE event.delivery_id = handover.delivery_id"
    "                   AND event.handover_id = handover.id"
    "                   AND event.account_id IS NOT NULL)"
    "  GROUP BY 1, 2"
    "  ORDER BY 1, 2"
) + _ADD


def count_taken_after_all(conn: Connection, attempt_ids: Collection[UUID]) -> None:
    """Count those hand-overs of calls in doubt that were heard of before the doubt arose."""
    if attempt_ids:
        conn.execute(_TAKEN_AFTER_ALL, (list(attempt_ids),))


# The first word about each hand-over, and the first that acknowledges it, where this transaction
# has recorded it. One in doubt is not counted: no answer counted it as taken.
_FIRST_WORDS = f"""
WITH told AS (
    SELECT handover_id,
           min(received_at) AS first_at,
           bool_or(log_xid <> pg_current_xact_id()) AS was_heard,
           min(received_at) FILTER (WHERE type = '{EventType.ACCEPTED}') AS acknowledged_at,
           bool_or(log_xid <> pg_current_xact_id()) FILTER (WHERE type = '{EventType.ACCEPTED}')
               AS was_acknowledged
      FROM event
     WHERE delivery_id = ANY(%(ids)s) AND handover_id IS NOT NULL AND account_id IS NOT NULL
     GROUP BY handover_id
),
minute AS (
    SELECT handover.account_id, date_trunc('minute', handover.begun_at) AS minute,
           count(*) FILTER (
               WHERE NOT was_heard AND first_at < handover.begun_at + %(heard_within)s) AS heard,
           count(*) FILTER (
               WHERE NOT was_acknowledged
                 AND acknowledged_at < handover.begun_at + %(acknowledged_within)s)
               AS acknowledged
      FROM told
      JOIN handover ON handover.id = told.handover_id
      JOIN attempt ON attempt.id = handover.attempt_id
     WHERE handover.id BETWEEN %(low)s AND %(high)s
       AND NOT (was_heard AND COALESCE(was_acknowledged, true))
       AND COALESCE(handover.outcome, attempt.outcome, '{Outcome.TAKEN}') = '{Outcome.TAKEN}'
     GROUP BY 1, 2
)
INSERT INTO account_flow (account_id, minute, part, heard, acknowledged)
SELECT account_id, minute, {PART}, heard, acknowledged
  FROM minute
 WHERE heard + acknowledged > 0
 ORDER BY account_id, minute
"""


def count_heard(conn: Connection, delivery_ids: Collection[UUID]) -> None:
    """Count what this transaction recorded first about hand-overs of these deliveries.

    Their rows must be locked by the caller, or two could both be first.
    """
    if not delivery_ids:
        return
    low, high = bounds(delivery_ids)
    conn.execute(
        _FIRST_WORDS + _ADD,
        {
            "ids": list(delivery_ids),
            "low": low,
            "high": high,
            "heard_within": HEARD_WITHIN,
            "acknowledged_within": ACKNOWLEDGED_WITHIN,
        },
    )


def minutes(conn: Connection, account_id: int, since: datetime) -> list[Minute]:
    """The account's minutes from `since` on that have anything to count, in order."""
    rows = conn.execute(
        "SELECT minute, sum(taken)::int, sum(heard)::int, sum(acknowledged)::int"
        "  FROM account_flow"
        " WHERE account_id = %s AND minute >= %s"
        " GROUP BY minute"
        " ORDER BY minute",
        (account_id, since),
    )
    return [Minute(*row) for row in rows]


def forget_old(limit: int) -> int:
    """How many counters of minutes that nobody asks for any more were removed."""
    with transaction() as conn:
        removed = conn.execute(
            "DELETE FROM account_flow"
            " WHERE ctid = ANY(ARRAY("
            "       SELECT ctid FROM account_flow WHERE minute < now() - %s LIMIT %s))",
            (KEPT, limit),
        )
        return removed.rowcount
