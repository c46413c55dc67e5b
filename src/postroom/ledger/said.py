"""What receiving domains say when they refuse mail, grouped: texts that differ by ids are one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.domain.reason_texts import shape_of
from postroom.ledger.db import Connection, connection, transaction
from postroom.ledger.flow import PART
from postroom.ledger.recordset import rows_json, rows_of

KEPT = timedelta(days=7)
"""From the last time that it was said."""
_CHARS_MAX = 500
_SHOWN_MAX = 10

_COLUMNS = {"simulated": "bool", "domain": "text", "reason": "text", "shape": "text", "n": "int"}
_NOTE = (
    "INSERT INTO said (simulated, domain, reason, shape, part, count, first_at, last_at)"
    f" SELECT simulated, domain, reason, shape, {PART}, n, now(), now()"
    f"   FROM {rows_of(_COLUMNS, 'heard')}"
    "  ORDER BY simulated, domain, reason, shape"
    " ON CONFLICT (simulated, domain, reason, shape, part) DO UPDATE"
    "   SET count = said.count + excluded.count, last_at = excluded.last_at"
)

Refusal = tuple[bool, str, str, str]
"""Simulated, receiving domain, reason, and the group of the text."""


@dataclass(frozen=True, slots=True)
class Said:
    """One group of texts."""

    text: str
    """Without addresses; `#` stands for words with digits in them."""
    count: int
    first_at: datetime
    last_at: datetime


def refusal(simulated: bool, address_key: str, reason: str, text: str) -> Refusal:
    """The group of a text that was said about a mail to this address."""
    return simulated, address_key.rpartition("@")[2], reason, shape_of(text)[:_CHARS_MAX]


def note(conn: Connection, refusals: Mapping[Refusal, int]) -> None:
    """Count these, at the end of the caller's transaction."""
    if refusals:
        rows = [(*one, count) for one, count in refusals.items()]
        conn.execute(_NOTE, (rows_json(_COLUMNS, rows),))


def texts(simulated: bool, domain: str, reason: str) -> list[Said]:
    """What the domain says with this reason, the most frequent first."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT shape, sum(count)::int, min(first_at), max(last_at)"
            "  FROM said"
            " WHERE simulated = %s AND domain = %s AND reason = %s"
            " GROUP BY shape"
            " ORDER BY 2 DESC, 1 LIMIT %s",
            (simulated, domain, reason, _SHOWN_MAX),
        ).fetchall()
    return [Said(*row) for row in rows]


def forget_old(limit: int) -> int:
    """How many were removed that were not said again for a week."""
    with transaction() as conn:
        return conn.execute(
            "DELETE FROM said"
            " WHERE ctid = ANY(ARRAY("
            "       SELECT ctid FROM said WHERE last_at < now() - %s LIMIT %s))",
            (KEPT, limit),
        ).rowcount
