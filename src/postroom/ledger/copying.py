"""COPY in text format, with rows written by hand where speed counts."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import sql

from postroom.ledger.db import Connection

NULL = "\\N"


def escaped(text: str) -> str:
    """A text as COPY's text format wants it."""
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    if "\t" in text or "\n" in text or "\r" in text:
        text = text.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return text


def optional(text: str | None) -> str:
    """A text or NULL, as COPY's text format wants it."""
    return NULL if text is None else escaped(text)


def json_text(value: Any) -> str:
    """A JSON value, compact."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def copy_rows(
    conn: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Write rows of Python values."""
    with conn.cursor() as cursor, cursor.copy(_statement(table, columns)) as copy:
        for row in rows:
            copy.write_row(row)


def copy_lines(conn: Connection, table: str, columns: Sequence[str], lines: Iterable[str]) -> None:
    """Write rows that are COPY text already: tab-separated and newline-ended."""
    with conn.cursor() as cursor, cursor.copy(_statement(table, columns)) as copy:
        block: list[str] = []
        for line in lines:
            block.append(line)
            if len(block) == 2000:
                copy.write("".join(block))
                block.clear()
        copy.write("".join(block))


def _statement(table: str, columns: Sequence[str]) -> sql.Composed:
    return sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
