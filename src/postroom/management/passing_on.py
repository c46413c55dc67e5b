"""Passing mail on to a person of the house: a reply to a return path, and mail to the postmaster.

The mail itself travels as it came, inside a new one that is from us: sent on under the stranger's
own From it would fail DMARC, and a machine that answers it would answer into a loop.
"""

import json
import secrets
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import format_datetime, getaddresses
from hashlib import sha256

from django.conf import settings

from postroom.domain import encoded_word
from postroom.domain.address import AddressError, parse_address
from postroom.domain.submitted import content_of
from postroom.ledger import blobs, keys
from postroom.ledger.acceptance import Idempotency
from postroom.ledger.returned import Origin
from postroom.submission.accept import Recipient, Submission, accept

APPLICATION = "postroom"
"""The application of our own mail in the ledger."""
REPEAT_WINDOW_S = 7 * 24 * 3600
"""A server that did not hear our 250 brings the same mail again, for some days."""
COMMIT_TIMEOUT_S = 60.0
_HEADER_BYTES_MAX = 256 * 1024
_SUBJECT_CHARS_MAX = 200

_REPLY = "Somebody answered to the return path of a mail. The answer is attached as it came."
_STAFF = "This mail came to an address that every mail domain has. It is attached as it came."


def reply(data: bytes, origin: Origin, domain: str, kind: str) -> None:
    """Passes a person's reply on to whom the original names for replies; returns once on disk."""
    _pass_on(data, _answer_to(origin), domain, kind, _REPLY)


def to_staff(data: bytes, domain: str) -> None:
    """Passes mail to `postmaster@` or `abuse@` on to the mailbox that is set for it."""
    if settings.POSTROOM_POSTMASTER is not None:
        _pass_on(data, [settings.POSTROOM_POSTMASTER], domain, "live", _STAFF)


def _pass_on(data: bytes, to: list[str], domain: str, kind: str, why: str) -> None:
    sender = parse_address(f"postmaster@{domain}")
    mail = _headers(data)
    digest = sha256(b"\x00".join([data, *(one.encode() for one in to)])).digest()
    subject = encoded_word.decode(_line(mail, "Subject"))[:_SUBJECT_CHARS_MAX] or "(no subject)"
    submission = Submission(
        door="smtp",
        raw=_wrapped(data, sender.spec, to, subject, why),
        senders=[sender],
        recipients=[Recipient(one) for one in to],
        subject=subject,
        mail_from=sender.spec,
        idempotency=Idempotency(f"passed-on:{digest.hex()}", digest, REPEAT_WINDOW_S),
    )
    caller = keys.house(APPLICATION, kind, [domain])
    accept(submission, caller).result(COMMIT_TIMEOUT_S)


def _answer_to(origin: Origin) -> list[str]:
    """Reply-To of the original, or From where it had none or its content is no longer kept."""
    try:
        stored = blobs.load_submission(origin.message_id)
    except LookupError:
        return [origin.from_address]
    if stored.door == "http":
        named = [box.email for box in content_of(json.loads(stored.submission)).reply_to]
    else:
        named = _addresses(_line(_headers(stored.submission), "Reply-To"))
    return named or [origin.from_address]


def _wrapped(data: bytes, sender: str, to: list[str], subject: str, why: str) -> bytes:
    """Our mail with the other one inside, byte for byte but for NUL, which no mail may hold."""
    boundary = secrets.token_hex(16)
    author = _addresses(_line(_headers(data), "From"))[:1]
    head = [
        f"From: Postroom <{sender}>",
        f"To: {', '.join(to)}",
        *(f"Reply-To: {one}" for one in author),
        f"Subject: {encoded_word.encode(subject)}",
        f"Date: {format_datetime(datetime.now(UTC))}",
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain; charset=utf-8",
        "",
        why,
        "",
        f"--{boundary}",
        "Content-Type: message/rfc822",
        *([] if data.isascii() else ["Content-Transfer-Encoding: 8bit"]),
        "",
        "",
    ]
    inside = data.replace(b"\x00", b"")
    return "\r\n".join(head).encode() + inside + f"\r\n--{boundary}--\r\n".encode()


def _headers(data: bytes) -> Message:
    return BytesHeaderParser(policy=compat32).parsebytes(data[:_HEADER_BYTES_MAX])


def _line(mail: Message, name: str) -> str:
    return " ".join(str(mail.get(name) or "").split())


def _addresses(text: str) -> list[str]:
    """The addresses of a list of mailboxes that our own parser takes too."""
    return [spec for _, one in getaddresses([text]) if (spec := _spec(one)) is not None]


def _spec(text: str) -> str | None:
    try:
        return parse_address(text).spec
    except AddressError:
        return None
