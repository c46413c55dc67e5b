"""Deliveries as people ask for them: by recipient, communication, message or id, now or as of then.

Pages are cut by id, newest first: a page that was given stays where it is while new rows come.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from postroom.domain.lane import Lane
from postroom.ledger.as_of import KNOWN_OF_PAGE, REASON_NOW, STATE_NOW, horizon, parameters
from postroom.ledger.db import Connection, connection
from postroom.ledger.selecting import Selection
from postroom.ledger.wanted import Applications, Wanted, page_of, page_where


@dataclass(frozen=True, slots=True)
class SuppressionLink:
    """The suppression that stopped a delivery, or that its failure caused."""

    id: int
    reason: str
    source: str
    created_at: datetime
    lifted_at: datetime | None
    effect: str
    """`stopped` this delivery, was `overridden` by it, `tried` with it, or `caused` by it."""
    note: str | None
    """What the person said who decided it."""
    delivery_id: UUID | None
    """The delivery whose failure is its evidence; None: a person decided, or it is another's."""
    event: str | None
    """The digest of the event that is its evidence, in hexadecimal; None as above."""
    receipt_id: UUID | None
    """The notification that told it; None as above."""
    text: str | None
    """Their words; None as above."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one recipient, and what became of it."""

    id: UUID
    message_id: UUID
    application: str
    communication: str | None
    recipient: str
    recipient_name: str | None
    ref: str | None
    metadata: dict[str, Any] | None
    subject: str
    lane: Lane
    simulated: bool
    accepted_at: datetime
    due_at: datetime
    expires_at: datetime | None
    state: str
    reason: str | None
    after_acceptance: bool
    conflicting_evidence: bool
    changed_at: datetime
    opened_at: datetime | None
    clicked_at: datetime | None
    complained_at: datetime | None
    unsubscribed_at: datetime | None
    reason_text: str | None
    """Their words, whole: what the receiver, the provider or we said."""
    reply_code: int | None
    enhanced_code: str | None
    remote_host: str | None
    said_by: str | None
    """The provider account that told it, or `postroom`; None: nobody has said anything yet."""
    said_at: datetime | None
    """When it reached us."""
    occurred_at: datetime | None
    """When it happened by the clock of whoever said so."""
    suppression: SuppressionLink | None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of deliveries, newest first."""

    items: list[Delivery]
    as_of: datetime | None
    """The instant that the states are about; None: now, from the cached verdicts."""


def find(
    wanted: Wanted, *, before: UUID | None = None, limit: int, as_of: datetime | None = None
) -> Found:
    """Up to `limit` deliveries with ids below `before`, newest first.

    With `as_of`, deliveries accepted by then, each as known then; an instant later than what is
    certainly recorded is answered as of that. `state` and `reason` select by the present.
    """
    with connection() as conn:
        at = None if as_of is None else min(as_of, horizon(conn))
        page, values = page_of(conn, wanted, before, limit, at)
        rows = _rows_now(conn, page, values) if at is None else _rows_at(conn, page, values, at)
    return Found([_delivery(row) for row in rows], at)


def delivery(
    id: UUID, applications: Applications = None, *, as_of: datetime | None = None
) -> Delivery | None:
    """One delivery; None when there is none that these applications may see."""
    found = find(Wanted(applications, id=id), limit=1, as_of=as_of).items
    return found[0] if found else None


_NOW = f"""
decided AS (
    SELECT id, {STATE_NOW} AS state, verdict, {REASON_NOW} AS reason,
           CASE WHEN {REASON_NOW} IS NOT NULL THEN reason_text END AS reason_text,
           CASE WHEN verdict IS NOT NULL THEN decided_by END AS decided_by,
           CASE WHEN verdict IS NOT NULL THEN decided_handover END AS decided_handover,
           after_acceptance, conflicting_evidence, changed_at,
           opened_at, clicked_at, complained_at, unsubscribed_at
      FROM page AS delivery
)
"""

_AT = f"""
chosen AS (
    SELECT id, recipient_key, send_at, local_events FROM page
),
{KNOWN_OF_PAGE},
axis AS MATERIALIZED (
    SELECT chosen.id,
           min(received_at) FILTER (WHERE type = 'opened') AS opened_at,
           min(received_at) FILTER (WHERE type = 'clicked') AS clicked_at,
           min(received_at) FILTER (WHERE type = 'complained') AS complained_at,
           min(received_at) FILTER (WHERE type = 'unsubscribed') AS unsubscribed_at
      FROM chosen
      JOIN event ON event.delivery_id = chosen.id
     WHERE event.delivery_id = ANY(%(ids)s)
       AND handover_id IS NOT NULL
       AND recorded_at <= %(at)s
     GROUP BY chosen.id
),
decided AS (
    SELECT known.id, state, known.verdict, known.reason, NULL AS reason_text, known.decided_by,
           known.decided_handover, known.after_acceptance, known.conflicting_evidence,
           COALESCE(decided_at, page.accepted_at) AS changed_at,
           axis.opened_at, axis.clicked_at, axis.complained_at, axis.unsubscribed_at
      FROM known
      JOIN page ON page.id = known.id
      LEFT JOIN axis ON axis.id = known.id
)
"""

_ANSWER = """
SELECT page.id, page.message_id, application.name, communication.name, page.recipient,
       page.recipient_name, page.ref, page.metadata, page.subject, page.lane, page.simulated,
       page.accepted_at, page.due_at, page.expires_at,
       decided.state, decided.reason, decided.after_acceptance, decided.conflicting_evidence,
       decided.changed_at, decided.opened_at, decided.clicked_at, decided.complained_at,
       decided.unsubscribed_at,
       COALESCE(event.diagnostic, call.reason_text, decided.reason_text),
       COALESCE(event.reply_code, call.reply_code),
       COALESCE(event.enhanced_code, call.enhanced_code),
       event.remote_host,
       CASE WHEN decided.state IN ('accepted', 'scheduled', 'queued', 'submitting') THEN NULL
            ELSE COALESCE(account.name, 'postroom') END,
       CASE WHEN decided.state IN ('accepted', 'scheduled', 'queued', 'submitting') THEN NULL
            ELSE COALESCE(event.received_at, call.answered_at, decided.changed_at) END,
       event.occurred_at,
       suppression.id, suppression.reason, suppression.source, suppression.created_at,
       suppression.lifted_at,
       CASE WHEN suppression.trial_delivery_id = page.id THEN 'tried'
            WHEN suppression.id IS DISTINCT FROM page.suppression_id THEN 'caused'
            WHEN page.stage = 'suppressed' THEN 'stopped'
            ELSE 'overridden' END,
       suppression.note, failed.id, encode(evidence.digest, 'hex'), evidence.receipt_id,
       evidence.diagnostic
  FROM page
  JOIN decided ON decided.id = page.id
  JOIN application ON application.id = page.application_id
  LEFT JOIN communication ON communication.id = page.communication_id
  LEFT JOIN event ON event.delivery_id = page.id AND event.digest = decided.decided_by
  LEFT JOIN LATERAL (
       SELECT handover.account_id, reason_text, reply_code, enhanced_code,
              COALESCE(settled_at, ended_at) AS answered_at
         FROM handover
         JOIN attempt ON attempt.id = attempt_id
        WHERE decided.verdict IS NOT NULL AND decided.decided_by IS NULL
          AND handover.delivery_id = page.id
          AND handover.id = COALESCE(decided.decided_handover, handover.id)
        ORDER BY handover.begun_at DESC
        LIMIT 1
       ) AS call ON true
  LEFT JOIN account ON account.id = COALESCE(event.account_id, call.account_id)
  LEFT JOIN LATERAL (
       SELECT * FROM suppression
        WHERE suppression.id = page.suppression_id
           OR (address_key = page.recipient_key AND suppression.delivery_id = page.id)
        ORDER BY suppression.id DESC
        LIMIT 1
       ) AS suppression ON true
  LEFT JOIN delivery AS failed ON failed.id = suppression.delivery_id
       AND failed.application_id = page.application_id
  LEFT JOIN event AS evidence ON evidence.delivery_id = failed.id
       AND evidence.digest = suppression.event_digest
 ORDER BY page.id DESC
"""

_Row = tuple[Any, ...]


def _rows_now(conn: Connection, page: str, values: dict[str, Any]) -> list[_Row]:
    return conn.execute(f"WITH {page}, {_NOW} {_ANSWER}", values).fetchall()


def _rows_at(conn: Connection, page: str, values: dict[str, Any], at: datetime) -> list[_Row]:
    """In two statements: the ids of the page tell the second one which partitions matter."""
    ids = [id for (id,) in conn.execute(f"WITH {page} SELECT id FROM page", values)]
    if not ids:
        return []
    chosen = Selection(["delivery.id = ANY(%(ids)s)"])
    known = {"ids": ids, "limit": len(ids), **parameters(at, ids)}
    return conn.execute(f"WITH {page_where(chosen)}, {_AT} {_ANSWER}", known).fetchall()


def _delivery(row: _Row) -> Delivery:
    values: list[Any] = list(row[:_LINK])
    values[_LANE] = Lane(values[_LANE])
    values.append(None if row[_LINK] is None else SuppressionLink(*row[_LINK:]))
    return Delivery(*values)


_NAMES = [field.name for field in fields(Delivery)]
_LANE = _NAMES.index("lane")
_LINK = _NAMES.index("suppression")
"""Where the columns of the suppression begin: it is the last field."""


def visible(ids: Sequence[UUID], applications: Sequence[int]) -> frozenset[UUID]:
    """Those of these deliveries that the applications may see."""
    if not ids:
        return frozenset()
    with connection() as conn:
        rows = conn.execute(
            "SELECT id FROM delivery WHERE id = ANY(%s) AND application_id = ANY(%s)",
            (list(ids), list(applications)),
        )
        return frozenset(id for (id,) in rows)
