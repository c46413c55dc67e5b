"""What a server's replies to one transaction mean (RFC 5321 section 4.2, RFC 4954 section 6)."""

import re
from uuid import UUID

from postroom.domain import reason
from postroom.domain.delivery import EventType
from postroom.domain.receiver import RATE_LIMITED
from postroom.providers.base import Heard, Refusal, Reply, ReplyKind
from postroom.providers.smtp.session import SessionRefused, Talk
from postroom.providers.smtp.wire import SmtpReply

_CREDENTIALS = frozenset({530, 534, 535, 538})
"""Authentication is required, too weak, wrong, or needs encryption: a person must act."""
_QUEUED_AS = re.compile(r"(?:queued as|\bid=)\s*<?([^\s<>;,]+)", re.IGNORECASE)
_OK_ID = re.compile(r"Ok ([0-9a-f]{16}-[0-9a-f-]{36}-[0-9]{6})\s*")
"""Amazon SES: docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html, read 2026-11-24."""


def read_talk(handover_id: UUID, talk: Talk, broken: str | None = None) -> Reply:
    """The reply that a transaction amounts to; `broken` says how the connection ended, if it did.

    Without an answer after the final dot nobody can tell whether the mail was taken.
    """
    body = b"".join(reply.verbatim for reply in talk.replies)
    last = talk.replies[-1] if talk.replies else None
    answered = last is not None and (last.code >= 400 or (talk.dotted and last.code < 300))
    if last is None or not answered:
        error = broken or "the server broke the order of the protocol"
        kind = ReplyKind.UNKNOWN if talk.dotted else ReplyKind.TRY_LATER
        return Reply(kind, body=body, error=error)
    if last.code < 300:
        found = _QUEUED_AS.search(last.text) or _OK_ID.fullmatch(last.text)
        ids = {handover_id: found[1]} if found else {}
        return Reply(ReplyKind.TAKEN, last.code, body=body, message_ids=ids)
    if last.code in _CREDENTIALS and not talk.dotted:
        return Reply(ReplyKind.ACCOUNT_STOPPED, last.code, body=body)
    if last.code < 500:
        slowed = frozenset([handover_id]) if _is_of_the_receiver(talk) else frozenset[UUID]()
        return Reply(ReplyKind.TRY_LATER, last.code, body=body, slowed=slowed)
    return Reply(ReplyKind.REFUSED, last.code, body=body, refused={handover_id: _refusal(last)})


def read_door(refused: SessionRefused) -> Reply:
    """The reply when the server did not let us in: no mail was touched."""
    kind = ReplyKind.ACCOUNT_STOPPED if refused.stopped else ReplyKind.TRY_LATER
    if refused.reply is None:
        return Reply(kind, error=str(refused))
    return Reply(kind, refused.reply.code, body=refused.reply.verbatim, error=str(refused))


def _is_of_the_receiver(talk: Talk) -> bool:
    """Whether the last reply says that the recipient's domain is sent too much.

    What is said before the recipient is named, and 421, which ends the connection, is said to us.
    """
    last = talk.replies[-1]
    is_about_recipient = len(talk.replies) > 1 and last.code != 421
    return is_about_recipient and _reason(last, EventType.DEFERRED) == RATE_LIMITED


def _refusal(reply: SmtpReply) -> Refusal:
    name = _reason(reply, EventType.BOUNCED) or "unclassified"
    return Refusal(name, reply.text, reply.code, reply.enhanced)


def _reason(reply: SmtpReply, type: EventType) -> str | None:
    heard = Heard(
        type,
        recipient=None,
        occurred_at=None,
        reply_code=reply.code,
        enhanced_code=reply.enhanced,
        diagnostic=reply.text,
        asynchronous=False,
    )
    return reason.read(heard).reason
