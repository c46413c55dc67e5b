"""Failures whose reason nobody knows yet: what was said, and how often."""

from dataclasses import dataclass
from datetime import datetime

from postroom.ledger.db import connection

TEXTS_MAX = 10_000
"""Different texts that are looked at; the most frequent first."""


@dataclass(frozen=True, slots=True)
class Unclassified:
    """One text that led to no reason."""

    provider: str
    reply_code: int | None
    enhanced_code: str | None
    text: str
    """What the receiver said; the provider's own class where it said nothing."""
    events: int
    newest: datetime


def texts() -> list[Unclassified]:
    """The texts of all events without a known reason, the most frequent first."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT account.provider, reply_code, enhanced_code,"
            "       coalesce(diagnostic, provider_class), count(*), max(received_at)"
            "  FROM event JOIN account ON account.id = event.account_id"
            " WHERE reason = 'unclassified'"
            " GROUP BY 1, 2, 3, 4"
            " ORDER BY 5 DESC, 6 DESC LIMIT %s",
            (TEXTS_MAX,),
        ).fetchall()
    return [Unclassified(*row) for row in rows]
