"""What each receiving domain said, counted by when the mails were handed over; and their storms.

Failures of one domain are judged by one transaction at a time, whoever reads notifications.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from postroom.domain.repeats import Delivers
from postroom.domain.storm import (
    FAILED_MIN,
    SLOT,
    USUAL_UNTIL,
    USUAL_WINDOW,
    Words,
    slot_of,
    stormy,
)
from postroom.ledger.db import Connection, connection
from postroom.ledger.flow import PART
from postroom.ledger.recordset import rows_json, rows_of

Domain = tuple[bool, str]
"""Whether simulated, and the receiving domain."""
Slot = tuple[bool, str, datetime]

_LOCK = 0x646F_6D61  # failures of a domain, one transaction at a time
_LOCKS = 64
KEPT = USUAL_WINDOW + USUAL_UNTIL


def lock(conn: Connection, domains: Iterable[Domain]) -> None:
    """Waits until no other transaction judges failures of these domains."""
    names = sorted({domain for _, domain in domains})
    conn.execute(
        "SELECT pg_advisory_xact_lock(%s, one)"
        "  FROM (SELECT DISTINCT hashtext(name) %% %s AS one FROM unnest(%s::text[]) AS name"
        "         ORDER BY one) AS wanted",
        (_LOCK, _LOCKS, names),
    )


_ADDED = {
    "simulated": "bool",
    "domain": "text",
    "slot_at": "timestamptz",
    "delivered": "int",
    "failed": "int",
    "proven": "int",
}


def add(conn: Connection, words: Mapping[Slot, Words]) -> None:
    """Count these words, by domain and slot."""
    if words:
        rows = [
            (*slot, one.delivered, one.failed, one.proven) for slot, one in sorted(words.items())
        ]
        conn.execute(
            "INSERT INTO domain_words AS known"
            "       (simulated, domain, slot_at, part, delivered, failed, proven)"
            f" SELECT simulated, domain, slot_at, {PART}, delivered, failed, proven"
            f"   FROM {rows_of(_ADDED, 'told')}"
            " ON CONFLICT (simulated, domain, slot_at, part) DO UPDATE"
            "   SET delivered = known.delivered + excluded.delivered,"
            "       failed = known.failed + excluded.failed,"
            "       proven = known.proven + excluded.proven",
            (rows_json(_ADDED, rows),),
        )


def storms(
    conn: Connection, slots: Mapping[Domain, Collection[datetime]]
) -> dict[Domain, frozenset[datetime]]:
    """The stormy slots around those in which domains failed somebody; calm domains are left out."""
    found = {}
    for domain, around in _around(conn, slots).items():
        if sum(one.failed for one in around.values()) > FAILED_MIN:
            stormy_ones = stormy(around, _usual(conn, domain, max(around)))
            if stormy_ones:
                found[domain] = stormy_ones
    return found


_WANTED = {"simulated": "bool", "domain": "text", "low": "timestamptz", "high": "timestamptz"}


def _around(
    conn: Connection, slots: Mapping[Domain, Collection[datetime]]
) -> dict[Domain, dict[datetime, Words]]:
    """By domain, the words of the slots that share an hour with these."""
    if not slots:
        return {}
    stretches = [
        (*domain, min(touched) - 6 * SLOT, max(touched) + 6 * SLOT)
        for domain, touched in slots.items()
    ]
    rows = conn.execute(
        "SELECT simulated, domain, slot_at, sum(delivered)::int, sum(failed)::int,"
        "       sum(proven)::int"
        f"  FROM {rows_of(_WANTED, 'wanted')}"
        "  JOIN domain_words USING (simulated, domain)"
        " WHERE slot_at BETWEEN low AND high"
        " GROUP BY simulated, domain, slot_at",
        (rows_json(_WANTED, stretches),),
    )
    found: dict[Domain, dict[datetime, Words]] = {}
    for simulated, domain, at, *counts in rows:
        found.setdefault((simulated, domain), {})[at] = Words(*counts)
    return found


def _usual(conn: Connection, domain: Domain, at: datetime) -> Words:
    [counts] = conn.execute(
        "SELECT COALESCE(sum(delivered), 0)::bigint, COALESCE(sum(failed), 0)::bigint"
        "  FROM domain_words"
        " WHERE simulated = %s AND domain = %s AND slot_at BETWEEN %s AND %s",
        (*domain, at - USUAL_UNTIL - USUAL_WINDOW, at - USUAL_UNTIL),
    ).fetchall()
    return Words(*counts)


def takes_mail(conn: Connection, domain: Domain) -> Delivers:
    """Whether the domain took mail that was handed over within a stretch of time."""

    def delivers(start: datetime, end: datetime) -> bool:
        rows = conn.execute(
            "SELECT FROM domain_words"
            " WHERE simulated = %s AND domain = %s AND slot_at BETWEEN %s AND %s AND delivered > 0"
            " LIMIT 1",
            (*domain, slot_of(start), end),
        )
        return rows.rowcount == 1

    return delivers


def forget_old(limit: int) -> int:
    """How many counters were removed that no rule looks at any more."""
    with connection() as conn:
        removed = conn.execute(
            "DELETE FROM domain_words WHERE (simulated, domain, slot_at, part) IN ("
            "       SELECT simulated, domain, slot_at, part FROM domain_words"
            "        WHERE slot_at < now() - %s LIMIT %s)",
            (KEPT, limit),
        )
        return removed.rowcount
