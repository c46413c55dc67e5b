"""Figures of Gmail's Postmaster Tools, as CSV: the share of mails that people marked as spam.

Columns are known by name, in any order and case, others are left alone. The names are those of
the dashboards' tables and of the API (`userReportedSpamRatio`, and `id` with `spamRatio` of a
feedback loop): https://developers.google.com/gmail/postmaster, read on 2026-11-24.
"""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from postroom.domain.address import AddressError, parse_domain

_NAMES = {
    "date": ("date", "day"),
    "domain": ("domain",),
    "rate": (
        "user reported spam rate",
        "user-reported spam rate",
        "userreportedspamratio",
        "spam rate",
        "spamratio",
    ),
    "identifier": ("identifier", "feedback loop identifier", "feedback-id", "id"),
}


class NoFigures(ValueError):
    """The file has not the columns that are needed: a date, a domain and a spam rate."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What Gmail measured on one day."""

    domain: str
    day: date
    identifier: str
    """One part of the `Feedback-ID`; empty: all mail of the domain."""
    rate: float
    """From 0 to 1, of the mails that reached an inbox."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read."""

    line: int
    why: str


def read(lines: Iterable[str], domain: str | None = None) -> Iterator[Figure | BadRow]:
    """The figures of a file, and its rows that hold none; raises NoFigures.

    `domain`: whose they are, where the file has no column for it.
    """
    rows = _rows(lines)
    _, header = next(rows, (0, []))
    columns = _columns(header)
    missing = {"date", "rate", *(() if domain else ("domain",))} - columns.keys()
    if missing:
        raise NoFigures(f"there is no column for {', '.join(sorted(missing))}")
    for line, row in rows:
        if any(cell.strip() for cell in row):
            try:
                yield _figure({name: row[at] for name, at in columns.items()}, domain)
            except (ValueError, IndexError) as error:
                yield BadRow(line, str(error))


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows with their lines; one that is no CSV is a row that holds one cell, its fault."""
    reader = csv.reader(lines)
    while True:
        try:
            yield reader.line_num + 1, next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num, [str(error)]


def _columns(header: list[str]) -> dict[str, int]:
    places = {cell.strip().lstrip("\ufeff").lower(): at for at, cell in enumerate(header)}
    return {
        name: places[known]
        for name, spellings in _NAMES.items()
        for known in spellings
        if known in places
    }


def _figure(cells: dict[str, str], domain: str | None) -> Figure:
    try:
        whose = parse_domain((cells.get("domain") or domain or "").strip())
    except AddressError as error:
        raise ValueError(str(error)) from None
    day = cells["date"].strip().replace("/", "-")
    identifier = cells.get("identifier", "").strip()
    return Figure(whose, date.fromisoformat(day), identifier, _rate(cells["rate"].strip()))


def _rate(text: str) -> float:
    rate = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    if not 0 <= rate <= 1:
        raise ValueError(f"{text} is no share; write 0.12% or 0.0012")
    return rate
