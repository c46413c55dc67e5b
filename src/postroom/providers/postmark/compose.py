"""Postmark's JSON: a mail and its copies as calls of `POST /email/batch`.

https://postmarkapp.com/developer/api/email-api and .../user-guide/send-email-with-api/batch-emails,
read 2026-11-24. Every copy is a complete message, with texts that we filled in: Postmark looks for
its template language in templates alone.
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
    mailbox_text,
    one_line,
)
from postroom.providers.postmark.events import HANDOVER_KEY

API = "Postmark's JSON"

LIMITS = Limits(copies=500, bytes=50_000_000)
"""Messages of one call, and the vendor's "50 MB" for all of it, read in the stricter way."""

MESSAGE_BYTES_MAX = 10_000_000
"""Of one message with its attachments."""

BODY_BYTES_MAX = 5_000_000
"""Of `TextBody` and of `HtmlBody`."""

RESERVED = frozenset({
    "from", "sender", "subject", "to", "cc", "bcc", "reply-to", "return-path", "date",
    "message-id", "mime-version", "received", "dkim-signature", "x-pm-",
})  # fmt: skip
"""Written by the vendor whatever we say, fields of their own, or orders to it."""

STREAM_SETTING = "message_stream"


def frame(content: Content, stream: str) -> Frame:
    """The frame of a mail; raises CannotCarry when Postmark's JSON cannot say it as it is."""
    _check(content)
    own = list(_own(content, stream))
    size = sum(len(piece) for piece in own if isinstance(piece, bytes))
    if size > MESSAGE_BYTES_MAX:
        raise CannotCarry(f"the mail is larger than the {MESSAGE_BYTES_MAX} bytes of a message")
    return frame_of(content, _opening, own, b"]")


def _opening(_copies: Sequence[Copy]) -> bytes:
    return b"["


def _own(content: Content, stream: str) -> Iterator[bytes | Gap]:
    """A message: its recipient and id, its texts, and what is the same for everybody."""
    yield b'{"To":'
    yield _to
    yield f',"Metadata":{{"{HANDOVER_KEY}":"'.encode("ascii")
    yield lambda copy: str(copy.handover_id).encode()
    yield b'"},"Subject":'
    subject = parse(content.subject)
    yield lambda copy: quoted(one_line(subject.render(copy.vars))).encode("ascii")
    if content.text:
        yield from text_field("TextBody", parse(content.text), None)
    if content.html:
        yield from text_field("HtmlBody", parse(content.html), html.escape)
    yield _shared(content, stream)


def _to(copy: Copy) -> bytes:
    return quoted(mailbox_text(Mailbox(copy.recipient, copy.name))).encode("ascii")


def _shared(content: Content, stream: str) -> bytes:
    """The end of every message: all that is the same for everybody."""
    shared: dict[str, object] = {
        "From": mailbox_text(content.sender),
        "Headers": [{"Name": n, "Value": value} for n, value in header_fields(content).items()],
        "TrackOpens": content.track_opens,
        "TrackLinks": track_links(content.track_clicks),
        "MessageStream": stream,
    }
    if content.reply_to:
        shared["ReplyTo"] = mailbox_text(content.reply_to[0])
    if content.attachments:
        inline = bool(content.html)
        shared["Attachments"] = [_attachment(each, inline) for each in content.attachments]
    return b"," + json.dumps(shared, separators=(",", ":"))[1:].encode("ascii")


def track_links(track_clicks: bool) -> str:
    """Always said, whatever the server's own settings are: nothing is tracked unasked."""
    return "HtmlOnly" if track_clicks else "None"


def _attachment(attachment: Attachment, inline: bool) -> dict[str, str]:
    told = {
        "Name": attachment.filename,
        "Content": b64encode(attachment.content).decode("ascii"),
        "ContentType": attachment.content_type,
    }
    if attachment.content_id and inline:
        told["ContentID"] = f"cid:{attachment.content_id}"
    return told


def _check(content: Content) -> None:
    """Nothing; raises CannotCarry for what Postmark's JSON cannot say."""
    check_people(content, API)
    check_headers(content, API, RESERVED)
    if not content.text and not content.html:
        raise CannotCarry(f"{API} takes no mail without a text")
    for text in (content.text, content.html):
        if text and len(text.encode()) > BODY_BYTES_MAX:
            raise CannotCarry(f"{API} takes no text of more than {BODY_BYTES_MAX} bytes")
    if len(content.reply_to) > 1:
        raise CannotCarry(f"{API} takes one address to reply to")
    for attachment in content.attachments:
        check_attachment(attachment, API)
