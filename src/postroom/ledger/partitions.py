"""Monthly partitions, made ahead by the clock role and at once when missing."""

from collections.abc import Iterator
from datetime import UTC, datetime

from psycopg import sql

from postroom.ledger.db import Connection, transaction
from postroom.ledger.ids import floor_of

PARENTS = ("message", "blob", "delivery", "attempt", "handover", "receipt", "event", "hearing")
MONTHS_AHEAD = 2
_LOCK = 0x706F7374  # one maker of partitions at a time, over all processes


def month_start(at: datetime, months: int = 0) -> datetime:
    """The first instant of the month that lies `months` after the month of `at`."""
    index = at.year * 12 + at.month - 1 + months
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=UTC)


def ensure(now: datetime) -> int:
    """How many partitions were made so that this month, the one before and two ahead exist.

    The month before covers ids made just before midnight and written just after.
    """
    with transaction() as conn:
        return ensure_with(conn, now)


def ensure_with(conn: Connection, now: datetime) -> int:
    """`ensure` inside the caller's transaction."""
    wanted = dict(_wanted(now))
    existing = _existing(conn)
    if wanted.keys() <= existing:
        return 0
    conn.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    missing = wanted.keys() - _existing(conn)
    for name in sorted(missing):
        _create(conn, name, *wanted[name])
    return len(missing)


def _wanted(now: datetime) -> Iterator[tuple[str, tuple[str, datetime, datetime]]]:
    for months in range(-1, MONTHS_AHEAD + 1):
        start, end = month_start(now, months), month_start(now, months + 1)
        for parent in PARENTS:
            yield f"{parent}_{start:%Y_%m}", (parent, start, end)


def _existing(conn: Connection) -> set[str]:
    rows = conn.execute(
        "SELECT child.relname"
        "  FROM pg_inherits"
        "  JOIN pg_class child ON child.oid = inhrelid"
        "  JOIN pg_class parent ON parent.oid = inhparent"
        " WHERE parent.relname = ANY(%s)",
        (list(PARENTS),),
    )
    return {name for (name,) in rows}


def _create(conn: Connection, name: str, parent: str, start: datetime, end: datetime) -> None:
    conn.execute(
        sql.SQL("CREATE TABLE {} PARTITION OF {} FOR VALUES FROM ({}) TO ({})").format(
            sql.Identifier(name),
            sql.Identifier(parent),
            sql.Literal(str(floor_of(start))),
            sql.Literal(str(floor_of(end))),
        )
    )
    if parent == "delivery":
        # Rows move through the queue by updates: room on the page, and an early vacuum.
        conn.execute(
            sql.SQL(
                "ALTER TABLE {} SET (fillfactor = 75,"
                " autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)"
            ).format(sql.Identifier(name))
        )
