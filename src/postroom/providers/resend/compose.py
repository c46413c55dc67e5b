"""Resend's JSON: a mail and its copies as calls of `POST /emails/batch` or `POST /emails`.

https://resend.com/docs/api-reference/emails/send-batch-emails, .../emails/send-email and
https://resend.com/docs/dashboard/emails/tags, read 2026-11-24. Every entry of a batch is a mail of
its own, filled in by us; attachments go one mail a call. Tracking is a setting of the domain.
"""

import html
import json
import mimetypes
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
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
    mailbox_text,
    one_line,
)
from postroom.providers.resend.events import HANDOVER_TAG

API = "Resend's JSON"

BATCH = Limits(copies=100, bytes=10_000_000)
"""The vendor names the number; the bytes are ours, far from what one answer has to wait for."""

SINGLE = Limits(copies=1, bytes=40_000_000)
"""A mail with attachments: "40MB per email, including attachments, after Base64 encoding"."""

CHANGES = ("opens and clicks tracked as the domain is set at Resend",)

RESERVED = frozenset({
    "from", "sender", "subject", "to", "cc", "bcc", "reply-to", "return-path", "date",
    "message-id", "mime-version", "received", "dkim-signature", "idempotency-key",
    "resend-", "x-resend-", "x-ses-",
})  # fmt: skip
"""Written by the vendor whatever we say, or orders to it and to the service behind it."""


def frame(content: Content) -> Frame:
    """The frame of a mail; raises CannotCarry when Resend's JSON cannot say it as it is."""
    _check(content)
    if not content.attachments:
        return frame_of(content, _opens(b"["), [*_own(content), b"}"], b"]")
    listed = json.dumps([_attachment(content, one) for one in content.attachments])
    return frame_of(content, _opens(b""), _own(content), f',"attachments":{listed}}}'.encode())


def idempotency_key(copies: Sequence[Copy]) -> str:
    """The key of the call of these copies: the same for the same hand-overs."""
    return sha256(b"".join(copy.handover_id.bytes for copy in copies)).hexdigest()


def _opens(mark: bytes) -> Callable[[Sequence[Copy]], bytes]:
    return lambda _copies: mark


def _own(content: Content) -> Iterator[bytes | Gap]:
    """A whole mail without its attachments and its last brace."""
    yield f'{{"from":{json.dumps(mailbox_text(content.sender))},"to":['.encode("ascii")
    yield lambda copy: json.dumps(mailbox_text(Mailbox(copy.recipient, copy.name))).encode("ascii")
    yield f'],"tags":[{{"name":"{HANDOVER_TAG}","value":"'.encode("ascii")
    yield lambda copy: str(copy.handover_id).encode("ascii")
    yield f'"}}],"headers":{json.dumps(header_fields(content))}'.encode("ascii")
    if content.reply_to:
        listed = json.dumps([mailbox_text(one) for one in content.reply_to])
        yield f',"reply_to":{listed}'.encode("ascii")
    yield b',"subject":'
    subject = parse(content.subject)
    yield lambda copy: quoted(_subject(subject.render(copy.vars))).encode("ascii")
    # Without a text Resend makes one of the HTML; an empty one says that none is wanted.
    yield from text_field("text", parse(content.text or ""), None)
    if content.html:
        yield from text_field("html", parse(content.html), html.escape)


def _subject(text: str) -> str:
    """A subject line; a single space for an empty one, which the vendor refuses."""
    return one_line(text) or " "


def _attachment(content: Content, attachment: Attachment) -> dict[str, str]:
    said = {
        "filename": attachment.filename,
        "content": b64encode(attachment.content).decode("ascii"),
        "content_type": attachment.content_type,
    }
    inline = attachment.content_id if content.html else None
    return {**said, "content_id": inline} if inline else said


def _check(content: Content) -> None:
    """Nothing; raises CannotCarry for what Resend's JSON cannot say."""
    check_people(content, API)
    check_headers(content, API, RESERVED)
    if not content.text and not content.html:
        raise CannotCarry(f"{API} takes no mail without a text")
    for attachment in content.attachments:
        check_attachment(attachment, API)
        _check_name(attachment)


def _check_name(attachment: Attachment) -> None:
    """Resend takes mails with other names than their types have, and never sends them."""
    named = mimetypes.guess_type(attachment.filename)[0]
    if not attachment.filename or (named and named != attachment.content_type.lower()):
        kind = attachment.content_type
        raise CannotCarry(f"{API} does not carry {kind} under the name {attachment.filename}")
