"""How commands print: a table for people, JSON for programs."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence


def add_json(parser: ArgumentParser) -> None:
    """Adds `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def print_json(value: object) -> None:
    """Prints one JSON value on one line; what JSON does not know is written as text."""
    print(json.dumps(value, default=str, ensure_ascii=False))


def print_table(rows: Sequence[Mapping[str, object]]) -> None:
    """Prints rows under the names of their columns; nothing where there are no rows."""
    if not rows:
        return
    names = list(rows[0])
    cells = [names, *([_cell(row[name]) for name in names] for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
    for line in cells:
        print(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        )


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(map(str, value)) or "-"
    return str(value)
