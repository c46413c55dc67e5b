"""Times in which words from an account were missing: one row each, at most one open per account."""

from dataclasses import dataclass
from datetime import datetime

from postroom.ledger.db import connection


@dataclass(frozen=True, slots=True)
class Incident:
    """A time in which words were missing."""

    account_id: int
    account: str
    kind: str
    began_at: datetime
    """The first minute whose hand-overs were not heard of as usual."""
    said: str
    """What was noticed, in words."""


def opened(account_id: int, kind: str, began_at: datetime, said: str) -> bool:
    """Whether this is news: no incident stood for the account, and one stands now."""
    with connection() as conn:
        made = conn.execute(
            "INSERT INTO incident (account_id, kind, began_at, said) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (account_id) WHERE ended_at IS NULL DO NOTHING",
            (account_id, kind, began_at, said),
        )
        return made.rowcount == 1


def closed(account_id: int, ended_at: datetime) -> bool:
    """Whether this is news: an incident stood for the account, and none stands now."""
    with connection() as conn:
        changed = conn.execute(
            "UPDATE incident SET ended_at = GREATEST(began_at, %s)"
            " WHERE account_id = %s AND ended_at IS NULL",
            (ended_at, account_id),
        )
        return changed.rowcount == 1


def standing() -> list[Incident]:
    """Those that are not over, the oldest first."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT account_id, account.name, kind, began_at, said"
            "  FROM incident"
            "  JOIN account ON account.id = account_id"
            " WHERE ended_at IS NULL"
            " ORDER BY began_at, incident.id"
        )
        return [Incident(*row) for row in rows]
