"""What Postal's webhooks tell, in the normal form.

https://docs.postalserver.io/developer/webhooks, read 2026-11-24, and the server's source of that
day for the words in `details`. A post is one event; five repeats, for 36 minutes in all. The server
tells of mail that comes in by the same events: that is none of ours.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.providers import told
from postroom.providers.base import Account, Heard
from postroom.providers.json_events import value
from postroom.providers.postal import signature

HANDOVER_LABEL = "postroom_handover"
"""The mail's one tag is the label, a colon, and the id."""

TYPES: dict[str, EventType] = {
    "MessageSent": EventType.DELIVERED,
    "MessageDelayed": EventType.DEFERRED,
    "MessageDeliveryFailed": EventType.BOUNCED,
    "MessageHeld": EventType.DEFERRED,
    "MessageBounced": EventType.BOUNCED,
    "MessageLinkClicked": EventType.CLICKED,
    "MessageLoaded": EventType.OPENED,
}
"""Every event of the vendor's page that tells something of a mail."""

NO_DELIVERY: frozenset[str] = frozenset(
    {"DomainDNSError", "SendLimitApproaching", "SendLimitExceeded"}
)
"""The other events of that page: they say nothing about a delivery."""

DETAILS: tuple[tuple[str, str, EventType, str], ...] = (
    ("MessageHeld", "suppression list", EventType.SUPPRESSED, "MessageHeld/suppression list"),
    ("MessageHeld", "send limit", EventType.DEFERRED, "MessageHeld/send limit"),
    ("MessageDeliveryFailed", "likely spam", EventType.REJECTED, "MessageDeliveryFailed/spam"),
    ("MessageDeliveryFailed", "domain no longer", EventType.REJECTED, "MessageDeliveryFailed/own"),
    ("MessageDeliveryFailed", "have an rcpt to", EventType.REJECTED, "MessageDeliveryFailed/own"),
)
"""Event, the server's own words about it, and what it then is: nothing was sent to anybody."""

_GIVEN_UP = "maximum number of delivery attempts"
_FAILED = frozenset({
    EventType.BOUNCED, EventType.DEFERRED, EventType.REJECTED, EventType.SUPPRESSED,
})  # fmt: skip
_HOST = re.compile(r" (?:to|by|with) ([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+){1,10}) \(")


class PostalReceiver:
    """Proves and reads what the webhooks post."""

    signed = True

    def verify(
        self,
        account: Account,
        headers: Mapping[str, str],
        body: bytes,
        now: datetime,  # noqa: ARG002 - no stamp is signed
    ) -> None:
        """Nothing; raises NotAuthentic, also for an account without a key: Postal signs."""
        signature.verify(account, headers, body)

    def parse(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - the protocol's; the body says everything
        body: bytes,
    ) -> Iterator[Heard]:
        """The one event of a post, or none; raises Unreadable when it is no JSON."""
        event = value(body)
        return _heard(event if isinstance(event, dict) else {})


def _heard(event: told.Fields) -> Iterator[Heard]:
    """What has no row, or is no object, is `unknown` and kept."""
    name = told.text(event, "event") or ""
    own = told.inner(event, "payload")
    mail = told.inner(own, "message") or told.inner(own, "original_message")
    if name in NO_DELIVERY or mail.get("direction") == "incoming":
        return
    details = told.text(own, "details") or ""
    type, provider_class = _reading(name, details)
    words = (told.text(own, "output") or details or None) if type in _FAILED else None
    reply_code, enhanced_code = extract_codes(words or "")
    stamp = told.text(own, "timestamp") or told.text(event, "timestamp") or ""
    host = _HOST.search(details[:512])
    yield Heard(
        type=type,
        recipient=told.bare_address(told.text(mail, "to")),
        occurred_at=told.unix_time(stamp),
        occurred_raw=stamp,
        provider_type=name,
        provider_class=provider_class,
        reply_code=reply_code,
        enhanced_code=enhanced_code,
        diagnostic=words,
        remote_host=host[1].lower() if host else None,
        url=told.text(own, "url") if type is EventType.CLICKED else None,
        user_agent=told.text(own, "user_agent"),
        asynchronous=name == "MessageBounced" if type is EventType.BOUNCED else None,
        given_up=type is EventType.BOUNCED and _given_up(details, reply_code, enhanced_code),
        handover_id=_handover_id(mail),
        provider_message_id=told.text(mail, "message_id"),
        event_id=told.text(event, "uuid"),
    )


def _reading(name: str, details: str) -> tuple[EventType, str]:
    """The type in the normal form, and the class: the event, or what its details make of it."""
    said = details.lower()
    for event, phrase, type, provider_class in DETAILS:
        if event == name and phrase in said:
            return type, provider_class
    type = TYPES.get(name, EventType.UNKNOWN)
    return type, name if type in _FAILED else ""


def _given_up(details: str, reply_code: int | None, enhanced_code: str | None) -> bool:
    """Whether it is the end of deferrals: by the server's word, or by a code of class 4."""
    if _GIVEN_UP in details.lower():
        return True
    return (enhanced_code or str(reply_code or "")).startswith("4")


def _handover_id(mail: told.Fields) -> UUID | None:
    label, _, handover = (told.text(mail, "tag") or "").partition(":")
    return told.uuid({label: handover}, HANDOVER_LABEL)
