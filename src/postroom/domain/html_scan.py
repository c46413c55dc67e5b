"""The tags of an HTML text with their attributes, found by offsets as a browser finds them.

After the tokenizer of the WHATWG HTML standard, section 13.2.5 (read 2026-11-24), as far as tags,
attributes, comments and the text of elements go that hold no tags. Scripting counts as switched
off, as it is in mail. What stands in CDATA sections of SVG and MathML is taken for HTML: they are
known only to who builds the tree. Linear in the length of the text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.entities import html5

_SPACES = "\t\n\f\r "
_TAG = re.compile(r"<(?:(!--)|([!?])|(/?)([A-Za-z][^\t\n\f\r />]*)|(/))")
_BETWEEN = re.compile(rf"[{_SPACES}/]*")
_SPACE = re.compile(rf"[{_SPACES}]*")
_NAME = re.compile(rf"[^{_SPACES}/>][^{_SPACES}/>=]*")
_UNQUOTED = re.compile(rf"[^{_SPACES}>]+")
_SHORT_COMMENT_END = re.compile("-?>")
_COMMENT_END = re.compile(r"--!?>")
_WITHOUT_TAGS = frozenset({
    "iframe", "noembed", "noframes", "plaintext", "script", "style", "textarea", "title", "xmp",
})  # fmt: skip
"""Elements whose content has no tags but their own end."""
_SCRIPT = re.compile(rf"<!--|-->|<(/?)script(?=[{_SPACES}/>])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value stands in the text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag, or an end tag whose name begins with a slash."""

    name: str
    """In lower case."""
    start: int
    end: int
    attributes: dict[str, Span | None] = field(default_factory=dict)
    """By lower-case name, the first of several; None for an attribute without a value."""


def tags(text: str) -> Iterator[Tag]:
    """Every tag that a browser would see, in order; one that the text's end cuts off is none."""
    place = 0
    while found := _TAG.search(text, place):
        if found[4] is None:
            end = _after_no_tag(text, found)
            if end is None:
                return
            place = end
            continue
        tag = _tag(text, found)
        if tag is None:
            return
        yield tag
        place = tag.end
        if tag.name in _WITHOUT_TAGS:
            after = _after_text(text, tag)
            if after is None:
                return
            place = after


def _after_no_tag(text: str, found: re.Match[str]) -> int | None:
    """The end of a comment or of what counts as one; None: the text ends before."""
    if found[1]:
        # `<!-->` and `<!--->` are whole comments, so the dashes may be those of the beginning.
        if (short := _SHORT_COMMENT_END.match(text, found.end())) is not None:
            return short.end()
        end = _COMMENT_END.search(text, found.end())
        return None if end is None else end.end()
    closing = text.find(">", found.end())
    return None if closing < 0 else closing + 1


def _tag(text: str, found: re.Match[str]) -> Tag | None:
    attributes: dict[str, Span | None] = {}
    place = found.end()
    while True:
        between = _BETWEEN.match(text, place)
        place = place if between is None else between.end()
        name = _NAME.match(text, place)
        if name is None:
            break
        value, after = _value(text, name.end())
        if after is None:
            return None
        attributes.setdefault(name[0].lower(), value)
        place = after
    if place == len(text):
        return None
    return Tag(f"{found[3]}{found[4].lower()}", found.start(), place + 1, attributes)


def _value(text: str, place: int) -> tuple[Span | None, int | None]:
    """The value after an attribute's name, and where it goes on; None: the text ends before."""
    equals = _SPACE.match(text, place)
    at = place if equals is None else equals.end()
    if text[at : at + 1] != "=":
        return None, place
    space = _SPACE.match(text, at + 1)
    start = at + 1 if space is None else space.end()
    quote = text[start : start + 1]
    if quote in ('"', "'"):
        end = text.find(quote, start + 1)
        return (None, None) if end < 0 else (Span(start + 1, end), end + 1)
    unquoted = _UNQUOTED.match(text, start)
    return (None, start) if unquoted is None else (Span(start, unquoted.end()), unquoted.end())


def _after_text(text: str, tag: Tag) -> int | None:
    """Where the end tag of an element without tags begins; None: the text ends before."""
    if tag.name == "plaintext":
        return None
    if tag.name == "script":
        return _after_script(text, tag.end)
    end = re.compile(rf"</{tag.name}(?=[{_SPACES}/>])", re.IGNORECASE).search(text, tag.end)
    return None if end is None else end.start()


def _after_script(text: str, place: int) -> int | None:
    """Inside a comment a script may hold another one whole, with its end tag."""
    in_comment = in_inner = False
    while found := _SCRIPT.search(text, place):
        place = found.end()
        if found[0] == "<!--":
            in_comment, place = True, found.start() + 2
        elif found[0] == "-->":
            in_comment = in_inner = False
        elif in_inner:
            in_inner = not found[1]
        elif found[1]:
            return found.start()
        else:
            in_inner = in_comment
    return None


_REFERENCE = re.compile(r"&(?:#([0-9]+|[xX][0-9A-Fa-f]+);?|([A-Za-z][A-Za-z0-9]*;?))")
_GOES_ON = re.compile("[=A-Za-z0-9]")
_NAME_CHARS_MAX = max(map(len, html5))
_DIGITS_MAX = 7
"""The greatest code point has so many decimal digits, and fewer hexadecimal ones."""


def attribute_value(text: str) -> str:
    """The value that a browser reads in an attribute: its character references replaced.

    `&copy=1` stays as it is, other than in text (section 13.2.5.73).
    """
    return _REFERENCE.sub(_referred, text) if "&" in text else text


def _referred(found: re.Match[str]) -> str:
    if found[1]:
        return _numbered(found[1])
    name = found[2]
    for length in range(min(len(name), _NAME_CHARS_MAX), 1, -1):
        known = name[:length]
        if known in html5:
            after = name[length:] or found.string[found.end() : found.end() + 1]
            is_ambiguous = not known.endswith(";") and _GOES_ON.match(after) is not None
            return found[0] if is_ambiguous else html5[known] + name[length:]
    return found[0]


def _numbered(digits: str) -> str:
    hexadecimal = digits[0] in "xX"
    significant = digits.lstrip("xX0")
    if len(significant) > _DIGITS_MAX:
        return "\N{REPLACEMENT CHARACTER}"
    # Of what is no character to be sent the library makes nothing; browsers take it as it is.
    return unescape(f"&#{digits};") or chr(int(significant, 16 if hexadecimal else 10))
