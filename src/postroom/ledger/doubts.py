"""Proof that a call of unknown outcome was not taken: silence about it while words flow about all
else (truth.md section 2, "Proof about an unknown hand-over")."""

import logging
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.domain.flow import MINUTE, Sample, not_taken
from postroom.ledger.clock import utc_now
from postroom.ledger.db import Connection, transaction
from postroom.ledger.flow import minutes
from postroom.ledger.folding import refold
from postroom.ledger.local_events import insert_about_attempts
from postroom.ledger.retrying import again_on_deadlock
from postroom.ledger.tallies import count

log = logging.getLogger(__name__)

TRIED_FOR = timedelta(hours=1)
"""How long after the window a proof is looked for; then the flow of that time is too far away."""
CALLS_MAX = 1000
"""Calls in doubt that one step looks at."""
PROOFS_MAX = 20
"""Calls that one step settles, of up to a thousand hand-overs each."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of unknown outcome of which nothing was heard."""

    id: UUID
    account_id: int
    begun_at: datetime
    ended_at: datetime


# Nothing was heard of any hand-over of the call, nothing that would tell waits unread or could not
# be read, and the provider was asked where it can be.
_SILENT_CALLS = """
SELECT DISTINCT attempt.id, attempt.account_id, attempt.begun_at, attempt.ended_at
  FROM delivery
  JOIN handover ON handover.delivery_id = delivery.id
  JOIN attempt ON attempt.id = handover.attempt_id
  JOIN account ON account.id = attempt.account_id
 WHERE delivery.stage = 'handed' AND delivery.verdict = 'indeterminate'
   AND silent_since BETWEEN now() - %(window)s - %(tried_for)s AND now() - %(window)s
   AND COALESCE(handover.outcome, attempt.outcome) = 'unknown'
   AND attempt.ended_at < now() - %(window)s
   AND provider = ANY(%(telling)s)
   AND NOT EXISTS (
       SELECT FROM incident
        WHERE incident.account_id = attempt.account_id
          AND (incident.ended_at IS NULL OR incident.ended_at >= attempt.begun_at))
   AND NOT EXISTS (
       SELECT FROM receipt
        WHERE receipt.account_id = attempt.account_id AND receipt.stage = 'new'
          AND received_at < now() - %(minute)s)
   AND NOT EXISTS (
       SELECT FROM receipt
        WHERE receipt.account_id = attempt.account_id AND receipt.stage = 'unreadable'
          AND received_at >= attempt.begun_at)
   AND (attempt.account_id <> ALL(%(looked_up)s) OR EXISTS (
       SELECT FROM pull
        WHERE pull.account_id = attempt.account_id AND failed IS NULL
          AND since <= attempt.begun_at AND until >= attempt.ended_at + %(window)s / 2
          AND finished_at < now() - %(minute)s))
   AND NOT EXISTS (
       SELECT FROM handover AS other
         JOIN event ON event.delivery_id = other.delivery_id AND event.handover_id = other.id
        WHERE other.attempt_id = attempt.id)
 LIMIT %(max)s
"""


@again_on_deadlock
def prove_not_taken(telling: Collection[str], looked_up: Collection[int], window: timedelta) -> int:
    """How many deliveries went back to the queue, because nobody got them.

    `telling` are the providers that acknowledge what they take; of the others silence proves
    nothing. Of the accounts `looked_up` a pull must have found nothing. `window` is how long a
    call must have been silent.
    """
    with transaction() as conn:
        proved = 0
        for call, flow in _proved(conn, telling, looked_up, window):
            proved += _drop_out(conn, call, _words(flow, window))
        return proved


def _proved(
    conn: Connection, telling: Collection[str], looked_up: Collection[int], window: timedelta
) -> Iterator[tuple[_Call, Sample]]:
    calls = _silent_calls(conn, telling, looked_up, window)
    now = utc_now()
    found = 0
    for account_id in {call.account_id for call in calls}:
        of_account = [call for call in calls if call.account_id == account_id]
        known = minutes(conn, account_id, min(call.begun_at for call in of_account) - 2 * MINUTE)
        for call in of_account:
            flow = not_taken(known, call.begun_at, call.ended_at, now)
            if flow is not None and found < PROOFS_MAX:
                found += 1
                yield call, flow


def _silent_calls(
    conn: Connection, telling: Collection[str], looked_up: Collection[int], window: timedelta
) -> list[_Call]:
    rows = conn.execute(
        _SILENT_CALLS,
        {
            "telling": list(telling),
            "looked_up": list(looked_up),
            "window": window,
            "tried_for": TRIED_FOR,
            "minute": MINUTE,
            "max": CALLS_MAX,
        },
    )
    return [_Call(*row) for row in rows]


def _words(flow: Sample, window: timedelta) -> str:
    return (
        f"No word for {window.total_seconds() / 60:g} minutes, while the provider acknowledged"
        f" {flow.acknowledged:,} of {flow.taken:,} other hand-overs within a minute: it did not"
        " take this one."
    )


def _drop_out(conn: Connection, call: _Call, words: str) -> int:
    """How many deliveries of the call wait their turn again; none when it was heard of meanwhile.

    Whoever records an event locks its delivery first, as we do: what comes later is later.
    """
    handovers: dict[UUID, UUID] = dict(
        conn.execute(
            "SELECT delivery.id, handover.id"
            "  FROM handover"
            "  JOIN attempt ON attempt.id = attempt_id"
            "  JOIN delivery ON delivery.id = delivery_id"
            " WHERE attempt_id = %s AND COALESCE(handover.outcome, attempt.outcome) = 'unknown'"
            " ORDER BY delivery.id"
            "   FOR NO KEY UPDATE OF delivery",
            (call.id,),
        ).fetchall()
    )
    if not handovers or _is_heard_of(conn, handovers):
        return 0
    insert_about_attempts(conn, EventType.NOT_TAKEN, handovers, utc_now(), words)
    refold(conn, handovers)
    return len(handovers)


def _is_heard_of(conn: Connection, handovers: dict[UUID, UUID]) -> bool:
    row = conn.execute(
        "SELECT FROM event WHERE delivery_id = ANY(%s) AND handover_id = ANY(%s) LIMIT 1",
        (list(handovers), list(handovers.values())),
    ).fetchone()
    return row is not None


# Proofs against which this transaction has recorded the first word.
_REFUTED = """
SELECT count(*)
  FROM event AS proof
 WHERE proof.delivery_id = ANY(%s) AND proof.type = 'not_taken' AND proof.account_id IS NULL
   AND EXISTS (
       SELECT FROM event AS word
        WHERE word.delivery_id = proof.delivery_id AND word.handover_id = proof.handover_id
          AND word.grade > proof.grade AND word.log_xid = pg_current_xact_id())
   AND NOT EXISTS (
       SELECT FROM event AS word
        WHERE word.delivery_id = proof.delivery_id AND word.handover_id = proof.handover_id
          AND word.grade > proof.grade AND word.log_xid <> pg_current_xact_id())
"""


def note_refuted(conn: Connection, delivery_ids: Collection[UUID]) -> None:
    """Count, and tell, hand-overs proved not taken of which a word was recorded after all."""
    refuted: int = conn.execute(_REFUTED, (list(delivery_ids),)).fetchall()[0][0]
    if refuted:
        count(conn, "proofs_refuted", "", refuted)
        log.error(
            "ALARM %d hand-overs were taken after all that were proved not taken: their mail may"
            " have been sent twice",
            refuted,
        )
