"""The list `to` of a call, read by hand: 200,000 items must not cost an object model each."""

import math
from collections.abc import Sequence
from typing import Any

from postroom.domain.address import NAME_CHARS_MAX, AddressError, parse_name
from postroom.domain.problem import Problem, invalid_field
from postroom.submission.accept import Recipient
from postroom.submission.fields import REF_CHARS_MAX

FIELDS = frozenset({"email", "name", "vars", "ref", "metadata"})
EMAIL_CHARS_MAX = 1000
"""Three times what an address can have (RFC 5321): longer is no typing error."""


def read_recipients(items: Sequence[Any], count_max: int) -> list[Recipient]:
    """The recipients in order; raises Problem (422) for what is no recipient at all.

    An address that is wrong is no such thing: `accept` makes it a rejected delivery.
    """
    if not items:
        raise invalid_field("to", "has no recipient")
    if len(items) > count_max:
        raise invalid_field("to", f"has {len(items)} recipients, at most {count_max} in one call")
    return [
        Recipient(_email(item, position)) if type(item) is str else _recipient(item, position)
        for position, item in enumerate(items)
    ]


def _recipient(item: Any, position: int) -> Recipient:
    if type(item) is not dict:
        raise _wrong(position, "", "is neither an address nor an object with email")
    if not item.keys() <= FIELDS:
        unknown = min(map(str, item.keys() - FIELDS))
        raise _wrong(position, f".{unknown}", "is not a field of a recipient")
    return Recipient(
        _email(item.get("email"), position, ".email"),
        _name(item.get("name"), position),
        _text(item.get("ref"), position, ".ref", REF_CHARS_MAX),
        _vars(item.get("vars"), position),
        _metadata(item.get("metadata"), position),
    )


def _email(value: Any, position: int, field: str = "") -> str:
    if type(value) is not str:
        raise _wrong(position, field, "is not text")
    if len(value) > EMAIL_CHARS_MAX:
        raise _wrong(position, field, f"is longer than {EMAIL_CHARS_MAX} characters")
    return value


def _name(value: Any, position: int) -> str | None:
    """The display name as composition will write it."""
    name = _text(value, position, ".name", NAME_CHARS_MAX)
    if name is None or (name.isascii() and name.isprintable()):
        return name
    try:
        return parse_name(name)
    except AddressError as error:
        raise _wrong(position, ".name", str(error)) from error


def _text(value: Any, position: int, field: str, chars_max: int) -> str | None:
    if value is None:
        return None
    if type(value) is not str:
        raise _wrong(position, field, "is not text")
    if len(value) > chars_max:
        raise _wrong(position, field, f"is longer than {chars_max} characters")
    return value


def _vars(value: Any, position: int) -> dict[str, str] | None:
    """Numbers and booleans become the text that JSON has for them."""
    if value is None:
        return None
    if type(value) is not dict:
        raise _wrong(position, ".vars", "is not an object")
    return {
        key: inner if type(inner) is str else _scalar(inner, position, key)
        for key, inner in value.items()
    }


def _scalar(value: Any, position: int, key: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
        return str(value)
    raise _wrong(position, f".vars.{key}", "is not text, a number or a boolean")


def _metadata(value: Any, position: int) -> dict[str, Any] | None:
    if value is None:
        return None
    if type(value) is not dict:
        raise _wrong(position, ".metadata", "is not an object")
    for key, inner in value.items():
        if type(inner) is not str:
            raise _wrong(position, f".metadata.{key}", "is not text")
    return value


def _wrong(position: int, field: str, detail: str) -> Problem:
    return invalid_field(f"to[{position}]{field}", detail)
