"""Mail of our own making: built once per message, with gaps that each recipient's copy fills.

The standard library builds only some hundred mails a second, so it builds one, with a token
where recipients differ; a copy is then the runs between the tokens and its own filled pieces.
Values are filled in before the transfer encoding of their part, never after it.
Header fields are written here: the library's header objects read a value before they write it,
and what an encoded word in it hides, a line end too, would stand open in the mail.
"""

import base64
import binascii
import html
import re
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import Message
from email.policy import SMTP
from email.utils import format_datetime
from functools import cached_property
from hashlib import sha256
from urllib.parse import quote

from postroom.domain import encoded_word
from postroom.domain.address import format_mailbox, parse_address
from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.template import UNSUBSCRIBE, Field, MissingField, Template, parse
from postroom.providers.base import Copy, RawMail, Segment, Stored
from postroom.providers.json_mail import AUTOMATIC

Gap = Callable[[Copy], bytes]
"""What one recipient's copy has in its place."""

# What would end a header line, here or on the way.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")
_LINE_CHARS = 76
_WORD_CHARS_MAX = 900
_AS_WRITTEN = SMTP.clone(refold_source="none")
_PLAIN = re.compile(r"[ !#-\[\]-~]*")
_ATTRIBUTE_MARKS = "!#$&+-.^_`|~"
"""What needs no percent sign in an extended parameter (RFC 2231, section 7), besides letters."""
_EXTENDED_PIECE = re.compile(r"(?:%..|[^%]){1,18}")
"""At most 54 characters, so that each fits a line with the parameter's name."""


@dataclass(frozen=True)
class Skeleton:
    """A built mail with its gaps."""

    sender: str
    blob: bytes
    """All bytes that every copy shares, in order."""
    pieces: tuple[Stored | Gap, ...]
    track_opens: bool
    track_clicks: bool

    def segments(self, copy: Copy) -> tuple[Segment, ...]:
        """One recipient's own mail; raises MissingField where a value is not there."""
        filled = {gap: gap(copy) for gap in self.gaps}
        return tuple(p if isinstance(p, Stored) else filled[p] for p in self.pieces)

    @cached_property
    def gaps(self) -> frozenset[Gap]:
        """Each gap once: one that stands in many places is filled once for each copy."""
        return frozenset(piece for piece in self.pieces if not isinstance(piece, Stored))

    def mail(self, copies: list[Copy]) -> RawMail:
        """The mail of these recipients."""
        return RawMail(
            mail_from=self.sender,
            copies={copy.handover_id: self.segments(copy) for copy in copies},
            shared={sha256(self.blob).digest(): self.blob},
            track_opens=self.track_opens,
            track_clicks=self.track_clicks,
        )


class _Gaps:
    """Tokens that stand for gaps while the standard library builds the mail."""

    def __init__(self) -> None:
        self._gaps: dict[bytes, Gap] = {}

    def token(self, gap: Gap) -> str:
        """A token that occurs in no mail."""
        token = secrets.token_hex(20)
        self._gaps[token.encode()] = gap
        return token

    def split(self, mail: bytes) -> Iterator[bytes | Gap]:
        """The mail's runs and gaps in order."""
        pattern = b"(" + b"|".join(self._gaps) + b")"
        for piece in re.split(pattern, mail):
            yield self._gaps.get(piece, piece)


def build(content: Content, now: datetime) -> Skeleton:
    """The mail of a content, for any number of recipients."""
    gaps = _Gaps()
    head = "".join(_head(content, now, gaps))
    body = _body(content, gaps)
    end = b"" if body.is_multipart() else b"\r\n"
    mail = head.encode() + body.as_bytes(policy=_AS_WRITTEN) + end
    pieces = list(gaps.split(mail))
    blob = b"".join(piece for piece in pieces if isinstance(piece, bytes))
    return Skeleton(
        content.sender.email,
        blob,
        tuple(_placed(pieces, sha256(blob).digest())),
        content.track_opens,
        content.track_clicks,
    )


def _placed(pieces: list[bytes | Gap], digest: bytes) -> Iterator[Stored | Gap]:
    start = 0
    for piece in pieces:
        if not isinstance(piece, bytes):
            yield piece
        elif piece:
            yield Stored(digest, start, len(piece))
            start += len(piece)


def _head(content: Content, now: datetime, gaps: _Gaps) -> Iterator[str]:
    """The header fields that are not about the structure."""
    yield _field("From", _mailboxes((content.sender,)))
    if content.display_to:
        yield _field("To", _mailboxes(content.display_to))
    else:
        yield gaps.token(_visible_recipient)
    if content.cc:
        yield _field("Cc", _mailboxes(content.cc))
    if content.reply_to:
        yield _field("Reply-To", _mailboxes(content.reply_to))
    subject = parse(content.subject)
    yield gaps.token(lambda copy: _field("Subject", _text(subject.render(copy.vars))).encode())
    yield _field("Date", format_datetime(now))
    yield gaps.token(_message_id(content))
    given = {name.lower() for name, _ in content.headers}
    for name, value in content.headers:
        yield _field(name, _text(value))
    if content.one_click:
        yield gaps.token(lambda copy: one_click(copy.vars[UNSUBSCRIBE]).encode())
    for name, value in AUTOMATIC:
        if name.lower() not in given:
            yield _field(name, value)
    yield "MIME-Version: 1.0\r\n"


LIST_FIELD = "List-Unsubscribe"


def one_click(url: str) -> str:
    """The fields by which a mailbox provider refuses further mail for its user (RFC 8058)."""
    return f"{LIST_FIELD}: <{url}>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"


def _visible_recipient(copy: Copy) -> bytes:
    return _field("To", format_mailbox(copy.name, parse_address(copy.recipient))).encode()


def _message_id(content: Content) -> Gap:
    if content.message_id is not None:
        given = _field("Message-ID", content.message_id).encode()
        return lambda _copy: given
    domain = parse_address(content.sender.email).domain
    return lambda copy: f"Message-ID: <{copy.handover_id}@{domain}>\r\n".encode()


def _mailboxes(mailboxes: tuple[Mailbox, ...]) -> str:
    return ", ".join(format_mailbox(box.name, parse_address(box.email)) for box in mailboxes)


def _text(value: str) -> str:
    """Free text as the value of a header field."""
    line = _CONTROLS.sub(" ", value)
    plain = line.isascii() and "=?" not in line
    if plain and all(len(word) <= _WORD_CHARS_MAX for word in line.split(" ")):
        return line
    return encoded_word.encode(line)


def _field(name: str, value: str) -> str:
    """A header field, folded at spaces so that its lines stay short."""
    lines = [f"{name}:"]
    for word in value.split(" "):
        if len(lines[-1]) + 1 + len(word) > _LINE_CHARS and lines[-1].strip(" ") and word:
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines) + "\r\n"


def _body(content: Content, gaps: _Gaps) -> Message:
    """The structure: mixed(alternative(text, related(html, inline images), calendar), files)."""
    calendars = [a for a in content.attachments if is_invitation(a)]
    inline = [a for a in content.attachments if a.content_id and content.html is not None]
    files = [a for a in content.attachments if a not in calendars and a not in inline]
    ways = [_template(content.text, "plain", None, gaps)] if content.text is not None else []
    if content.html is not None:
        page = _template(content.html, "html", html.escape, gaps)
        ways.append(_multipart("related", [page, *map(_attached, inline)]))
    ways += map(_invitation, calendars)
    if not ways and not files:
        ways = [_template("", "plain", None, gaps)]
    main = [_multipart("alternative", ways)] if ways else []
    return _multipart("mixed", [*main, *map(_attached, files)])


def _part(content_type: str) -> Message:
    """A part whose header is written as it is set: nothing in it is read, decoded or folded."""
    part = Message()
    part["Content-Type"] = content_type
    return part


def _multipart(subtype: str, parts: list[Message]) -> Message:
    """The parts as one; a single one stands for itself."""
    if len(parts) == 1:
        return parts[0]
    whole = _part(f"multipart/{subtype}")
    for part in parts:
        whole.attach(part)
    return whole


def _template(text: str, subtype: str, escape: Callable[[str], str] | None, gaps: _Gaps) -> Message:
    template = parse(text)
    part = _part(f'text/{subtype}; charset="utf-8"')
    part["Content-Transfer-Encoding"] = "quoted-printable"
    if template.keys:
        part.set_payload("".join(_runs(template, escape, gaps)))
    else:
        part.set_payload(quoted_printable(template.render({})).decode("ascii"))
    return part


def _runs(template: Template, escape: Callable[[str], str] | None, gaps: _Gaps) -> Iterator[str]:
    """The text between fields, encoded, and a token in the place of each field."""
    tokens = {key: gaps.token(_filled(key, escape)) for key in template.keys}
    for piece in template.segments:
        if isinstance(piece, Field):
            yield tokens[piece.key]
        else:
            yield _up_to_gap(piece).decode("ascii")


def _filled(key: str, escape: Callable[[str], str] | None) -> Gap:
    """The value of a field, in a part that is quoted-printable."""

    def fill(copy: Copy) -> bytes:
        value = copy.vars.get(key)
        if value is None:
            raise MissingField(key)
        return _up_to_gap(value if escape is None else escape(value))

    return fill


_SOFT_BREAK = b"=\r\n"
_AS_IT_IS = re.compile(r"[A-Za-z0-9_-]{1,70}")


def _up_to_gap(text: str) -> bytes:
    """A run of a part as quoted-printable; what follows begins a line, which nobody will see.

    So literal text is encoded once for all copies, whatever stands between its runs.
    """
    if _AS_IT_IS.fullmatch(text):
        return text.encode("ascii") + _SOFT_BREAK
    # The letter keeps a place for the soft break's own character, and a space before it a space.
    return quoted_printable(text + "x")[:-1] + _SOFT_BREAK


def quoted_printable(text: str) -> bytes:
    """Text as quoted-printable UTF-8 with CRLF line ends (RFC 2045 section 6.7)."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return binascii.b2a_qp(lines.encode()).replace(b"\n", b"\r\n")


def is_invitation(attachment: Attachment) -> bool:
    """A calendar object with a method: an alternative to the text, not a file."""
    kind, _, parameters = attachment.content_type.lower().partition(";")
    return kind.strip() == "text/calendar" and "method=" in parameters.replace(" ", "")


def _invitation(attachment: Attachment) -> Message:
    part = _part(attachment.content_type)
    if part.get_param("charset") is None:
        part.set_param("charset", "utf-8")
    _fill(part, attachment.content)
    return part


def _attached(attachment: Attachment) -> Message:
    part = _part(_file_type(attachment))
    disposition = "inline" if attachment.content_id else "attachment"
    # A line break within quotes would be part of the name for some readers: only before a name.
    lines = [disposition, *_parameter("filename", attachment.filename)]
    part["Content-Disposition"] = ";\r\n ".join(lines)
    if attachment.content_id:
        part["Content-ID"] = f"<{attachment.content_id}>"
    _fill(part, attachment.content)
    return part


def _parameter(name: str, value: str) -> list[str]:
    """A parameter, in one piece or more, that every reader takes for this very value.

    Quoted, or extended (RFC 2231, sections 3 and 4) where it is not ASCII, or where readers differ:
    on what a backslash means, and on encoded words in quotes.
    """
    if _PLAIN.fullmatch(value) and "=?" not in value:
        return [f'{name}="{value}"']
    pieces = _EXTENDED_PIECE.findall("utf-8''" + quote(value, safe=_ATTRIBUTE_MARKS))
    if len(pieces) == 1:
        return [f"{name}*={pieces[0]}"]
    return [f"{name}*{number}*={piece}" for number, piece in enumerate(pieces)]


def _file_type(attachment: Attachment) -> str:
    """Its type; composite ones must not be base64 (RFC 2046 5.2.1) and travel as plain files."""
    composite = attachment.content_type.lower().startswith(("message/", "multipart/"))
    return "application/octet-stream" if composite else attachment.content_type


def _fill(part: Message, content: bytes) -> None:
    part["Content-Transfer-Encoding"] = "base64"
    part.set_payload(base64.encodebytes(content).decode("ascii"))
