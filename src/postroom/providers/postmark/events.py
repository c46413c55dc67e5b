"""What Postmark's webhooks tell, in the normal form.

https://postmarkapp.com/developer/webhooks/webhooks-overview with its pages on bounces, deliveries,
opens, clicks, complaints and subscription changes, and .../developer/api/bounce-api (types), read
2026-11-24. A post is one event. It carries no signature.
"""

from collections.abc import Iterator, Mapping

from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.providers import told
from postroom.providers.base import Heard
from postroom.providers.json_events import Item, one_or_many
from postroom.providers.login import LoginReceiver

HANDOVER_KEY = "postroom_handover"
"""Our field of a message's `Metadata`, which comes back in every event."""

RECORDS: dict[str, EventType] = {
    "Delivery": EventType.DELIVERED,
    "Bounce": EventType.BOUNCED,
    "SpamComplaint": EventType.COMPLAINED,
    "Open": EventType.OPENED,
    "Click": EventType.CLICKED,
    "SubscriptionChange": EventType.SUPPRESSED,
}
"""Every `RecordType` that speaks of mail sent; `Inbound` speaks of mail received."""

BOUNCES: dict[str, EventType] = {
    "HardBounce": EventType.BOUNCED,
    "Transient": EventType.DEFERRED,
    "Unsubscribe": EventType.UNSUBSCRIBED,
    "Subscribe": EventType.UNKNOWN,
    "AutoResponder": EventType.AUTO_REPLIED,
    "AddressChange": EventType.AUTO_REPLIED,
    "DnsError": EventType.DEFERRED,
    "SpamNotification": EventType.BOUNCED,
    "OpenRelayTest": EventType.UNKNOWN,
    "Unknown": EventType.BOUNCED,
    "SoftBounce": EventType.BOUNCED,
    "VirusNotification": EventType.BOUNCED,
    "ChallengeVerification": EventType.AUTO_REPLIED,
    "BadEmailAddress": EventType.BOUNCED,
    "SpamComplaint": EventType.COMPLAINED,
    "ManuallyDeactivated": EventType.SUPPRESSED,
    "Unconfirmed": EventType.REJECTED,
    "Blocked": EventType.BOUNCED,
    "SMTPApiError": EventType.REJECTED,
    "InboundError": EventType.UNKNOWN,
    "DMARCPolicy": EventType.BOUNCED,
    "TemplateRenderingFailed": EventType.REJECTED,
}
"""Every `Type` of a bounce. The service calls whatever mail comes back a bounce."""

LIST_CHANGES: dict[tuple[str, str], EventType] = {
    ("HardBounce", "Recipient"): EventType.SUPPRESSED,
    ("SpamComplaint", "Recipient"): EventType.COMPLAINED,
    ("ManualSuppression", "Recipient"): EventType.UNSUBSCRIBED,
}
"""`SuppressionReason` and `Origin` of an address put on the list; others stand there by the hand of
the account's owner or of Postmark. What put it there is told by an event of its own too."""

_MARKS = {
    "DeliveredAt": "Delivery",
    "BouncedAt": "Bounce",
    "OriginalLink": "Click",
    "FirstOpen": "Open",
    "SuppressSending": "SubscriptionChange",
}
"""Fields by which posts without a `RecordType`, as they once were, are known."""

_STAMPS = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")
_INACTIVE = "marked as inactive"
"""How the service says by SMTP that its list kept a mail back."""


class PostmarkReceiver(LoginReceiver):
    """Proves and reads what the webhooks post."""

    def parse(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - the protocol's; the body says everything
        body: bytes,
    ) -> Iterator[Heard]:
        """The event, or none for mail received; Unreadable at once when it is no JSON."""
        return (heard(item) for item in one_or_many(body) if not _is_inbound(item.value))


def _is_inbound(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    return value.get("RecordType") == "Inbound" or ("FromFull" in value and not _record(value))


def _record(fields: told.Fields) -> str:
    """The kind of the event; empty when it is not told."""
    marked = (record for mark, record in _MARKS.items() if mark in fields)
    return told.text(fields, "RecordType") or next(marked, "")


def heard(item: Item) -> Heard:
    """One event; what has no row, or is no object, is `unknown` and kept."""
    fields = item.value if isinstance(item.value, dict) else {}
    record = _record(fields)
    words = told.text(fields, "Details") or told.text(fields, "Description")
    reply_code, enhanced_code = extract_codes(words or "")
    type = _type(record, fields, words or "")
    stamp = next(filter(None, (told.text(fields, name) for name in _STAMPS)), "")
    metadata = fields.get("Metadata")
    return Heard(
        type=type,
        recipient=told.text(fields, "Recipient") or told.text(fields, "Email"),
        occurred_at=told.iso_time(stamp),
        occurred_raw=stamp,
        provider_type=record,
        provider_class=_class(record, fields, words or ""),
        reply_code=reply_code,
        enhanced_code=enhanced_code,
        diagnostic=words,
        url=told.text(fields, "OriginalLink") if type is EventType.CLICKED else None,
        user_agent=told.text(fields, "UserAgent"),
        given_up=fields.get("Type") == "SoftBounce" and _is_no_refusal(reply_code, enhanced_code),
        handover_id=told.uuid(metadata, HANDOVER_KEY) if isinstance(metadata, dict) else None,
        provider_message_id=told.text(fields, "MessageID"),
        event_id=told.text(fields, "ID"),
        start=item.start,
        length=item.length,
    )


def _type(record: str, fields: told.Fields, words: str) -> EventType:
    if record == "Bounce":
        if _is_inactive(fields, words):
            return EventType.SUPPRESSED
        return BOUNCES.get(told.text(fields, "Type") or "", EventType.UNKNOWN)
    if record == "SubscriptionChange":
        return _list_change(fields)
    return RECORDS.get(record, EventType.UNKNOWN)


def _list_change(fields: told.Fields) -> EventType:
    on_list = told.flag(fields, "SuppressSending")
    if on_list is None:
        return EventType.UNKNOWN
    why = (told.text(fields, "SuppressionReason") or "", told.text(fields, "Origin") or "")
    put_on = LIST_CHANGES.get(why, EventType.SUPPRESSED)
    return put_on if on_list else EventType.RESUBSCRIBED


def _class(record: str, fields: told.Fields, words: str) -> str:
    if record == "SubscriptionChange":
        return f"{record}/{told.text(fields, 'SuppressionReason') or ''}"
    if record not in {"Bounce", "SpamComplaint"}:
        return ""
    bounce = told.text(fields, "Type") or ""
    return f"{bounce}/inactive" if _is_inactive(fields, words) else bounce


def _is_inactive(fields: told.Fields, words: str) -> bool:
    return fields.get("Type") == "SMTPApiError" and _INACTIVE in words.lower()


def _is_no_refusal(reply_code: int | None, enhanced_code: str | None) -> bool:
    """Whether the receiver's own words leave it open that the mail might be taken later."""
    return not (enhanced_code or str(reply_code or "")).startswith("5")
