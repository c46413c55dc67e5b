"""Brevo's JSON: a mail and its copies as calls of `POST /v3/smtp/email`, one version a copy.

https://developers.brevo.com/reference/send-transac-email, .../docs/batch-send-transactional-emails
and .../docs/heterogenous-versions-batch-emails, read 2026-11-24. A version has its own texts,
filled in by us. Brevo looks for its template language in every text: a mail in which braces stand
together cannot go this way. Tracking is a setting of the account and not of the mail.
"""

import html
import json
import mimetypes
from base64 import b64encode
from collections.abc import Iterator, Sequence
from hashlib import sha256
from json.encoder import encode_basestring_ascii as quoted
from uuid import UUID

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.template import parse
from postroom.providers.base import CannotCarry, Copy
from postroom.providers.brevo.events import CUSTOM_HEADER, HANDOVER_LABEL
from postroom.providers.frames import Frame, Gap, Limits, frame_of, text_field
from postroom.providers.json_mail import (
    check_attachment,
    check_headers,
    check_people,
    header_fields,
    one_line,
)

API = "Brevo's JSON"

LIMITS = Limits(copies=1_000, bytes=20_000_000)
"""Versions of one call, and the vendor's "20 MB", read in the stricter way."""

CHANGES = ("opens and clicks tracked as the account is set at Brevo",)

RESERVED = frozenset({
    "from", "sender", "subject", "to", "cc", "bcc", "reply-to", "return-path", "date",
    "message-id", "mime-version", "received", "dkim-signature", "sender.ip", "idempotencykey",
    "x-mailin-", "x-sib-",
})  # fmt: skip
"""Refused by the vendor, written by it whatever we say, or orders to it."""

EXTENSIONS = frozenset({
    "xlsx", "xls", "ods", "docx", "docm", "doc", "csv", "pdf", "txt", "gif", "jpg", "jpeg", "png",
    "tar", "tif", "tiff", "rtf", "bmp", "cgm", "css", "shtml", "html", "htm", "zip", "xml", "ppt",
    "pptx", "ez", "ics", "mobi", "msg", "pub", "eps", "odt", "mp3", "m4a", "m4v", "wma", "ogg",
    "flac", "wav", "aif", "aifc", "aiff", "mp4", "mov", "avi", "mkv", "mpeg", "mpg", "wmv",
    "pkpass", "xlsm",
})  # fmt: skip
"""Files that the vendor takes."""

_TEMPLATE_MARKS = ("{{", "{%", "{#")


def frame(content: Content) -> Frame:
    """The frame of a mail; raises CannotCarry when Brevo's JSON cannot say it as it is."""
    _check(content)
    headers = header_fields(content)

    def opening(copies: Sequence[Copy]) -> bytes:
        given = {**headers, "idempotencyKey": str(idempotency_key(copies))}
        return f'{{"headers":{json.dumps(given)},"messageVersions":['.encode("ascii")

    return frame_of(content, opening, _own(content, headers), _rest(content))


def idempotency_key(copies: Sequence[Copy]) -> UUID:
    """The key of the call of these copies: the same for the same hand-overs."""
    ids = b"".join(copy.handover_id.bytes for copy in copies)
    return UUID(bytes=sha256(ids).digest()[:16], version=4)


def _own(content: Content, headers: dict[str, str]) -> Iterator[bytes | Gap]:
    """A version: its recipient, the headers with its id, and the texts that have fields."""
    yield b'{"to":['
    yield _to
    yield f'],"headers":{json.dumps(headers)[:-1]},"{CUSTOM_HEADER}":"{HANDOVER_LABEL}:'.encode()
    yield lambda copy: str(copy.handover_id).encode()
    yield b'"}'
    subject = parse(content.subject)
    if subject.keys:
        yield b',"subject":'
        yield lambda copy: quoted(_subject(subject.render(copy.vars))).encode("ascii")
    if content.text and (text := parse(content.text)).keys:
        yield from text_field("textContent", text, None)
    if content.html and (page := parse(content.html)).keys:
        yield from text_field("htmlContent", page, html.escape)
    yield b"}"


def _to(copy: Copy) -> bytes:
    """The recipient; raises CannotCarry for a value in which Brevo could find its language."""
    if any("{" in value for value in copy.vars.values()):
        raise CannotCarry(f"{API} would fill in braces that stand in a value")
    return json.dumps(_person(Mailbox(copy.recipient, copy.name))).encode("ascii")


def _person(mailbox: Mailbox) -> dict[str, str]:
    if not mailbox.name:
        return {"email": mailbox.email}
    return {"email": mailbox.email, "name": one_line(mailbox.name)}


def _subject(text: str) -> str:
    """A subject line; a single space for an empty one, which the vendor refuses."""
    return one_line(text) or " "


def _rest(content: Content) -> bytes:
    """What follows the versions: all that they have in common."""
    shared: dict[str, object] = {"sender": _person(content.sender)}
    if content.reply_to:
        shared["replyTo"] = _person(content.reply_to[0])
    # Wanted here although a version has its own.
    shared["subject"] = _subject(parse(content.subject).with_tags(lambda _key: ""))
    for name, text in (("textContent", content.text), ("htmlContent", content.html)):
        if text:
            shared[name] = parse(text).with_tags(lambda _key: "")
    if content.attachments:
        shared["attachment"] = [
            {"name": each.filename, "content": b64encode(each.content).decode("ascii")}
            for each in content.attachments
        ]
    return b"]," + json.dumps(shared, separators=(",", ":"))[1:].encode("ascii")


def _check(content: Content) -> None:
    """Nothing; raises CannotCarry for what Brevo's JSON cannot say."""
    check_people(content, API)
    check_headers(content, API, RESERVED)
    texts = [content.subject, *filter(None, (content.text, content.html))]
    if len(texts) < 2:
        raise CannotCarry(f"{API} takes no mail without a text")
    if len(content.reply_to) > 1:
        raise CannotCarry(f"{API} takes one address to reply to")
    for literal in (literal for text in texts for literal in parse(text).literals):
        if literal.endswith("{") or any(mark in literal for mark in _TEMPLATE_MARKS):
            raise CannotCarry(f"{API} would fill in braces that stand in the text")
    for attachment in content.attachments:
        _check_attachment(attachment, inline=bool(content.html))


def _check_attachment(attachment: Attachment, inline: bool) -> None:
    """The vendor takes a name and no type: the name must say it."""
    check_attachment(attachment, API)
    if attachment.content_id and inline:
        raise CannotCarry(f"{API} carries no inline image")
    extension = attachment.filename.rpartition(".")[2].lower()
    named = mimetypes.guess_type(f"x.{extension}", strict=False)[0]
    if extension not in EXTENSIONS or named != attachment.content_type.lower():
        kind = attachment.content_type
        raise CannotCarry(f"{API} does not carry {kind} under the name {attachment.filename}")
