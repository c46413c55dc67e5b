"""Gmail's own figures, taken in by import: nobody else can tell who complains there."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import date, timedelta

from postroom.domain.guard_lines import MAILBOXES
from postroom.domain.postmaster import Figure
from postroom.ledger.db import connection, transaction
from postroom.ledger.guard import DELIVERED

RECENT = timedelta(days=14)
"""An older figure says nothing of today."""


def keep(figures: Sequence[Figure]) -> None:
    """Keep these; of one domain, day and identifier the last one holds."""
    with transaction() as conn, conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO postmaster_figure (domain, day, identifier, rate) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (domain, day, identifier) DO UPDATE"
            "   SET rate = excluded.rate, imported_at = now()",
            [astuple(one) for one in figures],
        )


def latest() -> list[Figure]:
    """The newest recent figure of every domain and identifier."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT DISTINCT ON (domain, identifier) domain, day, identifier, rate"
            "  FROM postmaster_figure"
            " WHERE day >= now() - %s"
            " ORDER BY domain, identifier, day DESC",
            (RECENT,),
        )
        return [Figure(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A From domain whose mail reaches Gmail, and of which Gmail's figures were not taken in."""

    domain: str
    delivered: int
    """At Gmail, of what was handed over in the last week."""
    newest: date | None
    """The last day of which there is a figure; None: there is none."""


def unmeasured() -> list[Unmeasured]:
    """Of live mail, those with the most first."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT from_domain, sum(count)::int,"
            "       (SELECT max(day) FROM postmaster_figure"
            "         WHERE domain = from_domain AND identifier = '')"
            "  FROM guard_count"
            "  JOIN account ON account.id = account_id AND NOT simulated"
            " WHERE receiver = ANY(%s) AND what = %s AND slot_at >= now() - interval '7 days'"
            "   AND NOT EXISTS (SELECT FROM postmaster_figure"
            "                    WHERE domain = from_domain AND identifier = ''"
            "                      AND day >= now() - %s)"
            " GROUP BY from_domain"
            " ORDER BY 2 DESC, 1",
            (list(MAILBOXES["gmail"]), DELIVERED, RECENT),
        )
        return [Unmeasured(*row) for row in rows]
