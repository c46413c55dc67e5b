"""How a notification's fields are read: of the right type and storable, or not there at all.

For every receiver: what a stranger writes may have any type, and text may hold what PostgreSQL
cannot store. The bytes themselves stay in the receipt.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

Fields = Mapping[str, Any]

_ISO_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def storable(value: str) -> str:
    """The text with what PostgreSQL cannot store replaced."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", value)


def text(fields: Fields, name: str) -> str | None:
    """The field as text; None when absent, empty, or neither text nor number."""
    value = fields.get(name)
    if isinstance(value, str):
        return storable(value) or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return None


def inner(fields: Fields, name: str) -> Fields:
    """The object under this name; an empty one where there is none."""
    value = fields.get(name)
    return value if isinstance(value, dict) else {}


def listed(fields: Fields, name: str) -> list[Any]:
    """The array under this name; an empty one where there is none."""
    value = fields.get(name)
    return value if isinstance(value, list) else []


def bare_address(mailbox: str | None) -> str | None:
    """The address of `Name <address>`, or the text itself; None for none."""
    if mailbox and mailbox.endswith(">"):
        return mailbox[mailbox.rfind("<") + 1 : -1] or None
    return mailbox


def flag(fields: Fields, name: str) -> bool | None:
    """The field as true or false; None when it is neither."""
    value = fields.get(name)
    return value if isinstance(value, bool) else None


def uuid(fields: Fields, name: str) -> UUID | None:
    """The field as an id of ours, written as we write it; None when it is none."""
    value = text(fields, name) or ""
    return UUID(value) if _UUID.fullmatch(value) else None


def unix_time(stamp: str) -> datetime | None:
    """The instant of a Unix time in seconds; None for what is none or lies beyond the calendar."""
    try:
        return datetime.fromtimestamp(float(stamp), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def iso_time(stamp: str) -> datetime | None:
    """The instant of an ISO 8601 time with its zone; None for any other text."""
    if not _ISO_TIME.fullmatch(stamp):
        return None
    try:
        return datetime.fromisoformat(stamp).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
