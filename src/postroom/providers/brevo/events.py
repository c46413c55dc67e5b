"""What Brevo's transactional webhooks tell, in the normal form.

https://developers.brevo.com/docs/transactional-webhooks, .../batch-webhooks and
.../retry-mechanism, read 2026-11-24. A post is one event, or an array of up to 500 where batches
are switched on. It carries no signature. `id` is the webhook's, and no event's.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.providers import told
from postroom.providers.base import Heard
from postroom.providers.json_events import Item, one_or_many
from postroom.providers.login import LoginReceiver

CUSTOM_HEADER = "X-Mailin-custom"
"""The header, seen by the recipient, that comes back in every event."""

HANDOVER_LABEL = "postroom_handover"

TYPES: dict[str, EventType] = {
    "request": EventType.ACCEPTED,
    "delivered": EventType.DELIVERED,
    "deferred": EventType.DEFERRED,
    "soft_bounce": EventType.BOUNCED,
    "hard_bounce": EventType.BOUNCED,
    "invalid_email": EventType.BOUNCED,
    "blocked": EventType.SUPPRESSED,
    "error": EventType.REJECTED,
    "opened": EventType.OPENED,
    "unique_opened": EventType.OPENED,
    "proxy_open": EventType.OPENED,
    "unique_proxy_open": EventType.OPENED,
    "click": EventType.CLICKED,
    "spam": EventType.COMPLAINED,
    "complaint": EventType.COMPLAINED,
    "unsubscribe": EventType.UNSUBSCRIBED,
    "unsubscribed": EventType.UNSUBSCRIBED,
}
"""Every mail event of the vendor's page. A soft bounce is the end: while Brevo goes on trying, it
says `deferred`."""

_FAILURES = frozenset({"deferred", "soft_bounce", "hard_bounce", "invalid_email", "error"})
_BY_PROXY = frozenset({"proxy_open", "unique_proxy_open"})
_STAMPS = ("ts_event", "ts_epoch", "ts")
_MILLISECONDS_MIN = 100_000_000_000
"""`ts_epoch` is told in milliseconds, and in some events in seconds."""


class BrevoReceiver(LoginReceiver):
    """Proves and reads what the webhooks post."""

    def parse(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - the protocol's; the body says everything
        body: bytes,
    ) -> Iterator[Heard]:
        """The events in the order posted; Unreadable, before the first, when it is no JSON."""
        return map(heard, one_or_many(body))


def heard(item: Item) -> Heard:
    """One event; what has no row, or is no object, is `unknown` and kept."""
    fields = item.value if isinstance(item.value, dict) else {}
    event = told.text(fields, "event") or ""
    type = TYPES.get(event, EventType.UNKNOWN)
    words = told.text(fields, "reason")
    reply_code, enhanced_code = extract_codes(words or "")
    stamp = next(filter(None, (told.text(fields, name) for name in _STAMPS)), "")
    return Heard(
        type=type,
        recipient=told.text(fields, "email"),
        occurred_at=_instant(stamp),
        occurred_raw=stamp,
        provider_type=event,
        provider_class=_class(event, words),
        reply_code=reply_code,
        enhanced_code=enhanced_code,
        diagnostic=words,
        url=told.text(fields, "link") if type is EventType.CLICKED else None,
        user_agent=told.text(fields, "user_agent"),
        machine=True if event in _BY_PROXY else None,
        given_up=type is EventType.BOUNCED and _given_up(event, reply_code, enhanced_code),
        handover_id=_handover_id(fields),
        provider_message_id=_message_id(fields),
        start=item.start,
        length=item.length,
    )


def _class(event: str, words: str | None) -> str:
    if event == "blocked":
        return "blocked/unsubscribed" if "unsubscribed user" in (words or "").lower() else event
    return event if event in _FAILURES else ""


def _given_up(event: str, reply_code: int | None, enhanced_code: str | None) -> bool:
    """Whether it is the end of deferrals: by the vendor's word, or by a code of class 4."""
    if event == "soft_bounce":
        return True
    return (enhanced_code or str(reply_code or "")).startswith("4")


def _instant(stamp: str) -> datetime | None:
    if stamp.isascii() and stamp.isdigit() and len(stamp) < 16 and int(stamp) > _MILLISECONDS_MIN:
        return told.unix_time(f"{stamp[:-3]}.{stamp[-3:]}")
    return told.unix_time(stamp)


def _handover_id(fields: told.Fields) -> UUID | None:
    """The id behind our label in the header's value."""
    label, _, handover = (told.text(fields, CUSTOM_HEADER) or "").partition(":")
    return told.uuid({label: handover.strip()}, HANDOVER_LABEL)


def _message_id(fields: told.Fields) -> str | None:
    """Without the angle brackets, which some events have and some have not."""
    named = told.text(fields, "message-id")
    return named.strip("<>") or None if named else None
