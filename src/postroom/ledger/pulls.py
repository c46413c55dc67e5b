"""Pulls: stretches of time of which a provider is asked again, page by page, by whoever is there.

A pull is a row with the place where its next page begins. Whoever takes it has it for a while;
nothing is lost or skipped when that one is gone.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.ledger.db import Connection, connection, transaction

LEASE_S = 180.0
"""How long one question with its storing may take before another process asks it too."""
TRIES_MAX = 12
"""Failures in a row after which a pull is given up."""
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Pull:
    """A stretch of time of one account."""

    id: int
    account_id: int
    account: str
    since: datetime
    until: datetime
    why: str
    """`gap`, `doubt`, `silence` or `operator`."""
    place: str | None
    """Where the next page begins; None: at the beginning."""
    pages: int
    tries: int
    """Failures in a row."""


_COLUMNS = "pull.id, account_id, account.name, since, until, why, place, pages, tries"


def want(account_id: int, since: datetime, until: datetime, why: str) -> int | None:
    """The id of a new pull; None when one that waits or runs holds the stretch already."""
    with connection() as conn:
        row = conn.execute(
            "INSERT INTO pull (account_id, since, until, why)"
            " SELECT %(account)s, %(since)s, %(until)s, %(why)s"
            "  WHERE NOT EXISTS ("
            "        SELECT FROM pull"
            "         WHERE account_id = %(account)s AND finished_at IS NULL"
            "           AND since <= %(since)s AND until >= %(until)s)"
            " RETURNING id",
            {"account": account_id, "since": since, "until": until, "why": why},
        ).fetchone()
        return None if row is None else row[0]


def claim(only: int | None = None) -> Pull | None:
    """A pull that is due, ours for a while; of each account the oldest, and before others one for
    calls in doubt, whose window does not wait. None: nothing is due.

    The one pull `only` does not wait for others.
    """
    with transaction() as conn:
        row = conn.execute(
            f"SELECT {_COLUMNS}"
            "   FROM pull"
            "   JOIN account ON account.id = account_id"
            "  WHERE finished_at IS NULL AND next_at <= now()"
            "    AND CASE WHEN %(only)s::bigint IS NOT NULL THEN pull.id = %(only)s"
            "             ELSE NOT EXISTS ("
            "                  SELECT FROM pull AS sooner"
            "                   WHERE sooner.account_id = pull.account_id"
            "                     AND (sooner.why <> 'doubt', sooner.id)"
            "                       < (pull.why <> 'doubt', pull.id)"
            "                     AND sooner.finished_at IS NULL) END"
            "  ORDER BY next_at LIMIT 1"
            "    FOR UPDATE OF pull SKIP LOCKED",
            {"only": only},
        ).fetchone()
        if row is None:
            return None
        found = Pull(*row)
        _next(conn, found.id, LEASE_S)
        return found


def _next(conn: Connection, id: int, wait_s: float) -> None:
    conn.execute(
        "UPDATE pull SET next_at = now() + make_interval(secs => %s) WHERE id = %s", (wait_s, id)
    )


def advance(pull: Pull, place: str | None, pause_s: float) -> None:
    """The page is stored: go on at `place` after a pause; None: the pull is through.

    Nothing happens when somebody else has gone on from the same place meanwhile.
    """
    with connection() as conn:
        conn.execute(
            "UPDATE pull"
            "   SET place = %(place)s, pages = pages + 1, tries = 0, failed = NULL,"
            "       next_at = now() + make_interval(secs => %(pause)s),"
            "       finished_at = CASE WHEN %(place)s::text IS NULL THEN now() END"
            " WHERE id = %(id)s AND finished_at IS NULL AND pages = %(pages)s",
            {"place": place, "pause": pause_s, "id": pull.id, "pages": pull.pages},
        )


def fail(pull: Pull, why: str, wait_s: float) -> bool:
    """Whether the pull is given up; else the same page is asked for again after `wait_s`."""
    with connection() as conn:
        row = conn.execute(
            "UPDATE pull"
            "   SET tries = tries + 1, failed = %s,"
            "       next_at = now() + make_interval(secs => %s),"
            "       finished_at = CASE WHEN tries + 1 >= %s THEN now() END"
            " WHERE id = %s AND finished_at IS NULL AND pages = %s"
            " RETURNING finished_at IS NOT NULL",
            (why, wait_s, TRIES_MAX, pull.id, pull.pages),
        ).fetchone()
        return row is not None and bool(row[0])


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a pull is."""

    pages: int
    finished: bool
    failed: str | None
    """What went wrong at last; None: nothing, or all went well after it."""


def progress(id: int) -> Progress:
    """How far this pull is."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT pages, finished_at IS NOT NULL, failed FROM pull WHERE id = %s", (id,)
        ).fetchall()
        return Progress(*rows[0])


def given_up() -> list[tuple[str, str]]:
    """Accounts whose latest pull of the last day was given up, each with why."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT name, failed FROM ("
            "    SELECT DISTINCT ON (account_id) account.name, failed"
            "      FROM pull"
            "      JOIN account ON account.id = account_id"
            "     WHERE finished_at > now() - interval '1 day'"
            "     ORDER BY account_id, pull.id DESC) AS latest"
            " WHERE failed IS NOT NULL"
            " ORDER BY name"
        )
        return rows.fetchall()


def forget_old(limit: int) -> int:
    """How many pulls that were finished long ago were removed."""
    with connection() as conn:
        removed = conn.execute(
            "DELETE FROM pull WHERE id = ANY(ARRAY("
            "       SELECT id FROM pull WHERE finished_at < now() - %s LIMIT %s))",
            (KEPT, limit),
        )
        return removed.rowcount


DECIDING = """handover
    ON handover.delivery_id = delivery.id
   AND handover.id = COALESCE(decided_handover, handover.id)"""
"""The hand-over whose word decides: the only one, of deliveries of which nothing was heard yet."""

# The stretches of which words are missing: of incidents that stand, and of those that ended since
# the last pull over all of them. One hour late is soon enough to notice the latter.
_IN_INCIDENTS = """
SELECT account_id, began_at - interval '5 minutes',
       LEAST(now(), ended_at + interval '10 minutes')
  FROM incident
 WHERE account_id = ANY(%(accounts)s)
   AND (ended_at IS NULL OR ended_at > now() - interval '1 hour')
   AND NOT EXISTS (
       SELECT FROM pull
        WHERE pull.account_id = incident.account_id AND since <= began_at
          AND (until >= ended_at + interval '10 minutes'
               OR wanted_at > now() - %(again)s OR finished_at IS NULL))
"""

# From the oldest call in doubt until now, once half of the window has passed.
_IN_DOUBT = f"""
SELECT attempt.account_id, min(attempt.begun_at) - interval '1 minute', now()
  FROM delivery
  JOIN {DECIDING}
  JOIN attempt ON attempt.id = handover.attempt_id
 WHERE delivery.stage = 'handed' AND delivery.verdict = 'indeterminate'
   AND silent_since BETWEEN now() - interval '1 day' AND now() - %(half)s
   AND attempt.account_id = ANY(%(accounts)s)
   AND NOT EXISTS (
       SELECT FROM pull
        WHERE pull.account_id = attempt.account_id AND since <= attempt.begun_at
          AND until >= attempt.ended_at + %(half)s)
 GROUP BY attempt.account_id
"""

# From the oldest silence until now, no more often than every twelve hours.
_LONG_SILENT = f"""
SELECT account_id, min(silent_since) - interval '5 minutes', now()
  FROM delivery
  JOIN {DECIDING}
 WHERE silent_since BETWEEN now() - interval '4 days' AND now() - %(long)s
   AND stage = 'handed'
   AND account_id = ANY(%(accounts)s)
   AND NOT EXISTS (
       SELECT FROM pull
        WHERE pull.account_id = handover.account_id AND since <= silent_since
          AND (wanted_at > now() - interval '12 hours' OR finished_at IS NULL))
 GROUP BY account_id
"""

Stretch = tuple[int, datetime, datetime]
"""An account, from when and until when."""


def missing_in_incidents(accounts: Collection[int], again: timedelta) -> list[Stretch]:
    """Where words were missing; of what still lasts, again after that time."""
    return _stretches(_IN_INCIDENTS, accounts=list(accounts), again=again)


def missing_in_doubt(accounts: Collection[int], half_window: timedelta) -> list[Stretch]:
    """Where the outcome of calls is unknown, and half of the window for proof has passed."""
    return _stretches(_IN_DOUBT, accounts=list(accounts), half=half_window)


def missing_for_long(accounts: Collection[int], silence: timedelta) -> list[Stretch]:
    """Where hand-overs have been silent for so long."""
    return _stretches(_LONG_SILENT, accounts=list(accounts), long=silence)


def _stretches(statement: str, **parameters: object) -> list[Stretch]:
    with connection() as conn:
        return conn.execute(statement, parameters).fetchall()
