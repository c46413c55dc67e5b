"""Suppressions in and out as lists of any length, some thousand rows at a time."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from postroom.domain.suppression_list import ListRow, Wrong
from postroom.ledger.copying import copy_rows
from postroom.ledger.db import Connection, connection, transaction
from postroom.ledger.suppressions import PLACE

ROWS = 10_000
"""Rows of one transaction, and of one look."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of the rows of a list."""

    added: int
    known: int
    """The same stands already."""
    lifted: int
    """The same was lifted since; it is not added again."""
    refused: int


Refuse = Callable[[Wrong], None]


def take_over(simulated: bool, rows: Iterable[ListRow | Wrong], refuse: Refuse) -> Imported:
    """Add what a list holds; the same list again changes nothing. Each wrong row is told once."""
    total: Counter[str] = Counter()
    ahead = iter(rows)
    while chunk := list(islice(ahead, ROWS)):
        good = [row for row in chunk if isinstance(row, ListRow)]
        wrong = [row for row in chunk if isinstance(row, Wrong)]
        counts, weak = _take_over(simulated, good) if good else (Counter(), [])
        total += counts
        for one in sorted([*wrong, *weak], key=lambda one: one.line):
            total["refused"] += 1
            refuse(one)
    return Imported(total["added"], total["known"], total["lifted"], total["refused"])


_COLUMNS = (
    "line", "address_key", "reason", "kind", "application", "note", "since", "expires_at", "strong"
)  # fmt: skip

_TABLE = """
CREATE TEMP TABLE listed (
    line integer, address_key text, reason text, kind text, application text, note text,
    since timestamptz, expires_at timestamptz, strong boolean
) ON COMMIT DROP
"""

_SAME = (
    "suppression.simulated = %(simulated)s AND suppression.address_key = listed.address_key"
    " AND suppression.reason = listed.reason"
    " AND suppression.application_id IS NOT DISTINCT FROM application.id"
    " AND suppression.kind IS NOT DISTINCT FROM listed.kind"
)

# What each row comes to, by its line; the first of several alike decides.
_JUDGED = f"""
SELECT DISTINCT ON (listed.address_key, listed.reason, application.id, listed.kind)
       line,
       CASE
           WHEN listed.application IS NOT NULL AND application.id IS NULL THEN 'unknown'
           WHEN EXISTS (SELECT FROM suppression WHERE {_SAME} AND lifted_at IS NULL) THEN 'known'
           WHEN NOT strong THEN 'weak'
           WHEN EXISTS (
               SELECT FROM suppression
                WHERE {_SAME} AND lifted_at > COALESCE(since, '-infinity')) THEN 'lifted'
           ELSE 'added'
       END AS becomes
  FROM listed
  LEFT JOIN application ON application.name = listed.application
 ORDER BY listed.address_key, listed.reason, application.id, listed.kind, line
"""

_ADD = f"""
INSERT INTO suppression
       (simulated, address_key, reason, kind, application_id, note, source, created_at, expires_at)
SELECT %(simulated)s, address_key, reason, kind, application.id, note, 'import',
       LEAST(COALESCE(since, now()), now()), expires_at
  FROM listed
  LEFT JOIN application ON application.name = listed.application
 WHERE line = ANY(%(lines)s)
 ORDER BY address_key
ON CONFLICT {PLACE} DO NOTHING
"""

_REFUSED = {
    "weak": "the reason says too little by itself, and nothing stands for it here",
    "unknown": "there is no such application",
}


def _take_over(simulated: bool, rows: Sequence[ListRow]) -> tuple[Counter[str], list[Wrong]]:
    with transaction() as conn:
        conn.execute(_TABLE)
        copy_rows(conn, "listed", _COLUMNS, map(_values, rows))
        conn.execute("ANALYZE listed")
        judged = conn.execute(_JUDGED, {"simulated": simulated}).fetchall()
        new = [line for line, becomes in judged if becomes == "added"]
        if new:
            conn.execute(_ADD, {"simulated": simulated, "lines": new})
    counts = Counter(becomes for _, becomes in judged if becomes not in _REFUSED)
    counts["known"] += len(rows) - len(judged)
    return counts, [Wrong(line, _REFUSED[word]) for line, word in judged if word in _REFUSED]


def _values(row: ListRow) -> tuple[object, ...]:
    place = (row.line, row.address_key, row.reason, row.kind, row.application, row.note)
    return (*place, row.since, row.ends_at, row.is_strong)


def standing(simulated: bool) -> Iterator[tuple[str, ...]]:
    """Every suppression that is not lifted, as the values of a list; in the order of their ids.

    Looked up in parts, so that a slow reader keeps no transaction open.
    """
    last = 0
    while True:
        with connection() as conn:
            rows = _part(conn, simulated, last)
        if not rows:
            return
        last = rows[-1][0]
        for _, *values in rows:
            yield tuple(map(_text, values))


def _part(conn: Connection, simulated: bool, after: int) -> list[tuple[int, *tuple[object, ...]]]:
    rows = conn.execute(
        "SELECT suppression.id, address_key, reason, kind, application.name, note,"
        "       suppression.created_at, suppression.expires_at"
        "  FROM suppression"
        "  LEFT JOIN application ON application.id = application_id"
        " WHERE suppression.id > %s AND simulated = %s AND lifted_at IS NULL"
        " ORDER BY suppression.id LIMIT %s",
        (after, simulated, ROWS),
    )
    return rows.fetchall()


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return "" if value is None else str(value)
