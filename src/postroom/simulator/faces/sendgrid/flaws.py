"""One reason to refuse a call, in the shape that the vendor gives it."""

from typing import NamedTuple


class Flaw(NamedTuple):
    """One reason to refuse the call, with the vendor's path to the field."""

    message: str
    field: str | None
    status: int = 400


def wrong_type(expected: str, value: object, field: str | None) -> Flaw:
    """The vendor's words for a value of the wrong JSON type."""
    kinds = {dict: "object", list: "array", str: "string", bool: "boolean", type(None): "null"}
    given = kinds.get(type(value), "number")
    return Flaw(f"Invalid type. Expected: {expected}, given: {given}.", field)
