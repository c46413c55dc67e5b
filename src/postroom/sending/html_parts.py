"""The HTML of a finished mail: where its parts lie, and how other HTML is put in their place.

Read by offsets, so that every byte outside stays as it came. A part that cannot be read back into
the very bytes it was is no part that may be changed.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from postroom.sending.private_headers import fields

DEPTH_MAX = 20
"""Multiparts inside one another; readers of mail stop far before."""
_SIGNED_BY_FIELD = (b"dkim-signature", b"arc-message-signature")
_UNENCODED = frozenset({"", "7bit", "8bit", "binary"})
_BASE64_LINE_CHARS = 76
_BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]*")


@dataclass(frozen=True, slots=True)
class HtmlPart:
    """One `text/html` part that is no attachment."""

    start: int
    """Of its content, in the mail."""
    end: int
    html: str
    charset: str
    is_base64: bool
    encoding_at: tuple[int, int] | None
    """Where the field that names its transfer encoding lies, or is to lie, when it must be said
    that it is quoted-printable from now on; None: what is said stays true."""

    def encoded(self, html: str) -> bytes:
        """The content that stands for this HTML."""
        data = html.encode(self.charset)
        if not self.is_base64:
            return _quoted_printable(data)
        text = base64.b64encode(data)
        lines = range(0, len(text), _BASE64_LINE_CHARS)
        return b"".join(text[at : at + _BASE64_LINE_CHARS] + b"\r\n" for at in lines)


def html_parts(data: bytes) -> list[HtmlPart]:
    """The HTML parts that may be changed: none where a domain has signed the whole."""
    if any(name in _SIGNED_BY_FIELD for _, _, name in fields(data)):
        return []
    return list(_parts(data, 0, len(data), DEPTH_MAX))


@dataclass(frozen=True, slots=True)
class _Head:
    """What the header of an entity says, and where."""

    content_type: Message
    disposition: str
    encoding: str
    encoding_at: tuple[int, int]
    body_start: int


def _parts(data: bytes, start: int, end: int, depth: int) -> Iterator[HtmlPart]:
    head = _head(data, start, end)
    kind = head.content_type.get_content_type()
    if kind.startswith("multipart/") and depth:
        boundary = head.content_type.get_boundary()
        for first, last in _between(data, head.body_start, end, boundary or ""):
            yield from _parts(data, first, last, depth - 1)
    elif kind == "text/html" and head.disposition != "attachment":
        part = _part(data, head, end)
        if part is not None:
            yield part


def _head(data: bytes, start: int, end: int) -> _Head:
    found: dict[bytes, tuple[int, int]] = {}
    body_start = end
    for first, last, name in fields(data[start:end]):
        if name == b"":
            body_start = start + first
        found.setdefault(name, (start + first, start + last))
    # The blank line belongs to what `fields` gives as the body.
    blank = re.compile(rb"\r?\n").match(data, body_start)
    after = body_start if blank is None else blank.end()
    content_type = Message()
    content_type["Content-Type"] = _value(data, found.get(b"content-type")) or "text/plain"
    return _Head(
        content_type,
        _value(data, found.get(b"content-disposition")).partition(";")[0].strip().lower(),
        _value(data, found.get(b"content-transfer-encoding")).strip().lower(),
        found.get(b"content-transfer-encoding", (body_start, body_start)),
        after,
    )


def _value(data: bytes, place: tuple[int, int] | None) -> str:
    if place is None:
        return ""
    text = data[slice(*place)].partition(b":")[2].decode("latin-1")
    return " ".join(text.split())


def _between(data: bytes, start: int, end: int, boundary: str) -> Iterator[tuple[int, int]]:
    """The parts of a multipart, each without the line end that belongs to its delimiter."""
    if not boundary:
        return
    delimiter = re.compile(
        rb"(?:\A|(?<=\r\n))--" + re.escape(boundary.encode("latin-1")) + rb"(--)?[ \t]*(?:\r\n|\Z)"
    )
    opened: int | None = None
    for found in delimiter.finditer(data[start:end]):
        if opened is not None:
            yield opened, max(opened, start + found.start() - 2)
        if found[1]:
            return
        opened = start + found.end()
    if opened is not None:
        yield opened, end


def _part(data: bytes, head: _Head, end: int) -> HtmlPart | None:
    """The part; None when its bytes cannot be made again from what is read."""
    raw = data[head.body_start : end]
    decoded = _decoded(raw, head.encoding)
    charset = head.content_type.get_content_charset() or "utf-8"
    try:
        html = None if decoded is None else decoded.decode(charset)
        if html is None or html.encode(charset) != decoded:
            return None
    except (LookupError, UnicodeError):
        return None
    changed = head.encoding_at if head.encoding in _UNENCODED else None
    is_base64 = head.encoding == "base64"
    return HtmlPart(head.body_start, end, html, charset, is_base64, changed)


def _decoded(raw: bytes, encoding: str) -> bytes | None:
    if encoding in _UNENCODED:
        return raw
    if encoding == "quoted-printable":
        return quopri.decodestring(raw)
    if encoding != "base64" or not _BASE64.fullmatch(raw):
        return None
    try:
        return base64.b64decode(raw)
    except binascii.Error:
        return None


def _quoted_printable(data: bytes) -> bytes:
    """Lines as lines where all of them end in CRLF; else every byte by itself (RFC 2045 6.7)."""
    as_text = data.replace(b"\r\n", b"\n")
    if b"\r" in as_text or as_text.count(b"\n") != data.count(b"\r\n"):
        return binascii.b2a_qp(data, istext=False).replace(b"\n", b"\r\n")
    return binascii.b2a_qp(as_text).replace(b"\n", b"\r\n")
