"""Parameters of the reading routes, read strictly: a wrong one is a 422 that says why."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from datetime import UTC, datetime, tzinfo
from uuid import UUID

from postroom.domain.address import AddressError, suppression_key
from postroom.domain.communication import NAME_PATTERN, communication_name
from postroom.domain.delivery import ANSWERS
from postroom.domain.problem import Problem, invalid_field

PAGE_MAX = 1000
PAGE = 100
"""Items of a page where the caller does not say."""

_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_SPACE_FOR_PLUS = re.compile(r" (\d{2}:?\d{2})$")


def cursor_of(id: UUID | int) -> str:
    """The opaque cursor of the page that follows this id."""
    number = id.int if isinstance(id, UUID) else id
    return urlsafe_b64encode(number.to_bytes(16)).rstrip(b"=").decode()


def uuid_before(cursor: str | None) -> UUID | None:
    """The id below which the page lies; None: the first page."""
    number = _number(cursor)
    return None if number is None else UUID(int=number)


def number_before(cursor: str | None) -> int | None:
    """`uuid_before`, for lists that are numbered."""
    number = _number(cursor)
    if number is not None and number >= 1 << 63:
        raise _bad_cursor()
    return number


def _number(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        data = urlsafe_b64decode(f"{cursor}==")
    except (NotBase64, ValueError) as error:
        raise _bad_cursor() from error
    if len(data) != 16 or urlsafe_b64encode(data).rstrip(b"=").decode() != cursor:
        raise _bad_cursor()
    return int.from_bytes(data)


def _bad_cursor() -> Problem:
    return invalid_field("cursor", "is not one that this list gave as next_cursor")


def page_size(limit: int) -> int:
    """How many items the caller wants."""
    if not 1 <= limit <= PAGE_MAX:
        raise invalid_field("limit", f"is not between 1 and {PAGE_MAX}")
    return limit


def parse_instant(text: str, assumed: tzinfo | None = None) -> datetime:
    """An aware instant from ISO 8601; raises ValueError, with what is wrong.

    `assumed` is the offset of a text that has none; where it is None, such a text is refused.
    """
    try:
        # A `+` that was not percent-encoded arrives as a space.
        at = datetime.fromisoformat(_SPACE_FOR_PLUS.sub(r"+\1", text))
    except ValueError:
        raise ValueError("is no time in ISO 8601, for instance 2026-11-24T10:00:00Z") from None
    if at.tzinfo is None and assumed is None:
        raise ValueError("has no offset from UTC; end it with Z or +hh:mm")
    try:
        at = at.replace(tzinfo=at.tzinfo or assumed).astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside of the calendar") from None
    if at < _EARLIEST:
        raise ValueError("lies before 1970")
    return at


def instant(name: str, text: str | None) -> datetime | None:
    """The instant that a parameter names."""
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise invalid_field(name, str(error)) from error


def recipient_key(name: str, text: str | None) -> str | None:
    """The suppression key of an address."""
    if text is None:
        return None
    try:
        return suppression_key(text)
    except AddressError as error:
        raise invalid_field(name, str(error)) from error


def communication(text: str | None) -> str | None:
    """The name of a communication."""
    try:
        return None if text is None else communication_name(text)
    except ValueError as error:
        raise invalid_field("communication", str(error)) from error


def is_communication(text: str) -> bool:
    """Whether a communication may have this name."""
    return re.fullmatch(NAME_PATTERN, text) is not None


def state(text: str | None) -> str | None:
    """One of the states that people see."""
    if text is not None and text not in ANSWERS:
        raise invalid_field("state", f"is none of {', '.join(ANSWERS)}")
    return text


def plain(name: str, text: str | None) -> str | None:
    """Any text that the ledger could hold."""
    if text is not None and "\x00" in text:
        raise invalid_field(name, "holds a NUL character")
    return text
