"""What Resend's webhooks tell, in the normal form.

https://resend.com/docs/webhooks/event-types with the page of each event, and
https://resend.com/docs/dashboard/emails/email-bounces, read 2026-11-24. A post is one event, for
every address in its `to`. The tags of a mail come back as one object; what a mail by SMTP has in
its headers comes back in `headers`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.providers import json_events, told
from postroom.providers.base import Account, Heard
from postroom.providers.resend import signature

HANDOVER_TAG = "postroom_handover"
HANDOVER_HEADER = "x-postroom-handover"

TYPES: dict[str, EventType] = {
    "email.scheduled": EventType.ACCEPTED,
    "email.sent": EventType.ACCEPTED,
    "email.delivered": EventType.DELIVERED,
    "email.delivery_delayed": EventType.DEFERRED,
    "email.bounced": EventType.BOUNCED,
    "email.failed": EventType.REJECTED,
    "email.suppressed": EventType.SUPPRESSED,
    "email.complained": EventType.COMPLAINED,
    "email.opened": EventType.OPENED,
    "email.clicked": EventType.CLICKED,
}
"""Every event of the vendor's page that tells something of a mail sent."""

NO_DELIVERY: frozenset[str] = frozenset({
    "email.received", "contact.created", "contact.updated", "contact.deleted", "domain.created",
    "domain.updated", "domain.deleted", "suppression.added", "suppression.removed",
})  # fmt: skip
"""The other events of that page: they say nothing about a delivery."""

KEPT_BACK: frozenset[str] = frozenset({
    "Permanent/Suppressed", "Permanent/OnAccountSuppressionList",
})  # fmt: skip
"""Bounces that were none: the address stood on a list, and nothing was sent."""

OLD_MESSAGES: tuple[tuple[str, str], ...] = (
    ("suppressed sending to this address", "Permanent/OnAccountSuppressionList"),
    ("is on the suppression list", "Permanent/Suppressed"),
    ("inbox was full", "Transient/MailboxFull"),
    ("sent a general bounce message", "Transient/General"),
    ("sent a hard bounce message", "Permanent/General"),
)
"""The vendor's own sentences, and the class that they stand for where none is told."""

_FINAL_WORDS = ("Permanent", "Undetermined")


@dataclass(frozen=True, slots=True)
class _Failure:
    """What an event says went wrong."""

    type: EventType
    provider_class: str = ""
    words: str | None = None
    given_up: bool = False


class ResendReceiver:
    """Proves and reads what the webhooks post."""

    signed = True

    def verify(
        self, account: Account, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> None:
        """Nothing; raises NotAuthentic, also for an account without a secret: Resend signs."""
        signature.verify(account, headers, body, now)

    def parse(self, headers: Mapping[str, str], body: bytes) -> Iterator[Heard]:
        """One event for each recipient; raises Unreadable when the body is no JSON."""
        told_event = json_events.value(body)
        event = told_event if isinstance(told_event, dict) else {}
        return _heard(event, headers.get(signature.ID))


def _heard(event: told.Fields, event_id: str | None) -> Iterator[Heard]:
    name = told.text(event, "type") or ""
    if name in NO_DELIVERY:
        return
    mail = told.inner(event, "data")
    failure = _failure(name, mail)
    reply_code, enhanced_code = extract_codes(failure.words or "")
    click = told.inner(mail, "click")
    stamp = told.text(click, "timestamp") or told.text(event, "created_at") or ""
    for recipient in _recipients(mail):
        yield Heard(
            type=failure.type,
            recipient=recipient,
            occurred_at=told.iso_time(stamp),
            occurred_raw=stamp,
            provider_type=name,
            provider_class=failure.provider_class,
            reply_code=reply_code,
            enhanced_code=enhanced_code,
            diagnostic=failure.words,
            url=told.text(click, "link"),
            user_agent=told.text(click, "userAgent"),
            given_up=failure.given_up,
            handover_id=_handover_id(mail),
            provider_message_id=told.text(mail, "email_id"),
            event_id=told.storable(event_id) if event_id else None,
        )


def _recipients(mail: told.Fields) -> list[str | None]:
    to = [told.text({"to": one}, "to") for one in told.listed(mail, "to")]
    return [told.bare_address(one) for one in to] or [None]


def _failure(name: str, mail: told.Fields) -> _Failure:
    type = TYPES.get(name, EventType.UNKNOWN)
    match name:
        case "email.bounced":
            return _bounce(told.inner(mail, "bounce"))
        case "email.suppressed":
            own = told.inner(mail, "suppressed")
            return _Failure(type, told.text(own, "type") or "", _words(own))
        case "email.failed":
            reason = told.text(told.inner(mail, "failed"), "reason")
            return _Failure(type, f"failed/{reason or ''}", reason)
    return _Failure(type)


def _bounce(own: told.Fields) -> _Failure:
    kind, message = told.text(own, "type") or "", told.text(own, "message") or ""
    provider_class = f"{kind}/{told.text(own, 'subType') or ''}" if kind else _by_message(message)
    type = EventType.SUPPRESSED if provider_class in KEPT_BACK else EventType.BOUNCED
    words = _words(own)
    code = extract_codes(words or "")[1] or ""
    soft = provider_class != "" and not provider_class.startswith(_FINAL_WORDS)
    given_up = type is EventType.BOUNCED and (soft or code.startswith("4."))
    return _Failure(type, provider_class, words, given_up)


def _by_message(message: str) -> str:
    found = (row for phrase, row in OLD_MESSAGES if phrase in message)
    return next(found, "")


def _words(own: told.Fields) -> str | None:
    """What the receiving server said; the vendor's sentence where that is not told."""
    codes = [told.text({"": one}, "") for one in told.listed(own, "diagnosticCode")]
    return "\n".join(filter(None, codes)) or told.text(own, "message")


def _handover_id(mail: told.Fields) -> UUID | None:
    """From the tags, as an object or as pairs; from our own header of a mail by SMTP."""
    tags = mail.get("tags")
    if isinstance(tags, dict):
        return told.uuid(tags, HANDOVER_TAG)
    pairs = [*told.listed(mail, "tags"), *told.listed(mail, "headers")]
    for pair in pairs:
        name = (told.text(pair, "name") or "").lower() if isinstance(pair, dict) else ""
        if name in (HANDOVER_TAG, HANDOVER_HEADER):
            return told.uuid(pair, "value")
    return None
