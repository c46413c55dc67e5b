"""The fold of `domain.delivery` in SQL: what became of a set of deliveries, as known at an instant.

The same two maxima over the same total order as `domain.delivery.fold`, each a DISTINCT ON, so
that a hundred thousand deliveries are answered by one statement. Facts count when they were
recorded by the instant; they are read with today's rules. The texts below are statement parts:
callers put their own `chosen` in front and select from `known`.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from postroom.domain.delivery import (
    OUTCOME_VERDICTS,
    OUTCOMES,
    EventType,
    Grade,
    Outcome,
    Verdict,
)
from postroom.ledger.db import Connection
from postroom.ledger.ids import bounds, floor_of
from postroom.ledger.local_events import BASIS

_SKEW = 86_400_000 << 80  # a day, in the unit of a UUIDv7 that is read as a number


def parameters(at: datetime, ids: Collection[UUID]) -> dict[str, object]:
    """What the statement parts refer to; `ids` are at least the first and last one chosen.

    The ranges keep out partitions and decide nothing. An attempt's id carries its sender's clock,
    which may differ from the one that gave the delivery its id: a day is left for that.
    """
    low, high = bounds(ids)
    return {
        "at": at,
        "low": low,
        "high": high,
        "begun_low": UUID(int=max(0, low.int - _SKEW)),
        "begun_high": UUID(int=min((1 << 128) - 1, floor_of(at).int + _SKEW)),
    }


# A transaction that has written nothing for so long is a reader (a backup, a report).
_WRITES_WITHIN = "1 minute"

_HORIZON = f"""
SELECT LEAST(statement_timestamp(), min(xact_start))
  FROM pg_stat_activity
 WHERE datname = current_database()
   AND pid <> pg_backend_pid()
   AND backend_type = 'client backend'
   AND (backend_xid IS NOT NULL OR xact_start > statement_timestamp() - interval '{_WRITES_WITHIN}')
"""


def horizon(conn: Connection) -> datetime:
    """The latest instant of which everything is known: no open transaction began before it.

    What is recorded carries the start of its transaction, and shows at its commit. Up to here
    an answer as of an instant is the same whenever it is asked for again.
    """
    instant: datetime = conn.execute(_HORIZON).fetchall()[0][0]
    return instant


def _answers() -> str:
    """The call's own answer as rows (outcome, grade, verdict)."""
    return ", ".join(
        f"('{outcome}', {int(OUTCOMES[outcome])}, '{OUTCOME_VERDICTS[outcome]}')"
        for outcome in Outcome
    )


_ENDS = ", ".join(
    f"'{event}'"
    for event in (
        EventType.HELD,
        EventType.CANCELLED,
        EventType.EXPIRED,
        EventType.SUPPRESSED,
        EventType.REJECTED,
    )
)

_NO_HANDOVER = f"'{UUID(int=0)}'::uuid"
_WAITS, _OURS = -2, -1
"""Below every grade: its place in the queue speaks last, our own latest event before that."""


def _calls(handovers: str) -> str:
    return f"""
call AS (  -- begin and answer of each hand-over, as one row: the answer outweighs the begin
    SELECT chosen.recipient_key, handover.delivery_id, handover.id AS handover_id,
           handover.begun_at, handover.reason,
           COALESCE(handover.outcome, attempt.outcome) AS outcome,
           COALESCE(handover.settled_at, attempt.ended_at) AS answered_at
      FROM chosen
      JOIN handover ON handover.delivery_id = chosen.id
      JOIN attempt ON attempt.id = handover.attempt_id
     WHERE {handovers}
       AND attempt.id BETWEEN %(begun_low)s AND %(begun_high)s
       AND handover.begun_at <= %(at)s
)"""


def _our_events(events: str) -> str:
    return f"""
ours AS (  -- our own latest event: numbered under the row's lock, so the log's order holds
    SELECT DISTINCT ON (event.delivery_id)
           recipient_key, event.delivery_id, type, received_at, digest, event.reason
      FROM chosen
      JOIN event ON event.delivery_id = chosen.id
     WHERE chosen.local_events > 0
       AND {events}
       AND basis = '{BASIS}'
       AND handover_id IS NULL
       AND recorded_at <= %(at)s
     ORDER BY event.delivery_id, log_seq DESC
)"""


def _facts(events: str) -> str:
    """Everything that may decide: calls, events about hand-overs, our own end, the queue."""
    return f"""
fact AS (
    SELECT recipient_key, delivery_id, handover_id, begun_at AS first_at,
           COALESCE(answer.grade, {int(Grade.BEGUN)}) AS grade,
           CASE WHEN answer.grade IS NULL THEN begun_at ELSE answered_at END AS at,
           ''::bytea AS key,
           COALESCE(answer.verdict, '{Verdict.SUBMITTING}') AS state,
           CASE WHEN answer.grade IS NOT NULL THEN reason END AS reason,
           NULL::boolean AS asynchronous
      FROM call
      LEFT JOIN (VALUES {_answers()}) AS answer (outcome, grade, verdict)
        ON answer.outcome = call.outcome AND answered_at <= %(at)s
     UNION ALL
    SELECT recipient_key, event.delivery_id, handover_id, received_at, grade, received_at, digest,
           event.verdict, event.reason, asynchronous
      FROM chosen
      JOIN event ON event.delivery_id = chosen.id
     WHERE {events}
       AND handover_id IS NOT NULL
       AND grade > {int(Grade.NONE)}
       AND recorded_at <= %(at)s
     UNION ALL
    SELECT recipient_key, delivery_id, {_NO_HANDOVER}, received_at, {_OURS}, received_at, digest,
           type, reason, NULL
      FROM ours
     WHERE type IN ({_ENDS})
     UNION ALL
    SELECT recipient_key, id, {_NO_HANDOVER}, NULL, {_WAITS}, NULL, '',
           CASE WHEN send_at > %(at)s THEN 'scheduled' ELSE 'queued' END, NULL, NULL
      FROM chosen
)"""


_FOLD = f"""
word AS (  -- an attempt's word: its greatest fact by (grade, time, key)
    SELECT DISTINCT ON (delivery_id, handover_id)
           *,
           min(first_at) OVER attempt_facts AS begun_at,
           bool_or(grade = {int(Grade.DELIVERED)}) OVER attempt_facts AS delivered_too,
           max(at) FILTER (WHERE state <> '{Verdict.UNCONFIRMED}') OVER attempt_facts AS heard_at
      FROM fact
    WINDOW attempt_facts AS (
               PARTITION BY delivery_id, handover_id
               ORDER BY grade DESC, at DESC, key DESC
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
     ORDER BY delivery_id, handover_id, grade DESC, at DESC, key DESC
),
folded AS (  -- delivered before still open before ended without, then the newest; last, no attempt
    SELECT DISTINCT ON (delivery_id) *
      FROM word
     WHERE grade <> {int(Grade.NOT_TAKEN)}
     ORDER BY delivery_id,
              CASE WHEN grade IN ({int(Grade.INFERRED)}, {int(Grade.DELIVERED)}) THEN 2
                   WHEN grade IN ({int(Grade.REFUSED)}, {int(Grade.FAILED)}) THEN 0
                   WHEN grade > {int(Grade.NONE)} THEN 1
                   ELSE -1 END DESC,
              begun_at DESC, handover_id DESC
),
known AS MATERIALIZED (
    SELECT delivery_id AS id, recipient_key, state, reason, at AS decided_at, heard_at,
           CASE WHEN grade >= {int(Grade.UNKNOWN)} THEN state END AS verdict,
           CASE WHEN grade >= {int(Grade.UNKNOWN)} THEN handover_id END AS decided_handover,
           NULLIF(key, '') AS decided_by,
           grade = {int(Grade.FAILED)}
               AND (asynchronous IS TRUE OR (delivered_too AND asynchronous IS NOT FALSE))
               AS after_acceptance,
           grade = {int(Grade.FAILED)} AND delivered_too AND asynchronous IS FALSE
               AS conflicting_evidence
      FROM folded
)
"""


def _known(events: str, handovers: str) -> str:
    """The statement parts over those events and hand-overs that the two conditions leave in."""
    return ",".join((_calls(handovers), _our_events(events), _facts(events), _FOLD))


KNOWN = _known(
    "event.delivery_id BETWEEN %(low)s AND %(high)s", "handover.id BETWEEN %(low)s AND %(high)s"
)
"""From `chosen` (id, recipient_key, send_at, local_events) to `known`: the state of each then.

Every delivery has its place in the queue as a last fact, so that the answer is one maximum for
all of them. Nothing is joined after the facts: just after a broadcast the planner knows nothing
of its rows, and a nested loop over them would repeat the fold for each.

`heard_at` is the last word about the attempt that decides; our own "the window passed" is none.
"""

KNOWN_OF_PAGE = _known("event.delivery_id = ANY(%(ids)s)", "handover.delivery_id = ANY(%(ids)s)")
"""`KNOWN` for the few deliveries `ids`: looked up one by one instead of in a stretch."""

STATE_NOW = """COALESCE(delivery.verdict,
         CASE WHEN delivery.stage = 'scheduled' AND delivery.due_at <= statement_timestamp()
              THEN 'queued' ELSE delivery.stage END)"""
"""The state from the cached columns: a scheduled delivery that is due waits in the queue."""

REASON_NOW = """CASE WHEN delivery.verdict IS NOT NULL
         OR delivery.stage IN ('held', 'suppressed', 'rejected', 'cancelled', 'expired')
         THEN delivery.reason END"""
"""The reason from the cached columns: what waits its turn has none."""
