"""How answers look in a terminal: aligned, wrapped, and with nothing a stranger could inject."""

import textwrap
from collections.abc import Iterable, Sequence

from postroom.domain import characters

WIDTH = 88


def printable(text: str) -> str:
    """The text with every character written out that would move, hide or re-order others.

    Replies of mail servers are strangers' words: an escape sequence in one of them must not
    reach the terminal of whoever reads it.
    """
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character.isascii():
        return character if character.isprintable() else character.encode("unicode_escape").decode()
    return f"\\u{ord(character):04x}" if characters.first_not_visible(character) else character


def wrapped(text: str, indent: int = 0) -> str:
    """A sentence of ours, broken into lines."""
    margin = " " * indent
    return textwrap.fill(text, WIDTH, initial_indent=margin, subsequent_indent=margin)


def fields(pairs: Iterable[tuple[str, str | None]], indent: int = 2) -> list[str]:
    """One line for each pair that has a value, the values under one another."""
    said = [(name, value) for name, value in pairs if value is not None]
    width = max((len(name) for name, _ in said), default=0)
    lines = []
    for name, value in said:
        start = " " * indent + name.ljust(width) + "  "
        lines += textwrap.wrap(
            value, WIDTH, initial_indent=start, subsequent_indent=" " * len(start)
        ) or [start.rstrip()]
    return lines


def verbatim(name: str, text: str, indent: int = 2) -> list[str]:
    """Somebody's words line by line, unbroken, each marked as a quotation."""
    lines = [printable(line) for line in text.splitlines()] or [""]
    start = " " * indent
    return [f"{start}{name}", *(f"{start}  | {line}" for line in lines)]


def columns(rows: Sequence[Sequence[str]], right: frozenset[int], indent: int = 2) -> list[str]:
    """Rows under one another; the columns in `right` are numbers and stand at the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        (
            " " * indent
            + "  ".join(
                cell.rjust(width) if number in right else cell.ljust(width)
                for number, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
        ).rstrip()
        for row in rows
    ]
