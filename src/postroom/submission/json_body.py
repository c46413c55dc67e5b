"""JSON as received, read strictly: what cannot be read is 400, what no mail can hold is 422."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from postroom.domain.problem import FieldError, Problem, invalid, unreadable

_SUSPICIOUS_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""The only way for NUL or a surrogate into a string: JSON forbids both as raw bytes."""
_KEY_CHARS_SHOWN = 100
_FORBIDDEN = re.compile("[\x00\ud800-\udfff]")


def read_json(raw: bytes) -> Any:
    """The value; raises Problem: 400 for what is no JSON or has a key twice in one object, 422
    for NUL or a lone surrogate."""
    try:
        text = raw.decode("utf-8")
        value = _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise unreadable(f"the body is not UTF-8: see byte {error.start}") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise unreadable(f"the body is no JSON: {error.msg} at {where}") from error
    except RecursionError as error:
        raise unreadable("the body is nested too deeply") from error
    except ValueError as error:
        raise unreadable(f"the body is no JSON: {error}") from error
    if _SUSPICIOUS_ESCAPE.search(raw):
        _refuse_forbidden(value)
    return value


def canonical_digest(value: Any) -> bytes:
    """SHA-256 of the parsed value with sorted keys: layout and key order make no difference."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).digest()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand once each: readers differ on which of two they take."""
    value = dict(pairs)
    if len(value) < len(pairs):
        raise _given_twice(pairs)
    return value


def _given_twice(pairs: list[tuple[str, Any]]) -> Problem:
    count = Counter(key for key, _ in pairs)
    key = max(count, key=lambda name: count[name])
    return unreadable(f"the body has the key {key[:_KEY_CHARS_SHOWN]!a} twice in one object")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)


def _refuse_forbidden(value: Any) -> None:
    for path, text in _texts("", value):
        if _FORBIDDEN.search(text):
            detail = "holds a NUL character or a lone surrogate"
            raise invalid(f"{path or 'a field'}: {detail}", FieldError(path, detail))


def _texts(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every string inside, keys too, with the path to it."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield path, key
            yield from _texts(f"{path}.{key}" if path else key, inner)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _texts(f"{path}[{position}]", inner)
