"""Mailjet's JSON: a mail and its copies as calls of `POST /v3.1/send`.

https://dev.mailjet.com/email/guides/send-api-v31 and .../reference/send-emails, read 2026-11-24.
Every copy is a message of its own with its own texts, filled in by us; what all have in common
stands in `Globals`. Without `TemplateLanguage` Mailjet leaves braces in texts alone.
"""

import html
import json
from base64 import b64encode
from collections.abc import Iterator, Sequence
from json.encoder import encode_basestring_ascii as quoted

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.template import parse
from postroom.providers.base import CannotCarry, Copy
from postroom.providers.frames import Frame, Gap, Limits, frame_of, text_field
from postroom.providers.json_mail import (
    check_attachment,
    check_headers,
    check_people,
    header_fields,
    one_line,
)

API = "Mailjet's JSON"

LIMITS = Limits(copies=50, bytes=15_000_000)
"""Messages of one call, and the vendor's "15 MB" for all of it, read in the stricter way."""

RESERVED = frozenset({
    "from", "sender", "subject", "to", "cc", "bcc", "reply-to", "return-path", "delivered-to",
    "dkim-signature", "domainkey-status", "received-spf", "authentication-results", "received",
    "user-agent", "x-feedback-id", "x-csa-complaints", "date", "message-id", "mime-version",
    "x-mailjet-", "x-mj-",
})  # fmt: skip
"""Refused by the vendor, written by it whatever we say, or orders to it."""


def frame(content: Content) -> Frame:
    """The frame of a mail; raises CannotCarry when Mailjet's JSON cannot say it as it is."""
    _check(content)
    return frame_of(content, _opening, _own(content), _rest(content))


def _opening(_copies: Sequence[Copy]) -> bytes:
    return b'{"Messages":['


def _own(content: Content) -> Iterator[bytes | Gap]:
    """A message: its recipient and id, and the texts that have fields."""
    yield b'{"To":['
    yield _to
    yield b'],"CustomID":"'
    yield lambda copy: str(copy.handover_id).encode()
    yield b'"'
    subject = parse(content.subject)
    if subject.keys:
        yield b',"Subject":'
        yield lambda copy: quoted(one_line(subject.render(copy.vars))).encode("ascii")
    if content.text and (text := parse(content.text)).keys:
        yield from text_field("TextPart", text, None)
    if content.html and (page := parse(content.html)).keys:
        yield from text_field("HTMLPart", page, html.escape)
    yield b"}"


def _to(copy: Copy) -> bytes:
    return json.dumps(_person(Mailbox(copy.recipient, copy.name))).encode("ascii")


def _person(mailbox: Mailbox) -> dict[str, str]:
    if not mailbox.name:
        return {"Email": mailbox.email}
    return {"Email": mailbox.email, "Name": one_line(mailbox.name)}


def _rest(content: Content) -> bytes:
    """What follows the messages: all that they have in common."""
    shared: dict[str, object] = {
        "From": _person(content.sender),
        "Headers": header_fields(content),
        "TrackOpens": "enabled" if content.track_opens else "disabled",
        "TrackClicks": "enabled" if content.track_clicks else "disabled",
    }
    if content.reply_to:
        shared["ReplyTo"] = _person(content.reply_to[0])
    subject = parse(content.subject)
    if not subject.keys:
        shared["Subject"] = one_line(subject.render({}))
    for name, text in (("TextPart", content.text), ("HTMLPart", content.html)):
        if text and not (template := parse(text)).keys:
            shared[name] = template.render({})
    inline = [each for each in content.attachments if each.content_id and content.html]
    files = [each for each in content.attachments if each not in inline]
    if files:
        shared["Attachments"] = [_attachment(each) for each in files]
    if inline:
        shared["InlinedAttachments"] = [
            {**_attachment(each), "ContentID": str(each.content_id)} for each in inline
        ]
    return b'],"Globals":' + json.dumps(shared, separators=(",", ":")).encode("ascii") + b"}"


def _attachment(attachment: Attachment) -> dict[str, str]:
    return {
        "ContentType": attachment.content_type,
        "Filename": attachment.filename,
        "Base64Content": b64encode(attachment.content).decode("ascii"),
    }


def _check(content: Content) -> None:
    """Nothing; raises CannotCarry for what Mailjet's JSON cannot say."""
    check_people(content, API)
    check_headers(content, API, RESERVED)
    if not content.text and not content.html:
        raise CannotCarry(f"{API} takes no mail without a text")
    if len(content.reply_to) > 1:
        raise CannotCarry(f"{API} takes one address to reply to")
    for attachment in content.attachments:
        check_attachment(attachment, API)
