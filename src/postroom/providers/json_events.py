"""JSON of strangers: one value, several, or an array; each event with its place in the bytes."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from postroom.providers.base import Unreadable

_DIGITS_MAX = 18
"""Longer whole numbers stay text: nobody needs them, and reading them costs time."""

ITEMS_MAX = 100_000
"""Far beyond any provider's batch; keeps the memory that a body can take in bounds."""

_BYTE_ORDER_MARK = "\ufeff"
_BLANK = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True, slots=True)
class Item:
    """One element of the array."""

    value: Any
    start: int
    length: int


def _whole(digits: str) -> int | str:
    return int(digits) if len(digits) <= _DIGITS_MAX else digits


def _no_number(_: str) -> None:
    """NaN and the infinities are no JSON."""


# Decimals stay as written: a stamp is part of the fact's identity.
_DECODER = json.JSONDecoder(parse_int=_whole, parse_float=str, parse_constant=_no_number)


def items(body: bytes) -> list[Item]:
    """Every element of the array; raises Unreadable when the body is no JSON array."""
    with _readable():
        return list(_items(body.decode()))


def value(body: bytes) -> Any:
    """The one JSON value that the body is; raises Unreadable when it is none."""
    with _readable():
        return _DECODER.decode(body.decode("utf-8-sig"))


def one_or_many(body: bytes) -> list[Item]:
    """The elements of the array, or the one value that the body is; Unreadable when it is none."""
    if body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"["):
        return items(body)
    return [Item(value(body), 0, len(body))]


def items_under(body: bytes, name: str) -> list[Item]:
    """Every element of the array that the body's object has under this name.

    Raises Unreadable when the body is no object, or has no array there.
    """
    found = value(body)
    if not isinstance(found, dict) or not isinstance(found.get(name), list):
        raise Unreadable(f"the body is no JSON object with an array {name}")
    text = body.decode()
    start, end = _place_of(text, name)
    before = _bytes(text, 0, start)
    elements = items(text[start:end].encode())
    return [Item(one.value, before + one.start, one.length) for one in elements]


def values(body: bytes) -> list[Item]:
    """The JSON values that the body is, one or more lines each: JSON Lines, or one value."""
    with _readable():
        return list(_values(body.decode()))


@contextmanager
def _readable() -> Iterator[None]:
    """What a hostile body can raise, as Unreadable."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise Unreadable(f"the body is not UTF-8 at byte {error.start}") from error
    except json.JSONDecodeError as error:
        raise Unreadable(f"the body is no JSON: {error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise Unreadable("the body is nested too deeply") from error


def _place_of(text: str, name: str) -> tuple[int, int]:
    """Where the value of this name begins and ends in the text of an object that has one."""
    found = (0, 0)
    place = _beginning(text)
    while text[place] != "}":
        key, place = _DECODER.raw_decode(text, _after_blank(text, place + 1))
        start = _after_blank(text, _after_blank(text, place) + 1)
        _, end = _DECODER.raw_decode(text, start)
        if key == name:
            found = (start, end)
        place = _after_blank(text, end)
    return found


def _values(text: str) -> Iterator[Item]:
    place, marked, offset, count = _beginning(text), 0, 0, 0
    more = True
    while more:
        count += 1
        if count > ITEMS_MAX:
            raise Unreadable(f"the body has more than {ITEMS_MAX} events")
        value, end = _DECODER.raw_decode(text, place)
        offset += _bytes(text, marked, place)
        length = _bytes(text, place, end)
        yield Item(value, offset, length)
        offset, marked = offset + length, end
        place = _after_blank(text, end)
        more = place < len(text)
        if more and "\n" not in text[end:place]:
            raise Unreadable("the body goes on after its value")


def _beginning(text: str) -> int:
    return _after_blank(text, 1 if text.startswith(_BYTE_ORDER_MARK) else 0)


def _items(text: str) -> Iterator[Item]:
    place = _beginning(text)
    if text[place : place + 1] != "[":
        raise Unreadable("the body is no JSON array")
    place = _after_blank(text, place + 1)
    marked, offset, count = 0, 0, 0
    closed = text[place : place + 1] == "]"
    while not closed:
        count += 1
        if count > ITEMS_MAX:
            raise Unreadable(f"the body has more than {ITEMS_MAX} events")
        value, end = _DECODER.raw_decode(text, place)
        offset += _bytes(text, marked, place)
        length = _bytes(text, place, end)
        yield Item(value, offset, length)
        offset, marked = offset + length, end
        place = _after_blank(text, end)
        closed = _is_last(text, place)
        place = place if closed else _after_blank(text, place + 1)
    if _after_blank(text, place + 1) != len(text):
        raise Unreadable("the body goes on after its array")


def _is_last(text: str, place: int) -> bool:
    """Whether the array ends here; raises JSONDecodeError when it neither ends nor goes on."""
    mark = text[place : place + 1]
    if mark not in {"]", ","}:
        raise json.JSONDecodeError("the array breaks off", text, place)
    return mark == "]"


def _after_blank(text: str, place: int) -> int:
    match = _BLANK.match(text, place)
    return match.end() if match else place


def _bytes(text: str, start: int, end: int) -> int:
    run = text[start:end]
    return len(run) if run.isascii() else len(run.encode())
