"""The cached verdict: the fold of `domain.delivery`, read from and written to tables in sets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from postroom.domain.delivery import (
    OUTCOME_VERDICTS,
    OUTCOMES,
    EventType,
    Fact,
    Folded,
    Grade,
    Outcome,
    Verdict,
    fold,
)
from postroom.ledger.db import Connection
from postroom.ledger.ids import bounds
from postroom.ledger.recordset import rows_json, rows_of

OPEN = (Verdict.SUBMITTED, Verdict.DEFERRED, Verdict.INDETERMINATE)
"""Verdicts after which a further word is to be expected."""

ENGAGEMENT = (
    EventType.OPENED,
    EventType.CLICKED,
    EventType.COMPLAINED,
    EventType.UNSUBSCRIBED,
)


@dataclass(slots=True)
class Known:
    """All that the ledger knows of one delivery's attempts."""

    facts: list[Fact] = field(default_factory=list)
    texts: dict[tuple[UUID, bytes], str | None] = field(default_factory=dict)
    """Raw text by hand-over and event digest (empty: the call's own answer)."""
    firsts: dict[EventType, datetime] = field(default_factory=dict)
    """First time each kind of engagement was heard of."""


def facts_of(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, Known]:
    """Everything that enters the fold, for each of these deliveries."""
    known = {id: Known() for id in ids}
    if ids:
        _read_handovers(conn, known)
        _read_events(conn, known)
    return known


def _read_handovers(conn: Connection, known: dict[UUID, Known]) -> None:
    rows = conn.execute(
        "SELECT handover.delivery_id, handover.id, handover.begun_at,"
        "       COALESCE(handover.outcome, attempt.outcome),"
        "       COALESCE(handover.settled_at, attempt.ended_at),"
        "       handover.reason, handover.reason_text"
        "  FROM handover"
        "  JOIN attempt ON attempt.id = handover.attempt_id"
        " WHERE handover.delivery_id = ANY(%s) AND handover.id BETWEEN %s AND %s",
        (list(known), *bounds(known)),
    )
    for delivery_id, handover_id, begun_at, outcome, settled_at, reason, text in rows:
        one = known[delivery_id]
        one.facts.append(Fact(handover_id, Grade.BEGUN, begun_at, b"", Verdict.SUBMITTING))
        if outcome is not None:
            said = Outcome(outcome)
            one.facts.append(
                Fact(
                    handover_id,
                    OUTCOMES[said],
                    settled_at,
                    b"",
                    OUTCOME_VERDICTS[said],
                    reason,
                    asynchronous=False,
                )
            )
            one.texts[handover_id, b""] = text


def _read_events(conn: Connection, known: dict[UUID, Known]) -> None:
    rows = conn.execute(
        "SELECT delivery_id, handover_id, digest, type, grade, verdict, received_at, reason,"
        "       asynchronous, diagnostic"
        "  FROM event"
        " WHERE delivery_id = ANY(%s) AND handover_id IS NOT NULL",
        (list(known),),
    )
    for delivery_id, handover_id, digest, type, grade, verdict, at, reason, late, text in rows:
        one = known[delivery_id]
        if type in ENGAGEMENT:
            kind = EventType(type)
            one.firsts[kind] = min(at, one.firsts.get(kind, at))
        if grade > Grade.NONE:
            one.facts.append(
                Fact(handover_id, Grade(grade), at, bytes(digest), Verdict(verdict), reason, late)
            )
            one.texts[handover_id, bytes(digest)] = text


def lock(conn: Connection, ids: Iterable[UUID]) -> dict[UUID, tuple[bool, str]]:
    """Whether simulated, and the suppression key, of each delivery; its row is locked."""
    rows = conn.execute(
        "SELECT id, simulated, recipient_key FROM delivery"
        " WHERE id = ANY(%s)"
        " ORDER BY id"
        "   FOR NO KEY UPDATE",
        (list(ids),),
    )
    return {id: (simulated, key) for id, simulated, key in rows}


def refold(conn: Connection, ids: Iterable[UUID]) -> None:
    """Write the verdicts of these deliveries anew. Their rows must be locked by the caller."""
    wanted = sorted(set(ids))
    if wanted:
        known = facts_of(conn, wanted)
        _write(conn, [_row(id, one) for id, one in known.items()])


_COLUMNS = {
    "id": "uuid",
    "verdict": "text",
    "reason": "text",
    "reason_text": "text",
    "decided_by": "bytea",
    "decided_handover": "uuid",
    "after_acceptance": "bool",
    "conflicting_evidence": "bool",
    "silent_since": "timestamptz",
    "opened_at": "timestamptz",
    "clicked_at": "timestamptz",
    "complained_at": "timestamptz",
    "unsubscribed_at": "timestamptz",
}


def _row(id: UUID, known: Known) -> tuple[Any, ...]:
    folded = fold(known.facts)
    return (id, *_verdict_columns(folded, known), *(known.firsts.get(kind) for kind in ENGAGEMENT))


def _verdict_columns(folded: Folded | None, known: Known) -> tuple[Any, ...]:
    if folded is None or folded.verdict is Verdict.SUBMITTING:
        # The stage speaks: nothing in play, or only a call whose answer is still out.
        return (None, None, None, None, None, False, False, None)
    return (
        str(folded.verdict),
        folded.reason,
        known.texts.get((folded.handover_id, folded.key)),
        folded.key or None,
        folded.handover_id,
        folded.after_acceptance,
        folded.conflicting_evidence,
        max(fact.received_at for fact in known.facts) if folded.verdict in OPEN else None,
    )


_STAGE_SPEAKS = "folded.verdict IS NULL AND stage NOT IN ('handed', 'submitting')"
"""The reason on the row is then the stage's own, and stays."""

_UPDATE = (
    "UPDATE delivery"
    "   SET verdict = folded.verdict, decided_by = folded.decided_by,"
    "       decided_handover = folded.decided_handover,"
    "       after_acceptance = folded.after_acceptance,"
    "       conflicting_evidence = folded.conflicting_evidence,"
    "       silent_since = folded.silent_since, opened_at = folded.opened_at,"
    "       clicked_at = folded.clicked_at, complained_at = folded.complained_at,"
    "       unsubscribed_at = folded.unsubscribed_at, changed_at = now(),"
    f"      reason = CASE WHEN {_STAGE_SPEAKS} THEN delivery.reason ELSE folded.reason END,"
    f"      reason_text = CASE WHEN {_STAGE_SPEAKS} THEN delivery.reason_text"
    "                          ELSE folded.reason_text END,"
    "       stage = CASE"
    # Heard of at last: a copy that waits to be sent again is not sent.
    "           WHEN stage = 'queued'"
    "                AND folded.verdict NOT IN ('indeterminate', 'unconfirmed') THEN 'handed'"
    # Proved not taken: back to the queue.
    "           WHEN stage = 'handed' AND folded.verdict IS NULL THEN 'queued'"
    "           ELSE stage END"
    f" FROM {rows_of(_COLUMNS, 'folded')}"
    # `= ANY` beside the join keeps the plan to index look-ups on the partitions concerned.
    " WHERE delivery.id = folded.id AND delivery.id = ANY(%s)"
)


def _write(conn: Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    conn.execute(_UPDATE, (rows_json(_COLUMNS, rows), [row[0] for row in rows]))
