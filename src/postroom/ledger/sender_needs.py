"""What From domains lack of what mailbox operators ask for, as it was last looked at."""

from collections.abc import Sequence
from datetime import timedelta

from postroom.ledger.db import connection

FRESH = timedelta(days=2)
"""What was found earlier is not told any more."""


def keep(domain: str, lacking: Sequence[str]) -> None:
    """Keep what the domain lacks now; nothing: it meets everything."""
    with connection() as conn:
        conn.execute(
            "INSERT INTO sender_need (domain, lacking, looked_at) VALUES (%s, %s, now())"
            " ON CONFLICT (domain) DO UPDATE"
            "   SET lacking = excluded.lacking, looked_at = excluded.looked_at",
            (domain, list(lacking)),
        )


def lacking(domain: str) -> list[str]:
    """What the domain lacks, in sentences; none where nobody looked lately."""
    with connection() as conn:
        row = conn.execute(
            "SELECT lacking FROM sender_need WHERE domain = %s AND looked_at > now() - %s",
            (domain, FRESH),
        ).fetchone()
    return [] if row is None else list(row[0])


def due(age: timedelta, limit: int) -> list[str]:
    """From domains of live accounts that nobody looked at for so long, some of them."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT DISTINCT sender_domain.domain"
            "  FROM sender_domain"
            "  JOIN account ON account.id = account_id AND NOT simulated"
            "  LEFT JOIN sender_need ON sender_need.domain = sender_domain.domain"
            " WHERE looked_at IS NULL OR looked_at < now() - %s"
            " ORDER BY 1 LIMIT %s",
            (age, limit),
        ).fetchall()
    return [domain for (domain,) in rows]
