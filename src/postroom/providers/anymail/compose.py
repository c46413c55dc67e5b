"""What Anymail is told of a mail and its copies: the bytes of a call.

Anymail itself makes the vendor's request of them while it sends, so the record of an attempt shows
what it was told and what the vendor answered. A mail with fields goes one copy a call, filled in by
us: no two vendors have the same language for fields, and none escapes for HTML alone.
"""

import html
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from json.encoder import encode_basestring_ascii as quoted

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.template import Template, parse
from postroom.providers.anymail.esps import Esp
from postroom.providers.base import CannotCarry
from postroom.providers.frames import Frame, Gap, Limits, frame_of, text_pieces
from postroom.providers.json_mail import (
    AUTOMATIC,
    check_attachment,
    check_headers,
    check_people,
    header_fields,
    mailbox_text,
    one_line,
)

Escape = Callable[[str], str] | None

RESERVED = frozenset({
    "from", "sender", "subject", "to", "cc", "bcc", "reply-to", "return-path", "date",
    "message-id", "mime-version", "received", "dkim-signature", "x-metadata", "x-tags",
    "x-mt-", "x-mc-", "x-postal-", "x-mailersend-", "x-unisender-", "x-tem-",
})  # fmt: skip
"""Written by the vendors or by Anymail whatever we say, or orders to one of the vendors."""


def frame(content: Content, esp: Esp) -> Frame:
    """The frame of a mail; raises CannotCarry when it is more than Anymail's JSON calls can say."""
    api = f"{esp.label}, by Anymail,"
    check_people(content, api)
    check_headers(content, api, RESERVED)
    if not content.text and not content.html:
        raise CannotCarry(f"{api} takes no mail without a text")
    for attachment in content.attachments:
        check_attachment(attachment, api)
    return frame_of(content, lambda _copies: b'{"copies":[', _own(content), _rest(content, esp))


def limits(content: Content, esp: Esp) -> Limits:
    """The most that one call of this mail may have."""
    texts = filter(None, (content.subject, content.text, content.html))
    has_fields = any(parse(text).keys for text in texts)
    return Limits(copies=1 if has_fields else esp.copies, bytes=esp.bytes)


def changes(content: Content, esp: Esp) -> tuple[str, ...]:
    """What this road changes in a mail, for the record of the attempt."""
    told = []
    if not esp.tracks:
        told.append(f"opens and clicks tracked as the account is set at {esp.label}")
    if not esp.takes_headers and not _own_headers(content):
        told.append("left out the headers of automatic mail")
    return tuple(told)


def _own(content: Content) -> Iterator[bytes | Gap]:
    """A copy: its recipient, its id, and the texts that have fields."""
    yield b'{"to":'
    yield lambda copy: quoted(mailbox_text(Mailbox(copy.recipient, copy.name))).encode("ascii")
    yield b',"handover":"'
    yield lambda copy: str(copy.handover_id).encode("ascii")
    yield b'"'
    subject = parse(content.subject)
    if subject.keys:
        yield b',"subject":'
        yield lambda copy: quoted(one_line(subject.render(copy.vars))).encode("ascii")
    if content.text and (text := parse(content.text)).keys:
        yield from _text(b"text", text, None)
    if content.html and (page := parse(content.html)).keys:
        yield from _text(b"html", page, html.escape)
    yield b"}"


def _text(name: bytes, template: Template, escape: Escape) -> Iterator[bytes | Gap]:
    yield b',"%s":"' % name
    yield from text_pieces(template, escape)
    yield b'"'


def _rest(content: Content, esp: Esp) -> bytes:
    """What follows the copies: all that they have in common."""
    shared: dict[str, object] = {
        "from": mailbox_text(content.sender),
        "reply_to": [mailbox_text(one) for one in content.reply_to],
        "headers": header_fields(content) if esp.takes_headers else _own_headers(content),
        "subject": one_line(_filled(content.subject)),
        "text": _filled(content.text or ""),
        "html": _filled(content.html or ""),
        "attachments": [_attachment(one) for one in content.attachments],
    }
    if esp.tracks:
        shared |= {"track_opens": content.track_opens, "track_clicks": content.track_clicks}
    return b'],"mail":' + json.dumps(shared, separators=(",", ":")).encode("ascii") + b"}"


def _filled(text: str) -> str:
    """The text as it is without fields; nothing of one that has some: every copy has its own."""
    template = parse(text)
    return "" if template.keys else template.render({}, None)


def _own_headers(content: Content) -> dict[str, str]:
    """The header fields that the application gave; none when those of automatic mail are all."""
    given = {name.lower() for name, _ in content.headers}
    automatic = {name for name, _ in AUTOMATIC if name.lower() not in given}
    return {name: text for name, text in header_fields(content).items() if name not in automatic}


def _attachment(attachment: Attachment) -> dict[str, str | None]:
    return {
        "filename": attachment.filename,
        "content_type": attachment.content_type,
        "content_id": attachment.content_id,
        "content": b64encode(attachment.content).decode("ascii"),
    }
