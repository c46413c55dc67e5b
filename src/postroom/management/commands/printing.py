"""How commands print: tables and sentences for people, JSON for programs."""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime


def add_json(parser: ArgumentParser) -> None:
    """Adds `--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def add_json_lines(parser: ArgumentParser) -> None:
    """Adds `--json` to a command that has nothing else to print."""
    parser.add_argument("--json", action="store_true", help="print JSON, as it always does")


def print_done(arguments: Namespace, done: Mapping[str, object], sentence: str) -> None:
    """Prints what was done: as JSON where that is asked for, or the sentence."""
    if arguments.json:
        print_json(done)
    else:
        print(sentence)


def print_rows(arguments: Namespace, rows: Sequence[Mapping[str, object]]) -> None:
    """Prints rows: as one JSON list where that is asked for, or as a table."""
    if arguments.json:
        print_json(rows)
    else:
        print_table(rows)


def print_json(value: object) -> None:
    """Prints one JSON value on one line; what JSON does not know is written as text."""
    print(json.dumps(value, default=_as_text, ensure_ascii=False))


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


def _as_text(value: object) -> str:
    """Instants as everywhere: ISO 8601 in UTC, ending in Z."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(map(str, value)) or "-"
    return str(value)
