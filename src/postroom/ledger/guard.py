"""What the guard judges mail by: counters of hand-overs, first final words and complaints.

They stand by when the mail was handed over, so a rate is that of the same mails, and words that
come late or all at once change no other time. In parts, as writers would otherwise wait for one
another's commits.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from postroom.domain.delivery import EventType, Verdict
from postroom.domain.guard import HARD, WINDOWS, Counts, Level
from postroom.domain.guard_lines import MAILBOXES, TELLS_NO_COMPLAINTS
from postroom.domain.lane import Lane
from postroom.domain.mail_kind import MailKind
from postroom.ledger.db import Connection, connection, transaction
from postroom.ledger.flow import PART
from postroom.ledger.ids import bounds
from postroom.ledger.recordset import rows_json, rows_of

HANDED, DELIVERED, COMPLAINED = "handed", "delivered", "complained"
"""What is counted, beside the reasons of failures."""

KEPT = max(WINDOWS) + timedelta(days=1)

FROM_DOMAIN = "lower(split_part(message.from_address, '@', -1))"
"""SQL: the From domain of a message."""
PRESSING = (
    f"(message.lane = {int(Lane.URGENT)}"
    f" OR message.lane = {int(Lane.NORMAL)} AND message.kind <> '{MailKind.MARKETING}')"
)
"""SQL: whether holding the mail may hurt a person; `domain.guard.waits_for_somebody`."""

# A person who lets mail go on begins a new slot: what was handed over before counts no more.
_SLOT = (
    "GREATEST(date_bin('5 min', {at}, 'epoch'),"
    " CASE WHEN guard_resumed_at <= {at} THEN guard_resumed_at END)"
)
_CELL = "application_id, communication_id, account_id, from_domain, kind, is_pressing"
_COLUMNS = f"{_CELL}, receiver, what, slot_at, part, count"
_ADD = (
    f" ON CONFLICT (slot_at, {_CELL}, receiver, what, part) DO UPDATE"
    "   SET count = guard_count.count + excluded.count"
)
_OF_MESSAGE = (
    f"message.application_id, COALESCE(message.communication_id, 0), {{account}}, {FROM_DOMAIN},"
    f" message.kind, {PRESSING}"
)

_TAKEN = {"attempt_id": "uuid", "taken": "int"}
_HANDED = (
    f"INSERT INTO guard_count ({_COLUMNS})"
    f" SELECT {_OF_MESSAGE.format(account='attempt.account_id')}, '', '{HANDED}',"
    f"       {_SLOT.format(at='attempt.begun_at')}, {PART}, sum(taken)"
    f"  FROM {rows_of(_TAKEN, 'call')}"
    "   JOIN attempt ON attempt.id = attempt_id"
    "   JOIN message ON message.id = attempt.message_id"
    "   JOIN application ON application.id = message.application_id"
    "  WHERE attempt.id = ANY(%s)"
    "  GROUP BY 1, 2, 3, 4, 5, 6, 9"
    "  ORDER BY 9, 1, 2, 3, 4, 5, 6"
) + _ADD


def count_handed(conn: Connection, calls: Iterable[tuple[UUID, int]]) -> None:
    """Count hand-overs that providers took, as (attempt, how many), at the transaction's end."""
    rows = [call for call in calls if call[1]]
    if rows:
        conn.execute(_HANDED, (rows_json(_TAKEN, rows), [id for id, _ in rows]))


_NOW = "log_xid = pg_current_xact_id()"
_FINAL = f"verdict IN ('{Verdict.DELIVERED}', '{Verdict.BOUNCED}')"
_FAILED = f"verdict = '{Verdict.BOUNCED}'"
_HARD = f"({_FAILED} AND reason = ANY(%(hard)s))"
_COMPLAINT = f"type = '{EventType.COMPLAINED}'"

# Of each delivery, what this transaction has heard first: a final word, a complaint; or that a
# mail failed for good of which something else was said before, which then is counted no more.
# Messages are few and deliveries many: each message is looked up once.
_FIRST = f"""
WITH heard AS (
    SELECT delivery_id, (array_agg(handover_id ORDER BY handover_id))[1] AS handover_id,
           COALESCE(bool_or({_FINAL}) FILTER (WHERE NOT {_NOW}), false) AS was_told,
           COALESCE(bool_or({_FINAL}) FILTER (WHERE {_NOW}), false) AS is_told,
           COALESCE(bool_or({_HARD}) FILTER (WHERE NOT {_NOW}), false) AS was_hard,
           COALESCE(bool_or({_HARD}) FILTER (WHERE {_NOW}), false) AS is_hard,
           COALESCE(bool_or({_COMPLAINT}) FILTER (WHERE NOT {_NOW}), false) AS was_complaint,
           COALESCE(bool_or({_COMPLAINT}) FILTER (WHERE {_NOW}), false) AS is_complaint,
           (array_agg(COALESCE(reason, '{DELIVERED}') ORDER BY log_seq)
               FILTER (WHERE {_FINAL} AND NOT {_NOW}))[1] AS said_before,
           (array_agg(reason ORDER BY {_HARD} DESC, log_seq)
               FILTER (WHERE {_FAILED} AND {_NOW}))[1] AS failing
      FROM event
     WHERE delivery_id = ANY(%(ids)s) AND handover_id IS NOT NULL AND account_id IS NOT NULL
       AND ({_FINAL} OR {_COMPLAINT})
     GROUP BY delivery_id
),
counted AS MATERIALIZED (
    SELECT delivery_id, handover_id, what, more
      FROM heard,
           LATERAL (VALUES
               (CASE WHEN is_told AND NOT was_told THEN COALESCE(failing, '{DELIVERED}') END, 1),
               (CASE WHEN is_hard AND was_told AND NOT was_hard THEN failing END, 1),
               (CASE WHEN is_hard AND was_told AND NOT was_hard THEN said_before END, -1),
               (CASE WHEN is_complaint AND NOT was_complaint THEN '{COMPLAINED}' END, 1)
           ) AS said (what, more)
     WHERE what IS NOT NULL
),
mail AS MATERIALIZED (
    SELECT id, message_id, split_part(recipient_key, '@', -1) AS receiver
      FROM delivery WHERE id = ANY(%(ids)s)
),
letter AS MATERIALIZED (
    SELECT message.id, message.application_id, communication_id, from_address, kind, lane,
           guard_resumed_at
      FROM message
      JOIN application ON application.id = message.application_id
     WHERE message.id IN (SELECT DISTINCT message_id FROM mail)
)
INSERT INTO guard_count ({_COLUMNS})
SELECT {_OF_MESSAGE.format(account="handover.account_id")}, receiver, what,
       {_SLOT.format(at="handover.begun_at")}, {PART}, sum(more)
  FROM counted
  JOIN handover ON handover.id = counted.handover_id AND handover.id BETWEEN %(low)s AND %(high)s
  JOIN mail ON mail.id = counted.delivery_id
  JOIN letter AS message ON message.id = mail.message_id
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
 ORDER BY 9, 1, 2, 3, 4, 5, 6, 7, 8
"""


def count_words(conn: Connection, delivery_ids: Collection[UUID]) -> None:
    """Count what this transaction recorded first about these deliveries, at its end.

    Their rows must be locked by the caller, or two could both be first.
    """
    if delivery_ids:
        low, high = bounds(delivery_ids)
        conn.execute(
            _FIRST + _ADD,
            {"ids": list(delivery_ids), "low": low, "high": high, "hard": sorted(HARD)},
        )


@dataclass(frozen=True, slots=True)
class Tally:
    """Sums of one communication's mail from one From domain over one account."""

    application_id: int
    communication_id: int | None
    """None: mail outside of any."""
    account_id: int
    from_domain: str
    kind: str
    is_pressing: bool
    provider: str
    """Whose the account is."""
    receiver: str
    """A domain of a large mailbox operator; empty: all the others, and what was handed over."""
    counts: Counts


_SAME_MAIL = " AND ".join(
    f"guard_case.{name} = guard_count.{name}"
    for name in ("application_id", "account_id", "from_domain", "kind", "is_pressing")
)
# Mail to a receiver to which it is held already is not counted against the rest.
_SUMS = f"""
SELECT guard_count.application_id, NULLIF(guard_count.communication_id, 0),
       guard_count.account_id, guard_count.from_domain, guard_count.kind, guard_count.is_pressing,
       provider, CASE WHEN receiver = ANY(%(known)s) THEN receiver ELSE '' END AS mailboxes,
       COALESCE(sum(count) FILTER (WHERE what = '{HANDED}'), 0)::int,
       COALESCE(sum(count) FILTER (WHERE what NOT IN ('{HANDED}', '{COMPLAINED}')), 0)::int,
       COALESCE(sum(count) FILTER (WHERE what = ANY(%(hard)s)), 0)::int,
       COALESCE(sum(count) FILTER (
           WHERE what = '{DELIVERED}' AND receiver <> ALL(%(silent)s)), 0)::int,
       COALESCE(sum(count) FILTER (WHERE what = '{COMPLAINED}'), 0)::int
  FROM guard_count
  JOIN application ON application.id = guard_count.application_id
  JOIN account ON account.id = guard_count.account_id
 WHERE slot_at >= now() - %(window)s
   AND (guard_resumed_at IS NULL OR slot_at >= guard_resumed_at)
   AND NOT EXISTS (
       SELECT FROM guard_case
        WHERE ended_at IS NULL AND level = {int(Level.PAUSE)}
          AND guard_case.receivers @> ARRAY[guard_count.receiver]
          AND (guard_case.communication_id IS NULL
               OR guard_case.communication_id = guard_count.communication_id)
          AND {_SAME_MAIL})
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
 ORDER BY 1, 2, 3, 4, 5, 6, 7, 8
"""
_SUMMED = {
    "known": [domain for domains in MAILBOXES.values() for domain in domains],
    "silent": sorted(TELLS_NO_COMPLAINTS),
    "hard": sorted(HARD),
}


def tallies(windows: Iterable[timedelta]) -> tuple[datetime, dict[timedelta, list[Tally]]]:
    """When they were read, and for each window the sums over what was handed over in it.

    Of each application only what was handed over since a person last let its mail go on.
    """
    with connection() as conn:
        (read_at,) = conn.execute("SELECT now()").fetchall()[0]
        found = {window: _tallies(conn, window) for window in windows}
    return read_at, found


def _tallies(conn: Connection, window: timedelta) -> list[Tally]:
    rows = conn.execute(_SUMS, _SUMMED | {"window": window})
    return [Tally(*(*row[:8], Counts(*row[8:]))) for row in rows]


def worst_receiver(
    window: timedelta,
    application_id: int,
    communication_id: int | None,
    account_id: int,
    from_domain: str,
    kind: str,
    is_pressing: bool,
) -> tuple[str, Counts] | None:
    """The receiving domain at which most of such mail failed, and its sums; None: nothing did."""
    with connection() as conn:
        row = conn.execute(
            "SELECT receiver, sum(count)::int,"
            "       COALESCE(sum(count) FILTER (WHERE what = ANY(%s)), 0)::int AS failed"
            "  FROM guard_count"
            "  JOIN application ON application.id = application_id"
            " WHERE slot_at >= now() - %s"
            "   AND (guard_resumed_at IS NULL OR slot_at >= guard_resumed_at)"
            "   AND what NOT IN (%s, %s)"
            "   AND application_id = %s AND (%s::bigint IS NULL OR communication_id = %s)"
            "   AND account_id = %s AND from_domain = %s AND kind = %s AND is_pressing = %s"
            " GROUP BY receiver"
            " ORDER BY failed DESC LIMIT 1",
            (sorted(HARD), window, HANDED, COMPLAINED, application_id, communication_id,
             communication_id, account_id, from_domain, kind, is_pressing),
        ).fetchone()  # fmt: skip
    return None if row is None or not row[2] else (row[0], Counts(told=row[1], failed=row[2]))


def delivered_in_a_day(
    from_domain: str, mailboxes: Mapping[str, Collection[str]]
) -> dict[str, int]:
    """By operator of mailboxes, live mail from the domain that it took within the last day."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT receiver, sum(count)::int"
            "  FROM guard_count"
            "  JOIN account ON account.id = account_id AND NOT simulated"
            " WHERE from_domain = %s AND what = %s AND slot_at >= now() - interval '1 day'"
            " GROUP BY receiver",
            (from_domain, DELIVERED),
        )
        counted: dict[str, int] = dict(rows.fetchall())
    return {
        operator: sum(counted.get(domain, 0) for domain in domains)
        for operator, domains in mailboxes.items()
    }


def forget_old(limit: int) -> int:
    """How many counters were removed that no window looks back to."""
    with transaction() as conn:
        return conn.execute(
            "DELETE FROM guard_count"
            " WHERE ctid = ANY(ARRAY("
            "       SELECT ctid FROM guard_count WHERE slot_at < now() - %s LIMIT %s))",
            (KEPT, limit),
        ).rowcount
