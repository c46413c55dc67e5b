"""COPY of rows of Python values, and JSON text."""

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from psycopg import sql

from postroom.ledger.db import Connection


def json_text(value: Any) -> str:
    """A JSON value, compact."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def copy_rows(
    conn: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write rows of Python values."""
    with conn.cursor() as cursor, cursor.copy(_statement(table, tuple(columns))) as copy:
        for row in rows:
            copy.write_row(row)


@cache
def _statement(table: str, columns: tuple[str, ...]) -> bytes:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names).as_bytes()
