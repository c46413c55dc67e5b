"""SparkPost's raw road: a finished mail as calls of `POST /api/v1/transmissions`.

https://developers.sparkpost.com/api/transmissions ("Send RFC822 Content") and
.../api/recipient-lists ("Address Object"), read 2026-11-24. The recipient's address is the
envelope; header To and Cc stay content. Substitutions are switched off, so the mail stays as it is.
One recipient a call, because the copies of a mail differ.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from json.encoder import encode_basestring_ascii as quoted
from uuid import UUID

from postroom.providers.base import Account, Call, CannotCarry, Copy, RawMail, Segment, Stored
from postroom.providers.sparkpost.compose import CONTENT_BYTES_MAX, options
from postroom.providers.sparkpost.events import HANDOVER_KEY

STEERING: frozenset[bytes] = frozenset({b"x-msys-api"})
"""The header that the service obeys: an application's own one never reaches it, on any road."""

CHANGES = ("envelope sender of SparkPost",)

_CLOSING = b'"}}'


def calls(mail: RawMail, copies: Sequence[Copy]) -> list[Call]:
    """A call for each copy; raises CannotCarry for a mail that JSON cannot hold."""
    runs = {
        segment: _inside(_bytes(segment, mail))
        for copy in copies
        for segment in mail.copies[copy.handover_id]
        if isinstance(segment, Stored)
    }
    placed, blob = _placed(runs)
    return [_call(mail, copy, placed, blob) for copy in copies]


def _placed(runs: dict[Stored, bytes]) -> tuple[dict[Stored, Stored], bytes]:
    """Where each run stands, written as JSON, in one blob that all copies share."""
    blob = b"".join(runs.values())
    digest, start = sha256(blob).digest(), 0
    placed: dict[Stored, Stored] = {}
    for segment, written in runs.items():
        placed[segment] = Stored(digest, start, len(written))
        start += len(written)
    return placed, blob


def _call(mail: RawMail, copy: Copy, placed: dict[Stored, Stored], blob: bytes) -> Call:
    own = mail.copies[copy.handover_id]
    written: list[Segment] = [
        placed[each] if isinstance(each, Stored) else _inside(each) for each in own
    ]
    segments: tuple[Segment, ...] = (_opening(mail, copy), *written, _CLOSING)
    size = sum(len(s) if isinstance(s, bytes) else s.length for s in segments)
    if size > CONTENT_BYTES_MAX:
        raise CannotCarry(f"the mail is larger than the {CONTENT_BYTES_MAX} bytes of a content")
    return Call(
        copies=(copy,),
        segments=segments,
        slices=((0, size),),
        shared={sha256(blob).digest(): blob},
        changes=(*mail.changes, *CHANGES),
        mail_from=mail.mail_from,
    )


def _opening(mail: RawMail, copy: Copy) -> bytes:
    recipient = {
        "address": {"email": copy.recipient},
        "metadata": {HANDOVER_KEY: str(copy.handover_id)},
    }
    told = {
        "recipients": [recipient],
        "options": options(mail.track_opens, mail.track_clicks, fill_in=False),
    }
    shell = json.dumps(told, separators=(",", ":"))
    return f'{shell[:-1]},"content":{{"email_rfc822":"'.encode("ascii")


def _bytes(segment: Stored, mail: RawMail) -> bytes:
    return mail.shared[segment.digest][segment.start : segment.start + segment.length]


def _inside(run: bytes) -> bytes:
    """The inside of a JSON string; raises CannotCarry for bytes that are no text."""
    try:
        return quoted(run.decode())[1:-1].encode("ascii")
    except UnicodeDecodeError as error:
        raise CannotCarry("SparkPost's JSON takes no mail whose bytes are not UTF-8") from error


def sparkpost_header(_account: Account, handover_id: UUID, mail: RawMail) -> bytes:
    """The header of the SMTP interface: the id that comes back in every event, and tracking."""
    told = {
        "options": {
            "open_tracking": mail.track_opens,
            "click_tracking": mail.track_clicks,
            "transactional": True,
        },
        "metadata": {HANDOVER_KEY: str(handover_id)},
    }
    return f"X-MSYS-API: {json.dumps(told)}\r\n".encode("ascii")
