"""The content of a mail born by HTTP, read from the JSON that was submitted.

The door reads it to check it, the sender reads the stored bytes again to compose from it.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

from postroom.domain.address import AddressError, parse_address, parse_mailbox, parse_name
from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.problem import Problem, invalid_field

LINE_BREAKING = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]")
"""What may end a header line somewhere on the way, or is no text at all; a tab is neither."""

_WORD = r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+"
_QUOTED = r'"(?:[\t !#-\[\]-~]|\\[\t -~])*"'
_CONTENT_TYPE = re.compile(rf"{_WORD}/{_WORD}(?:[\t ]*;[\t ]*{_WORD}=(?:{_WORD}|{_QUOTED}))*")
"""RFC 2045, section 5.1, in ASCII and on one line."""
_NO_CONTENT_TYPE = "is no media type such as `text/plain` or `text/csv; charset=utf-8` (RFC 2045)"
_CONTENT_ID = re.compile(r"[!-;=?-~]{1,200}")
"""Printable ASCII without angle brackets; they are added when the part is built."""


def content_of(body: Mapping[str, Any]) -> Content:
    """The content that all recipients share, with `{{ key }}` fields in place.

    `body` has the types that `POST /v1/messages` takes, and headers that `domain.header` allows.
    Raises Problem (422) naming the field.
    """
    track = body.get("track") or {}
    return Content(
        sender=mailbox_of("from", body["from"]),
        subject=header_text("subject", body.get("subject") or ""),
        text=body.get("text"),
        html=body.get("html"),
        reply_to=tuple(_mailboxes("reply_to", body)),
        cc=tuple(_mailboxes("cc", body)),
        display_to=tuple(_mailboxes("display_to", body)),
        headers=tuple((body.get("headers") or {}).items()),
        attachments=tuple(_attachments(body.get("attachments") or [])),
        track_opens=bool(track.get("opens")),
        track_clicks=bool(track.get("clicks")),
    )


def header_text(field: str, text: str) -> str:
    """The text itself; 422 when it could break out of a header."""
    if LINE_BREAKING.search(text):
        raise invalid_field(field, "holds a line break or control character")
    return text


def mailbox_of(field: str, value: Any) -> Mailbox:
    """A mailbox from `Name <local@domain>`, an address, or an object with email and name."""
    try:
        if isinstance(value, str):
            name, address = parse_mailbox(value)
        else:
            name, address = parse_name(value.get("name") or ""), parse_address(value["email"])
    except AddressError as error:
        raise invalid_field(field, str(error)) from error
    return Mailbox(address.spec, name)


def _mailboxes(field: str, body: Mapping[str, Any]) -> Iterator[Mailbox]:
    """One mailbox or a list of them."""
    value = body.get(field)
    if value is None:
        return
    if not isinstance(value, list):
        yield mailbox_of(field, value)
        return
    for position, item in enumerate(value):
        yield mailbox_of(f"{field}[{position}]", item)


def _attachments(attachments: list[Mapping[str, Any]]) -> Iterator[Attachment]:
    for position, item in enumerate(attachments):
        field = f"attachments[{position}]"
        content_type, content_id = item["content_type"], item.get("content_id")
        if not _CONTENT_TYPE.fullmatch(content_type):
            raise invalid_field(f"{field}.content_type", _NO_CONTENT_TYPE)
        if content_id is not None and not _CONTENT_ID.fullmatch(content_id):
            raise invalid_field(f"{field}.content_id", "has characters that no content id may have")
        yield Attachment(
            filename=header_text(f"{field}.filename", item["filename"]),
            content_type=content_type,
            content=_decoded(f"{field}.content", item["content"]),
            content_id=content_id,
        )


def _decoded(field: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _not_base64(field) from error


def _not_base64(field: str) -> Problem:
    return invalid_field(field, "is not base64 (RFC 4648, section 4, without line breaks)")
