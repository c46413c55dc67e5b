"""What Mailtrap's webhooks tell, in the normal form.

https://docs.mailtrap.io/email-api-smtp/advanced/webhooks, .../analytics/statuses-and-events and
.../deliverability/bounce-categorization, read 2026-11-24. A post is an object with up to 500
events, or has one event a line, as the webhook is set. It is repeated forty times, every five
minutes, and signed over its bytes.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime

from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.providers import hex_signature, told
from postroom.providers.base import Account, Heard
from postroom.providers.json_events import Item, items_under, values

HANDOVER_VARIABLE = "postroom_handover"

TYPES: dict[str, EventType] = {
    "delivery": EventType.DELIVERED,
    "bounce": EventType.BOUNCED,
    "soft bounce": EventType.DEFERRED,
    "suspension": EventType.DEFERRED,
    "reject": EventType.REJECTED,
    "spam": EventType.COMPLAINED,
    "unsubscribe": EventType.UNSUBSCRIBED,
    "open": EventType.OPENED,
    "click": EventType.CLICKED,
}
"""Every sending event of the vendor's page. After a soft bounce and a suspension Mailtrap tries
ten more times."""

NO_DELIVERY = ("activity_log.", "inbound.", "inbound_")
"""How the names of the others begin: what people did at Mailtrap, and mail that came in."""

CAUSES: tuple[tuple[str, str], ...] = (
    ("unsubscri", "reject/unsubscription"),
    ("complaint", "reject/spam complaint"),
    ("spam", "reject/spam complaint"),
    ("bounce", "reject/hard bounce"),
)
"""Words behind `Reason:` of a mail that its suppression list kept back."""

_LISTED = "in suppression list"
_SIGNATURE = "mailtrap-signature"


class MailtrapReceiver:
    """Proves and reads what the webhooks post."""

    signed = True

    def verify(
        self,
        account: Account,
        headers: Mapping[str, str],
        body: bytes,
        now: datetime,  # noqa: ARG002 - no stamp is signed
    ) -> None:
        """Nothing; raises NotAuthentic, also for an account without a secret: Mailtrap signs."""
        hex_signature.verify(account, headers, body, _SIGNATURE)

    def parse(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - the protocol's; the body says everything
        body: bytes,
    ) -> Iterator[Heard]:
        """The events in the order posted; Unreadable, before the first, when it is no JSON."""
        return (_heard(item) for item in _entries(body) if not _is_other(item))


def _entries(body: bytes) -> list[Item]:
    found = values(body)
    first = found[0].value
    wrapped = len(found) == 1 and isinstance(first, dict) and isinstance(first.get("events"), list)
    return items_under(body, "events") if wrapped else found


def _is_other(item: Item) -> bool:
    fields = item.value if isinstance(item.value, dict) else {}
    return (told.text(fields, "event") or "").startswith(NO_DELIVERY)


def _heard(item: Item) -> Heard:
    """One event; what has no row, or is no object, is `unknown` and kept."""
    fields = item.value if isinstance(item.value, dict) else {}
    event = told.text(fields, "event") or ""
    words = told.text(fields, "response") or told.text(fields, "reason")
    type, provider_class = _reading(event, fields, words or "")
    reply_code, enhanced_code = _codes(fields, words or "")
    stamp = told.text(fields, "timestamp") or ""
    return Heard(
        type=type,
        recipient=told.text(fields, "email"),
        occurred_at=told.unix_time(stamp),
        occurred_raw=stamp,
        provider_type=event,
        provider_class=provider_class,
        reply_code=reply_code,
        enhanced_code=enhanced_code,
        diagnostic=words,
        url=told.text(fields, "url"),
        user_agent=told.text(fields, "user_agent"),
        given_up=type is EventType.BOUNCED and _is_soft(reply_code, enhanced_code),
        handover_id=told.uuid(told.inner(fields, "custom_variables"), HANDOVER_VARIABLE),
        provider_message_id=told.text(fields, "message_id"),
        event_id=told.text(fields, "event_id"),
        start=item.start,
        length=item.length,
    )


def _reading(event: str, fields: told.Fields, words: str) -> tuple[EventType, str]:
    """The type in the normal form, and the provider's own class."""
    type = TYPES.get(event, EventType.UNKNOWN)
    if event != "reject":
        failed = type in (EventType.BOUNCED, EventType.DEFERRED)
        return type, (told.text(fields, "bounce_category") or event) if failed else ""
    said = words.lower()
    if _LISTED not in said:
        return type, event
    cause = said.rpartition("reason:")[2]
    found = (row for word, row in CAUSES if word in cause)
    return EventType.SUPPRESSED, next(found, "reject/suppression list")


def _codes(fields: told.Fields, words: str) -> tuple[int | None, str | None]:
    """The server's own code, and the enhanced one of its words."""
    reply_code, enhanced_code = extract_codes(words)
    given = told.text(fields, "response_code") or ""
    named = int(given) if given.isascii() and given.isdigit() and len(given) == 3 else None
    return named or reply_code, enhanced_code


def _is_soft(reply_code: int | None, enhanced_code: str | None) -> bool:
    """Whether it is the end of deferrals: by a code of class 4."""
    return (enhanced_code or str(reply_code or "")).startswith("4")
