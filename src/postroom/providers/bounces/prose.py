"""What a mail says to a human reader, up to the mail that it returns."""

import html
import re
from collections.abc import Iterator, Sequence
from email.message import Message
from email.parser import HeaderParser

from postroom.providers.told import storable

LINES_MAX = 1_000
"""How much prose is read: the returned mail, which may be large, comes after it."""
LINE_CHARS_MAX = 1_000

_TEXTS = frozenset({"text/plain", "text/html"})
_BREAK = re.compile(r"<(?:br|/?p|/?div|/?tr|/?li|/?h\d)\b[^<>]{0,300}>", re.IGNORECASE)
_HIDDEN = ("head", "style", "script")
_TAG = re.compile(r"<[^<>@]{0,2000}>|<[^<>]{0,20}(?:href|mailto)[^<>]{0,2000}>", re.IGNORECASE)

_RETURNED = re.compile(
    r"-{2,}.{0,30}(?:original|copy of|below this line|returned (?:message|mail)|the header"
    r"|message (?:header|body|text)|unsent message|forwarded).{0,120}"
    r"|(?:received|return-path|dkim-signature|message-id): .{1,900}"
    r"|content-type: (?:message/rfc822|text/rfc822-headers).{0,200}"
    r"|(?:the |your )?original message(?: (?:follows|attached|details|as received)"
    r"(?: is as follows)?| headers?(?: follow)?)?[.:]?"
    r"|a copy of the original message.{0,80}"
    r"|(?:message (?:headers|text)|your message reads).{0,20}follows?.{0,10}[.:]?"
    r"|(?:included|this|here|attached|below) is (?:a copy of )?(?:your|the) "
    r"(?:returned |original )?(?:mail|message).{0,60}"
    r"|the (?:text|header)s? of the (?:original )?message.{0,80}",
    re.IGNORECASE,
)
_PLAINLY_RETURNED = re.compile(
    r"(?:the |your )?original message (?:follows|is attached)[.:]?"
    r"|-{2,} {0,3}(?:original message|below this line|unsent message).{0,60}",
    re.IGNORECASE,
)
"""The same where it is certain, even right behind the first line."""
_HEADER = re.compile(r"[A-Za-z-]{2,40}: ")
_BLANK_AT_MOST = 2
"""Lines at the top of the prose that are never taken for the returned mail."""


def text_of(mail: Message) -> str:
    """The prose: every plain text part beside the returned mail, or HTML where there is none."""
    texts = list(_texts(mail))
    plain = [text for kind, text in texts if kind == "text/plain"]
    return "\n".join(plain or [_unmarked(text) for _, text in texts])


def _texts(mail: Message) -> Iterator[tuple[str, str]]:
    if mail.get_content_maintype() == "message":
        return
    if mail.is_multipart():
        for part in mail.get_payload():
            if isinstance(part, Message):
                yield from _texts(part)
    elif mail.get_content_maintype() == "multipart":
        # Promised parts that are not there: everything is prose.
        yield "text/plain", storable(_decoded(mail))
    elif mail.get_content_type() in _TEXTS:
        yield mail.get_content_type(), storable(_decoded(mail))


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return raw.decode("latin-1")


def _unmarked(page: str) -> str:
    """The words of an HTML page, a line for each of its blocks."""
    for name in _HIDDEN:
        page = _without(page, name)
    shown = _TAG.sub("", _BREAK.sub("\n", page))
    return html.unescape(shown).replace("\N{NO-BREAK SPACE}", " ")


def _without(page: str, name: str) -> str:
    """The page without the elements of that name; in linear time, which one expression is not."""
    kept, begin, folded = [], 0, page.lower()
    while (start := folded.find(f"<{name}", begin)) >= 0:
        end = folded.find(f"</{name}>", start)
        if end < 0:
            break
        kept.append(page[begin:start])
        begin = end + len(name) + 3
    return "".join([*kept, page[begin:]])


def lines_of(text: str) -> list[str]:
    """The lines before the returned mail, as many and as long as are read."""
    lines = _lines(text)
    return lines[: _end(lines)]


def returned_in(text: str) -> Message:
    """The returned mail as far as its headers stand in the text; an empty one where they do not."""
    lines = _lines(text)
    rest = lines[_end(lines) :]
    if rest and not _HEADER.match(rest[0]):
        rest = rest[1:]
    return HeaderParser().parsestr("\n".join(rest).lstrip())


def _lines(text: str) -> list[str]:
    return [line[:LINE_CHARS_MAX] for line in text.splitlines()[:LINES_MAX]]


def _end(lines: Sequence[str]) -> int:
    """How many lines stand before the returned mail."""
    said = 0
    for number, line in enumerate(lines):
        marks = _RETURNED if said > _BLANK_AT_MOST else _PLAINLY_RETURNED
        if said and marks.fullmatch(line.strip()):
            return number
        said += bool(line.strip())
    return len(lines)
