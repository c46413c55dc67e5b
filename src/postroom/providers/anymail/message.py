"""The message that Anymail sends, made of the bytes of a call."""

from base64 import b64decode
from collections.abc import Mapping
from email.encoders import encode_base64
from email.mime.base import MIMEBase
from typing import Any

from anymail.message import AnymailMessage

from postroom.providers.anymail.esps import HANDOVER, Esp, Mark
from postroom.providers.base import Copy

Told = Mapping[str, Any]


def message_of(told: Told, copies: tuple[Copy, ...], esp: Esp) -> AnymailMessage:
    """The message of one call; `told` is what the call's bytes say."""
    mail, first = told["mail"], told["copies"][0]
    own = {**mail, **first}
    message = AnymailMessage(
        subject=own["subject"],
        body=own["text"] or own["html"],
        from_email=mail["from"],
        to=[one["to"] for one in told["copies"]],
        reply_to=mail["reply_to"],
        headers=mail["headers"],
        attachments=[_part(one) for one in mail["attachments"]],
        **_marks(copies, esp),
    )
    if not own["text"]:
        message.content_subtype = "html"
    elif own["html"]:
        message.attach_alternative(own["html"], "text/html")
    if esp.tracks:
        message.track_opens = mail["track_opens"]
        message.track_clicks = mail["track_clicks"]
    return message


def _marks(copies: tuple[Copy, ...], esp: Esp) -> dict[str, Any]:
    """Our ids, where this provider takes them."""
    handover = str(copies[0].handover_id)
    match esp.mark:
        case Mark.METADATA_OF_EACH:
            each = {copy.recipient: {HANDOVER: str(copy.handover_id)} for copy in copies}
            return {"merge_metadata": each}
        case Mark.METADATA:
            return {"metadata": {HANDOVER: handover}}
        case Mark.TAG:
            return {"tags": [f"{HANDOVER}:{handover}"]}


def _part(told: Told) -> MIMEBase:
    """An attachment, byte for byte: what Django makes of text it would decode and encode again."""
    main, _, sub = told["content_type"].partition("/")
    part = MIMEBase(main, sub or "octet-stream")
    part.set_payload(b64decode(told["content"]))
    encode_base64(part)
    disposition = "inline" if told["content_id"] else "attachment"
    part.add_header("Content-Disposition", disposition, filename=told["filename"])
    if told["content_id"]:
        part.add_header("Content-ID", f"<{told['content_id']}>")
    return part
