"""The vendor's template language as far as plain fields need it.

developers.sparkpost.com/api/template-language, read 2026-11-24: expressions, HTML escaping, URL
encoding in links, default values, nested paths, and the macros for braces. Values are written out
and never evaluated. Statements (`if`, `each`) and dynamic content are not played.
"""

import html
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

_EXPRESSION = re.compile(r"\{\{\{\s*(.*?)\s*\}\}\}|\{\{\s*(.*?)\s*\}\}", re.DOTALL)
_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_DEFAULT = re.compile(r"(\S+)\s+or\s+(?:'([^']*)'|\"([^\"]*)\")")
_IN_LINK = re.compile(r"https?://[^\s\"'<>]*\Z")
_LINK_CHARS_MAX = 2_048

_BRACES = {
    "opening_double_curly()": "{{",
    "closing_double_curly()": "}}",
    "opening_triple_curly()": "{{{",
    "closing_triple_curly()": "}}}",
}

Data = Mapping[str, Any]


class SyntaxFlawError(Exception):
    """The text is no template; the message says what is wrong."""


def render(text: str, data: Data, page: bool = False) -> str:
    """The text with its expressions filled in; `page`: it is HTML. Raises SyntaxFlawError."""
    made, place = [], 0
    for found in _EXPRESSION.finditer(text):
        before = text[place : found.start()]
        made += [_literal(before), _filled(found, text, data, page)]
        place = found.end()
    return "".join([*made, _literal(text[place:])])


def _literal(text: str) -> str:
    if "{{" in text:
        raise SyntaxFlawError("an expression is not closed")
    return text


def _filled(found: re.Match[str], text: str, data: Data, page: bool) -> str:
    bare, escaped = found.groups()
    source = bare if bare is not None else escaped
    if source in _BRACES:
        return _BRACES[source]
    value = _value(source, data)
    return value if bare is not None else _escape(found, text, page)(value)


def _escape(found: re.Match[str], text: str, page: bool) -> Callable[[str], str]:
    """How a value is written that stands between two braces."""
    if _IN_LINK.search(text, max(0, found.start() - _LINK_CHARS_MAX), found.start()):
        return lambda value: quote(value, safe="")
    return (lambda value: html.escape(value).replace("/", "&#x2F;")) if page else str


def _value(source: str, data: Data) -> str:
    default = _DEFAULT.fullmatch(source)
    path = default[1] if default else source
    if not _PATH.fullmatch(path):
        raise SyntaxFlawError(f"while parsing '{source}'")
    value: Any = data
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    if value is None:
        return (default[2] or default[3] or "") if default else ""
    return str(value)
