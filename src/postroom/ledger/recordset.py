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


def rows_of(columns: Columns, alias: str) -> str:
    """The FROM item that unfolds one parameter made by `rows_json`."""
    typed = ", ".join(f"{name} {type}" for name, type in columns.items())
    return f"json_to_recordset(%s) AS {alias} ({typed})"


def rows_json(columns: Columns, rows: Iterable[Sequence[Any]]) -> str:
    """Rows of values, in the order of the columns, as the parameter of `rows_of`."""
    names = tuple(columns)
    return json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=_plain)


def _plain(value: Any) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return f"\\x{value.hex()}"
