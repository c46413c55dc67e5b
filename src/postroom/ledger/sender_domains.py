"""Sender domains: how each From domain stands at each provider account, as last told."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from postroom.ledger.db import connection, transaction

VERIFIED, PENDING, FAILED, VOUCHED = "verified", "pending", "failed", "vouched"

CARRIES = "aligned AND status IN ('verified', 'vouched')"
"""Of a row of `sender_domain`: whether its account carries mail from its domain."""


@dataclass(frozen=True, slots=True)
class SenderDomain:
    """One From domain at one account."""

    account: str
    domain: str
    status: str
    """`verified`, `pending`, `failed` as the provider says; `vouched` by a person."""
    aligned: bool
    records: Sequence[Mapping[str, str]]
    """What the domain's owner publishes: `purpose`, `type`, `host`, `value` of each."""
    note: str
    changed_at: datetime
    """When the status or the alignment last changed."""
    checked_at: datetime

    @property
    def carries(self) -> bool:
        """Whether the account carries mail from this domain."""
        return self.aligned and self.status in (VERIFIED, VOUCHED)


def keep(
    account_id: int,
    domain: str,
    status: str,
    aligned: bool,
    records: Sequence[Mapping[str, str]] = (),
    note: str = "",
) -> bool:
    """Whether the account carries mail from the domain from now on and did not before."""
    with transaction() as conn:
        before = conn.execute(
            f"SELECT {CARRIES} FROM sender_domain WHERE account_id = %s AND domain = %s FOR UPDATE",
            (account_id, domain),
        ).fetchone()
        after = conn.execute(
            "INSERT INTO sender_domain AS old"
            "       (account_id, domain, status, aligned, records, note, changed_at, checked_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, now(), now())"
            " ON CONFLICT (account_id, domain) DO UPDATE"
            "   SET status = excluded.status, aligned = excluded.aligned,"
            "       records = excluded.records, note = excluded.note,"
            "       checked_at = excluded.checked_at,"
            "       changed_at = CASE"
            "           WHEN (old.status, old.aligned) = (excluded.status, excluded.aligned)"
            "           THEN old.changed_at ELSE excluded.changed_at END"
            f" RETURNING {CARRIES}",
            (account_id, domain, status, aligned, json.dumps(list(map(dict, records))), note),
        ).fetchone()
    return after == (True,) and before != (True,)


def forget(account_id: int, domain: str) -> bool:
    """Whether it was known; the account carries no mail from it any more."""
    with connection() as conn:
        gone = conn.execute(
            "DELETE FROM sender_domain WHERE account_id = %s AND domain = %s", (account_id, domain)
        )
    return gone.rowcount == 1


def checked_in_vain(account_id: int, domain: str, note: str) -> None:
    """The provider could not be asked: what it said last stands, with a note."""
    with connection() as conn:
        conn.execute(
            "UPDATE sender_domain SET note = %s, checked_at = now()"
            " WHERE account_id = %s AND domain = %s",
            (note, account_id, domain),
        )


def standing(domain: str | None = None) -> list[SenderDomain]:
    """Every From domain at every account, or one domain's; by domain, then account."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT account.name, domain, status, aligned, records, note, changed_at, checked_at"
            "  FROM sender_domain"
            "  JOIN account ON account.id = account_id"
            " WHERE %(domain)s::text IS NULL OR domain = %(domain)s"
            " ORDER BY domain, account.id",
            {"domain": domain},
        ).fetchall()
    return [SenderDomain(*row) for row in rows]


def carried() -> dict[int, frozenset[str]]:
    """Account id to the From domains that it carries."""
    with connection() as conn:
        rows: list[tuple[Any, ...]] = conn.execute(
            f"SELECT account_id, array_agg(domain) FROM sender_domain WHERE {CARRIES}"
            " GROUP BY account_id"
        ).fetchall()
    return {account_id: frozenset(domains) for account_id, domains in rows}


def due(verified_age_s: float, other_age_s: float, limit: int) -> list[tuple[str, str]]:
    """(account, domain) of those to be looked at again, the longest unseen first."""
    with connection() as conn:
        return conn.execute(
            "SELECT account.name, domain"
            "  FROM sender_domain"
            "  JOIN account ON account.id = account_id"
            " WHERE status <> 'vouched'"
            "   AND checked_at < now() - make_interval(secs =>"
            "           CASE WHEN status = 'verified' THEN %s ELSE %s END)"
            " ORDER BY checked_at"
            " LIMIT %s",
            (verified_age_s, other_age_s, limit),
        ).fetchall()
