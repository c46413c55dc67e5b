"""A mail as received by SMTP, read into the submission that both doors share."""

import hashlib
from collections.abc import Sequence

from postroom.domain.problem import invalid_field
from postroom.ledger.acceptance import Idempotency
from postroom.ledger.keys import Caller
from postroom.submission.accept import Recipient, Submission
from postroom.submission.mail_headers import (
    Headers,
    read_headers,
    readable,
    senders,
    split_mail,
)
from postroom.submission.message_body import SUBJECT_CHARS_MAX
from postroom.submission.own_headers import read_own_headers

REPEAT_WINDOW_S = 24 * 3600
"""How long a repeat of the same mail is taken for a client that did not hear our 250."""


def read_mail(data: bytes, mail_from: str, rcpt_to: Sequence[str], caller: Caller) -> Submission:
    """The submission that one SMTP transaction means; raises Problem when it is refused."""
    if b"\x00" in data:
        raise invalid_field("mail", "holds a NUL byte, which no mail may (RFC 5322, section 4)")
    block, body = split_mail(data)
    headers = read_headers(block)
    asked = read_own_headers(headers)
    asked.pop("track", None)
    ref, key = asked.pop("ref", None), asked.pop("idempotency_key", None)
    message_id = headers.first("message-id")
    return Submission(
        door="smtp",
        raw=data,
        senders=senders(headers),
        recipients=[Recipient(address, ref=ref) for address in rcpt_to],
        subject=_subject(headers),
        mail_from=mail_from,
        header_message_id=message_id or None,
        idempotency=(
            Idempotency(key, _digest(mail_from, rcpt_to, data))
            if key
            else _repeat(message_id, mail_from, rcpt_to, body, caller)
        ),
        **asked,
    )


def _subject(headers: Headers) -> str:
    return readable(headers.first("subject") or "")[:SUBJECT_CHARS_MAX]


def _repeat(
    message_id: str | None, mail_from: str, rcpt_to: Sequence[str], body: bytes, caller: Caller
) -> Idempotency | None:
    """The claim under which a repeat of this mail is the same message, if the application asks.

    The other headers are left out: relays on the way may add to them between two tries.
    """
    if not caller.join_repeats or not message_id:
        return None
    digest = _digest(mail_from, rcpt_to, message_id.encode("utf-8", "surrogatepass"), body)
    return Idempotency(f"smtp:{digest.hex()}", digest, REPEAT_WINDOW_S)


def _digest(mail_from: str, rcpt_to: Sequence[str], *parts: bytes) -> bytes:
    """SHA-256 of envelope and parts, each with its length, so that no two read alike."""
    digest = hashlib.sha256()
    for part in (mail_from.encode(), *(address.encode() for address in sorted(rcpt_to)), *parts):
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.digest()
