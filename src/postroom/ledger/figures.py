"""The balanced report of a communication: every intended recipient in exactly one bucket.

Figures and their definitions:

- `recipients`: the sum of `message.recipients`, written at acceptance and never changed.
- `states`, `answers`: deliveries by state and by the answer people see. Each sums to `recipients`.
- `reasons`: deliveries that have a reason in their present state, by reason.
- `people`: suppression keys by the best answer among their deliveries, best first: delivered,
  still_trying, not_known, not_delivered, not_sent.
- `handed_over`: deliveries with an attempt in play; `final`: those of them whose word is final.
- `engagement`: deliveries that were opened, and that were clicked (`ledger/engagement.py`).

Live and simulated deliveries are never in one report.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from postroom.domain.delivery import ANSWERS, FINAL, Answer, Grade, Verdict
from postroom.domain.reason import RULES_VERSION
from postroom.ledger.as_of import KNOWN, REASON_NOW, STATE_NOW, horizon, parameters
from postroom.ledger.db import Connection, connection
from postroom.ledger.engagement import NONE, Range, ranges
from postroom.ledger.ids import bounds, instant_of

BEST_FIRST = tuple(Answer)
"""The order in which one answer about a person outweighs another."""

_SORT_MEMORY = "128MB"  # a hundred thousand deliveries are sorted in memory, not on disk


@dataclass(slots=True)
class Report:
    """What one communication achieved, as known at `as_of`."""

    application: str
    communication: str
    simulated: bool
    as_of: datetime
    """The instant that this answer is about: never later than what is certainly recorded."""
    rules: int
    """The version of the rules that the facts were read with."""
    recipients: int = 0
    duplicates: int = 0
    """Recipients named more than once in one message, and left out."""
    states: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, ANSWERS), 0))
    answers: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, BEST_FIRST), 0))
    reasons: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=lambda: dict.fromkeys(map(str, BEST_FIRST), 0))
    handed_over: int = 0
    final: int = 0
    engagement: dict[str, Range] = field(default_factory=lambda: dict(NONE))
    silent_since: datetime | None = None
    """The last word about any delivery that waits for a final one; None when none waits."""
    paused_at: datetime | None = None
    """Since when nothing more of it, or of its application, is handed over; None: it goes on.

    As of now, also in a report about the past."""

    @property
    def balanced(self) -> bool:
        """Whether every recipient counted at acceptance is in exactly one bucket."""
        sums = {sum(self.states.values()), sum(self.answers.values())}
        return sums == {self.recipients}


@dataclass(frozen=True, slots=True)
class _Subject:
    """The deliveries that a report is about."""

    communication_id: int
    simulated: bool
    ends: tuple[UUID, UUID]
    """Its first message and its last delivery: everything else lies between."""


def report(
    application_id: int,
    communication: str,
    *,
    as_of: datetime | None = None,
    simulated: bool | None = None,
) -> Report | None:
    """The report as known now, or at `as_of`; None when the application has no such communication.

    `simulated` chooses the kind of deliveries; None: live ones where there are any, else
    simulated ones.
    """
    with connection() as conn:
        known_until = horizon(conn)
        with _snapshot(conn):
            found = _communication(conn, application_id, communication)
            if found is None:
                return None
            at = None if as_of is None else min(as_of, known_until)
            id, application, paused_at = found
            made = _report(conn, id, application, communication, at, simulated)
            made.paused_at = paused_at
            return made


@contextmanager
def _snapshot(conn: Connection) -> Iterator[None]:
    """One view of the ledger for several statements, with room to sort."""
    with conn.transaction():
        conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        conn.execute(f"SET LOCAL work_mem = '{_SORT_MEMORY}'")
        yield


def _communication(
    conn: Connection, application_id: int, name: str
) -> tuple[int, str, datetime | None] | None:
    return conn.execute(
        "SELECT communication.id, application.name,"
        "       LEAST(communication.paused_at, application.paused_at)"
        "  FROM communication"
        "  JOIN application ON application.id = application_id"
        " WHERE application_id = %s AND communication.name = %s",
        (application_id, name),
    ).fetchone()


def _report(
    conn: Connection,
    communication_id: int,
    application: str,
    communication: str,
    at: datetime | None,
    simulated: bool | None,
) -> Report:
    counted = _counted(conn, communication_id, at)
    kind = (False not in counted and True in counted) if simulated is None else simulated
    made = Report(application, communication, kind, at or _now(conn), RULES_VERSION)
    made.recipients, made.duplicates = counted.get(kind, (0, 0))
    ends = _ends(conn, communication_id)
    if ends is not None:
        subject = _Subject(communication_id, kind, ends)
        _fill(made, _rows_now(conn, subject) if at is None else _rows_at(conn, subject, at))
        made.engagement |= ranges(conn, communication_id, kind, ends, at)
    return made


def _now(conn: Connection) -> datetime:
    """The instant of the snapshot."""
    instant: datetime = conn.execute("SELECT now()").fetchall()[0][0]
    return instant


def _counted(
    conn: Connection, communication_id: int, at: datetime | None
) -> dict[bool, tuple[int, int]]:
    """Recipients and duplicates counted at acceptance, by kind; every kind there is by now."""
    rows = conn.execute(
        "SELECT simulated,"
        "       COALESCE(sum(recipients) FILTER (WHERE accepted_at <= %(at)s), 0),"
        "       COALESCE(sum(duplicates) FILTER (WHERE accepted_at <= %(at)s), 0)"
        "  FROM message"
        " WHERE communication_id = %(id)s"
        " GROUP BY simulated",
        {"id": communication_id, "at": at or "infinity"},
    )
    return {kind: (recipients, duplicates) for kind, recipients, duplicates in rows}


def _ends(conn: Connection, communication_id: int) -> tuple[UUID, UUID] | None:
    """The communication's first message and last delivery; None when it has none."""
    first, last = conn.execute(
        "SELECT (SELECT id FROM message WHERE communication_id = %(id)s ORDER BY id LIMIT 1),"
        "       (SELECT id FROM delivery WHERE communication_id = %(id)s ORDER BY id DESC LIMIT 1)",
        {"id": communication_id},
    ).fetchone() or (None, None)
    return None if first is None or last is None else (first, last)


_RANKS = ", ".join(f"('{state}', {BEST_FIRST.index(answer)})" for state, answer in ANSWERS.items())
_OPEN = ", ".join(f"'{verdict}'" for verdict in Verdict if verdict not in FINAL)

# From `subject` (recipient_key, state, verdict, reason, heard_at) to rows for both tables of the
# report: by state and reason with the share that is final, and by each person's best answer.
_COUNTS = f"""
answered AS (
    SELECT subject.*, rank
      FROM subject
      JOIN (VALUES {_RANKS}) AS answer (state, rank) USING (state)
),
person AS (
    SELECT min(rank) AS best FROM answered GROUP BY recipient_key
)
SELECT 'state', state, reason, count(*), count(verdict),
       max(heard_at) FILTER (WHERE verdict IN ({_OPEN}))
  FROM answered
 GROUP BY state, reason
 UNION ALL
SELECT 'person', best::text, NULL, count(*), 0, NULL
  FROM person
 GROUP BY best
"""

_HEARD_BEFORE_THE_WINDOW = f"""GREATEST(
               (SELECT max(received_at)
                  FROM event
                 WHERE event.delivery_id = delivery.id
                   AND event.delivery_id BETWEEN %(low)s AND %(high)s
                   AND handover_id = delivery.decided_handover
                   AND grade > {int(Grade.NONE)}
                   AND event.verdict <> '{Verdict.UNCONFIRMED}'),
               (SELECT COALESCE(settled_at, ended_at, handover.begun_at)
                  FROM handover
                  JOIN attempt ON attempt.id = attempt_id
                 WHERE handover.id = delivery.decided_handover
                   AND handover.id BETWEEN %(low)s AND %(high)s))"""
"""The last event about the attempt that decides, or the answer to its call."""

_NOW = f"""
WITH subject AS (
    SELECT recipient_key, {STATE_NOW} AS state, verdict,
           {REASON_NOW} AS reason,
           CASE WHEN verdict = '{Verdict.UNCONFIRMED}' THEN {_HEARD_BEFORE_THE_WINDOW}
                ELSE silent_since END AS heard_at
      FROM delivery
     WHERE communication_id = %(communication)s AND simulated = %(simulated)s
       AND id BETWEEN %(low)s AND %(high)s
),
{_COUNTS}"""

_AT = f"""
WITH chosen AS MATERIALIZED (
    SELECT delivery.id, recipient_key, local_events, message.send_at
      FROM delivery
      JOIN message ON message.id = message_id
     WHERE delivery.communication_id = %(communication)s AND delivery.simulated = %(simulated)s
       AND delivery.id BETWEEN %(low)s AND %(high)s
       AND message.id BETWEEN %(low)s AND %(high)s
       AND accepted_at <= %(at)s
),
{KNOWN},
subject AS (
    SELECT recipient_key, state, verdict, reason, heard_at FROM known
),
{_COUNTS}"""

_CLOSE_TOGETHER = timedelta(days=7)
"""A communication within this span is read as one stretch of the ledger and joined in sets.

Just after a broadcast the planner takes its rows for a handful and would loop over the stretch
for each. Over longer spans the rows are few among many, and known to the planner.
"""

_Row = tuple[Any, ...]


def _rows_now(conn: Connection, subject: _Subject) -> Iterable[_Row]:
    low, high = bounds(subject.ends)
    return conn.execute(
        _NOW,
        {
            "communication": subject.communication_id,
            "simulated": subject.simulated,
            "low": low,
            "high": high,
        },
    )


def _rows_at(conn: Connection, subject: _Subject, at: datetime) -> Iterable[_Row]:
    first, last = map(instant_of, subject.ends)
    if last - first < _CLOSE_TOGETHER:
        conn.execute("SET LOCAL enable_nestloop = off")
    return conn.execute(
        _AT,
        {
            "communication": subject.communication_id,
            "simulated": subject.simulated,
            **parameters(at, subject.ends),
        },
    )


def _fill(made: Report, rows: Iterable[_Row]) -> None:
    for table, name, reason, count, handed_over, heard_at in rows:
        if table == "person":
            made.people[BEST_FIRST[int(name)]] = count
        else:
            _count_state(made, name, reason, count, handed_over, heard_at)


def _count_state(
    made: Report,
    state: str,
    reason: str | None,
    count: int,
    handed_over: int,
    heard_at: datetime | None,
) -> None:
    made.states[state] += count
    made.answers[ANSWERS[state]] += count
    if reason is not None:
        made.reasons[reason] = made.reasons.get(reason, 0) + count
    made.handed_over += handed_over
    if state in FINAL:
        made.final += handed_over
    if heard_at is not None:
        made.silent_since = max(heard_at, made.silent_since or heard_at)
