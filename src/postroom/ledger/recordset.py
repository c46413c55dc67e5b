"""Many rows as one parameter: a JSON array that PostgreSQL unfolds into typed columns.

Arrays per column would do the same, but are adapted value by value in Python, at three times the
cost.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

Columns = Mapping[str, str]
"""Names and types of columns, in order."""


def rows_of(columns: Columns, alias: str, source: str = "%s") -> str:
    """The FROM item that unfolds one parameter, or a JSON column that holds rows inside a row."""
    typed = ", ".join(f"{name} {type}" for name, type in columns.items())
    return f"json_to_recordset({source}) AS {alias} ({typed})"


def rows_json(columns: Columns, rows: Iterable[Sequence[Any]]) -> str:
    """Rows of values, in the order of the columns, as the parameter of `rows_of`."""
    names = tuple(columns)
    return named_rows_json([dict(zip(names, row, strict=True)) for row in rows])


def named_rows_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows that name their columns, as the parameter of `rows_of`; one left out is NULL."""
    return json.dumps(rows, default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return f"\\x{value.hex()}"
