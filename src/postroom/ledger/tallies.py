"""Counters of things that happened, for metrics and the doctor."""

from postroom.ledger.db import Connection, connection


def count(conn: Connection, name: str, label: str, more: int) -> None:
    """Add to a counter inside the caller's transaction."""
    if more:
        conn.execute(
            "INSERT INTO tally (name, label, count) VALUES (%s, %s, %s)"
            " ON CONFLICT (name, label) DO UPDATE SET count = tally.count + excluded.count",
            (name, label, more),
        )


def totals() -> dict[tuple[str, str], int]:
    """Every counter by (name, label)."""
    with connection() as conn:
        rows = conn.execute("SELECT name, label, count FROM tally")
        return {(name, label): total for name, label, total in rows}
