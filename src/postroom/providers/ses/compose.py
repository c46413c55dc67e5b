"""Amazon SES's JSON: finished mails as calls of `SendEmail` with raw content, one recipient each.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html, API_RawMessage.html and
https://docs.aws.amazon.com/ses/latest/dg/header-fields.html, read 2026-11-24. The batch call
(`SendBulkEmail`) takes templates only: it loses the structure of the mail, fails to render after
the answer, and saves nothing, for the limit counts recipients and not calls.

`Destination` is the envelope: header To and Cc stay content. `FromEmailAddress` is never said,
because it would replace the mail's own From. The mail travels as base64; where its long shared
runs lie on a boundary of three bytes, their base64 is a run of the shared bytes' own base64.
"""

import json
import re
import threading
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256

from postroom.domain.address import parse_address
from postroom.providers.base import Account, Call, CannotCarry, Copy, RawMail, Segment, Stored

HANDOVER_TAG = "postroom_handover"
"""The message tag that comes back in every event that a configuration set publishes."""

MAIL_BYTES_MAX = 40_000_000
"""The vendor's "40 MB" after base64, read in the stricter way."""

LINE_BYTES_MAX = 998
"""Without the line end; the vendor takes no longer line (RFC 5321 section 4.5.3.1.6)."""

CHANGES = ("Message-ID and Date written by Amazon SES", "envelope sender of Amazon SES")
"""What happens to every mail on this road, whatever it says itself."""

_LONG_LINE = re.compile(rb"[^\n]{%d}" % (LINE_BYTES_MAX + 2))
_RUN_BYTES_MIN = 384
"""Shorter runs are written out: naming a shared one costs more than it saves."""
_BLOBS_KEPT = 4
"""Mails whose base64 is kept: the sender works on few at a time."""


@dataclass(frozen=True, slots=True)
class _Encoded:
    """The base64 of a blob from one of its first three bytes on."""

    digest: bytes
    text: bytes


class Encodings:
    """The base64 of the blobs composed last, made once for all copies; safe for threads."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[bytes, int], _Encoded] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, digest: bytes, blob: bytes, phase: int) -> _Encoded:
        """The encoding that begins at byte `phase`; raises CannotCarry for an overlong line."""
        with self._lock:
            key = (digest, phase)
            if key not in self._kept:
                if _LONG_LINE.search(blob):
                    raise CannotCarry(f"Amazon SES takes no line of over {LINE_BYTES_MAX} bytes")
                text = b64encode(memoryview(blob)[phase:])
                self._kept[key] = _Encoded(sha256(text).digest(), text)
                while len(self._kept) > 3 * _BLOBS_KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return self._kept[key]


def configuration_set(settings: Mapping[str, str], mail: RawMail) -> str | None:
    """The configuration set that publishes this mail's events, tracking where it is asked for.

    Tracking belongs to the set and not to the mail, so an account may name two.
    """
    plain = settings.get("configuration_set")
    if mail.track_opens or mail.track_clicks:
        return settings.get("configuration_set_tracking") or plain
    return plain


def call(account: Account, mail: RawMail, copy: Copy, encodings: Encodings) -> Call:
    """The call that carries this copy; raises CannotCarry for a mail that SES would refuse."""
    opening, closing = _around(account, mail, copy)
    body = list(_base64(mail.copies[copy.handover_id], mail.shared, encodings))
    size = sum(len(one) if isinstance(one, bytes) else one.length for one, _ in body)
    if size > MAIL_BYTES_MAX:
        raise CannotCarry("the mail is larger than the 40 MB that Amazon SES takes")
    return Call(
        copies=(copy,),
        segments=(opening, *(segment for segment, _ in body), closing),
        slices=((0, len(opening) + size + len(closing)),),
        shared={shared.digest: shared.text for _, shared in body if shared},
        changes=(*mail.changes, *CHANGES),
        mail_from=mail.mail_from,
    )


def _around(account: Account, mail: RawMail, copy: Copy) -> tuple[bytes, bytes]:
    """What stands before and after the mail."""
    named = configuration_set(account.settings, mail)
    recipient = json.dumps(parse_address(copy.recipient).spec)
    opening = f'{{"Destination":{{"ToAddresses":[{recipient}]}},"Content":{{"Raw":{{"Data":"'
    tags = f'"EmailTags":[{{"Name":"{HANDOVER_TAG}","Value":"{copy.handover_id}"}}]'
    chosen = f',"ConfigurationSetName":{json.dumps(named)}' if named else ""
    return opening.encode(), f'"}}}},{tags}{chosen}}}'.encode()


def _base64(
    segments: Sequence[Segment], shared: Mapping[bytes, bytes], encodings: Encodings
) -> Iterator[tuple[Segment, _Encoded | None]]:
    """The base64 of the joined segments: long runs of a blob as runs of the blob's base64."""
    waiting = bytearray()
    for segment in segments:
        if isinstance(segment, bytes):
            waiting += segment
            continue
        blob = shared[segment.digest]
        start, end = segment.start, segment.start + segment.length
        lead = min(-len(waiting) % 3, segment.length)
        whole = (segment.length - lead) // 3 * 3
        if whole < _RUN_BYTES_MIN:
            waiting += blob[start:end]
            continue
        waiting += blob[start : start + lead]
        yield b64encode(waiting), None
        first = start + lead
        encoded = encodings.of(segment.digest, blob, first % 3)
        yield Stored(encoded.digest, first // 3 * 4, whole // 3 * 4), encoded
        waiting = bytearray(blob[first + whole : end])
    yield b64encode(waiting), None
