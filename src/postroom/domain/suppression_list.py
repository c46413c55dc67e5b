"""Suppressions as a CSV file (RFC 4180): its columns, and what a row must be to be taken over."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from postroom.domain.address import AddressError, suppression_key
from postroom.domain.mail_kind import MailKind
from postroom.domain.reason import CONDEMNING
from postroom.domain.reason_table import REASONS, Suppress
from postroom.domain.suppression import ASKED, CHOICES

COLUMNS = ("address", "reason", "kind", "application", "note", "since", "ends_at")
STRONG = CONDEMNING | CHOICES
"""Reasons that stop mail by themselves; others are only known again where they stand already."""
_WEAK = frozenset(name for name, row in REASONS.items() if row.suppress is Suppress.ON_REPEAT)
NOTE_CHARS_MAX = 1000


class ListError(ValueError):
    """The file is no list of suppressions."""


@dataclass(frozen=True, slots=True)
class ListRow:
    """One row that can be taken over."""

    line: int
    """In the file, from 1; the header is the first."""
    address_key: str
    reason: str
    kind: str | None
    application: str | None
    """A name; None: everybody's mail."""
    note: str | None
    since: datetime | None
    ends_at: datetime | None

    @property
    def is_strong(self) -> bool:
        """Whether it says enough by itself."""
        return self.reason in STRONG


@dataclass(frozen=True, slots=True)
class Wrong:
    """One row that cannot be taken over, and why."""

    line: int
    detail: str


def read_list(lines: Iterable[str]) -> Iterator[ListRow | Wrong]:
    """Each row as it comes, none kept; raises ListError for a header that is none."""
    reader = csv.reader(lines, strict=True)
    columns = _header(reader)
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Wrong(reader.line_num, f"is no CSV: {error}")
            continue
        if values:
            yield _read(reader.line_num, columns, values)


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
    except csv.Error as error:
        raise ListError(f"The first line is no CSV: {error}.") from None
    unknown = [name for name in columns if name not in COLUMNS]
    if "address" not in columns or unknown or len(set(columns)) < len(columns):
        known = ", ".join(COLUMNS)
        raise ListError(f"The first line names the columns: address, and any of {known}.")
    return columns


def _read(line: int, columns: list[str], values: list[str]) -> ListRow | Wrong:
    if len(values) != len(columns):
        return Wrong(line, f"has {len(values)} values and not {len(columns)}")
    cells = {name: text.strip() for name, text in zip(columns, values, strict=True) if text.strip()}
    try:
        return _row(line, cells)
    except (ValueError, AddressError) as error:
        return Wrong(line, str(error))


def _row(line: int, cells: Mapping[str, str]) -> ListRow:
    if any("\x00" in text for text in cells.values()):
        raise ValueError("holds a NUL character")
    if "address" not in cells:
        raise ValueError("has no address")
    note = cells.get("note")
    if note is not None and len(note) > NOTE_CHARS_MAX:
        raise ValueError(f"note: is longer than {NOTE_CHARS_MAX} characters")
    kind = cells.get("kind")
    return ListRow(
        line=line,
        address_key=suppression_key(cells["address"]),
        reason=_reason(cells.get("reason", ASKED)),
        kind=None if kind is None else MailKind.of_label(kind),
        application=cells.get("application"),
        note=note,
        since=_instant("since", cells.get("since")),
        ends_at=_instant("ends_at", cells.get("ends_at")),
    )


def _reason(text: str) -> str:
    if text not in STRONG | _WEAK:
        raise ValueError(f"reason: {text!r} stops nobody; one of {', '.join(sorted(STRONG))} does")
    return text


def _instant(name: str, text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{name}: is no time in ISO 8601") from None
    if at.tzinfo is None:
        raise ValueError(f"{name}: has no offset from UTC")
    return at.astimezone(UTC)
