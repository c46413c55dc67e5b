"""Spikes on record: one reason given unusually often by one receiving domain."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.domain.spike import FAILED_MIN, WINDOW, Figures, is_spike
from postroom.ledger.db import connection, transaction
from postroom.ledger.guard import COMPLAINED, DELIVERED, HANDED

USUAL_UNTIL = timedelta(days=1)
"""The last day is not taken for usual: a spike of many hours must not make itself so."""

_NOT_SAID = f"('{HANDED}', '{COMPLAINED}')"
_LATELY = "slot_at >= now() - %(window)s"
_BEFORE = "slot_at < now() - %(usual_until)s"
_LOOK = f"""
WITH failing AS (
    SELECT account.simulated, receiver, what AS reason, sum(count)::int AS failed,
           min(slot_at) AS began_at, array_agg(DISTINCT application_id) AS applications
      FROM guard_count
      JOIN account ON account.id = account_id
     WHERE {_LATELY} AND what NOT IN ('{HANDED}', '{COMPLAINED}', '{DELIVERED}')
     GROUP BY 1, 2, 3
    HAVING sum(count) >= %(failed_min)s / 2
)
SELECT failing.simulated, failing.receiver, failing.reason, failing.began_at,
       failing.applications, failing.failed,
       COALESCE(sum(count) FILTER (WHERE {_LATELY}), 0)::int,
       COALESCE(sum(count) FILTER (WHERE {_BEFORE} AND what = failing.reason), 0)::int,
       COALESCE(sum(count) FILTER (WHERE {_BEFORE}), 0)::int
  FROM failing
  JOIN guard_count ON guard_count.receiver = failing.receiver AND what NOT IN {_NOT_SAID}
  JOIN account ON account.id = account_id AND account.simulated = failing.simulated
 GROUP BY 1, 2, 3, 4, 5, 6
 ORDER BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Spike:
    """A receiving domain that gives, or gave, one reason unusually often."""

    id: int
    simulated: bool
    domain: str
    reason: str
    began_at: datetime
    """When the first of these mails was handed over, within five minutes."""
    ended_at: datetime | None
    failed: int
    """Within the hour in which it was noticed; so too `told`."""
    told: int
    applications: list[str]
    """Whose mail it was."""


def look() -> tuple[list[Spike], list[Spike]]:
    """The spikes that began, and those that ended."""
    with transaction() as conn:
        known = {
            (simulated, domain, reason): id
            for id, simulated, domain, reason in conn.execute(
                "SELECT id, simulated, domain, reason FROM spike WHERE ended_at IS NULL"
                "   FOR UPDATE SKIP LOCKED"
            )
        }
        began, go_on = [], set()
        lately = {"window": WINDOW, "usual_until": USUAL_UNTIL, "failed_min": FAILED_MIN}
        for simulated, domain, reason, at, whose, *counts in conn.execute(_LOOK, lately):
            failed, told, usual_failed, usual_told = counts
            key = (simulated, domain, reason)
            usual = Figures(usual_failed, usual_told)
            if is_spike(Figures(failed, told), usual, stands=key in known):
                go_on.add(key)
                began += conn.execute(
                    "INSERT INTO spike"
                    " (simulated, domain, reason, began_at, applications, failed, told)"
                    " VALUES (%s, %s, %s, %s, %s, %s, %s)"
                    " ON CONFLICT (simulated, domain, reason) WHERE ended_at IS NULL DO NOTHING"
                    " RETURNING id",
                    (*key, at, whose, failed, told),
                ).fetchall()
        over = [id for key, id in known.items() if key not in go_on]
        conn.execute("UPDATE spike SET ended_at = now() WHERE id = ANY(%s)", (over,))
    return _by_ids([id for (id,) in began]), _by_ids(over)


_SHOWN = """
SELECT id, simulated, domain, reason, began_at, ended_at, failed, told,
       ARRAY(SELECT name FROM application
              WHERE application.id = ANY(applications) ORDER BY name)
  FROM spike
"""


def _by_ids(ids: Sequence[int]) -> list[Spike]:
    with connection() as conn:
        rows = conn.execute(f"{_SHOWN} WHERE id = ANY(%s) ORDER BY id", (list(ids),))
        return [Spike(*row) for row in rows]


def standing() -> list[Spike]:
    """Those that are not over, the oldest first."""
    with connection() as conn:
        rows = conn.execute(f"{_SHOWN} WHERE ended_at IS NULL ORDER BY id")
        return [Spike(*row) for row in rows]


def listed(application_id: int, simulated: bool, before_id: int | None, limit: int) -> list[Spike]:
    """Those that concern an application's mail, newest first."""
    with connection() as conn:
        rows = conn.execute(
            f"{_SHOWN} WHERE %s = ANY(applications) AND simulated = %s AND (%s::bigint IS NULL"
            " OR id < %s) ORDER BY id DESC LIMIT %s",
            (application_id, simulated, before_id, before_id, limit),
        )
        return [Spike(*row) for row in rows]
