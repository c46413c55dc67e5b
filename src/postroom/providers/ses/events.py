"""What Amazon SES tells: event publishing and the older identity notifications, in the normal form.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html, .../event-
publishing-retrieving-sns-examples.html and .../notification-contents.html, read 2026-11-24. Both
have one shape: `eventType` (or `notificationType`), `mail`, and an object of the type's own name.
An event speaks of one or more recipients; each gets an event of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.providers import told
from postroom.providers.base import Heard
from postroom.providers.bounces.arf import FEEDBACK
from postroom.providers.ses.compose import HANDOVER_TAG


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one type of event is read."""

    type: EventType
    own: str
    """The object of the type's own."""
    recipients: str | None = None
    """Its list of recipients; None: the event speaks of the mail's destination."""
    words: str | None = None
    """Where the raw text stands, in the object or in a recipient."""


KINDS: dict[str, _Kind] = {
    "Send": _Kind(EventType.ACCEPTED, "send"),
    "Delivery": _Kind(EventType.DELIVERED, "delivery", "recipients", "smtpResponse"),
    "DeliveryDelay": _Kind(
        EventType.DEFERRED, "deliveryDelay", "delayedRecipients", "diagnosticCode"
    ),
    "Bounce": _Kind(EventType.BOUNCED, "bounce", "bouncedRecipients", "diagnosticCode"),
    "Complaint": _Kind(EventType.COMPLAINED, "complaint", "complainedRecipients"),
    "Reject": _Kind(EventType.REJECTED, "reject", words="reason"),
    "Rendering Failure": _Kind(EventType.REJECTED, "failure", words="errorMessage"),
    "Open": _Kind(EventType.OPENED, "open"),
    "Click": _Kind(EventType.CLICKED, "click"),
    "Subscription": _Kind(EventType.UNSUBSCRIBED, "subscription"),
}
"""Every `eventType` of the vendor's page; `notificationType` has three of them."""

NO_DELIVERY = frozenset({"Received", "AmazonSnsSubscriptionSucceeded"})
"""Notifications about mail that came in, and about the topic itself."""

_UNKNOWN = _Kind(EventType.UNKNOWN, "")

SUPPRESSED = frozenset({
    "Suppressed", "OnAccountSuppressionList", "OnTenantSuppressionList",
    "EmailValidationSuppressed",
})  # fmt: skip
"""Sub-types of bounces and complaints by which a list kept the mail back."""

_BY_ONE = frozenset({EventType.OPENED, EventType.CLICKED, EventType.UNSUBSCRIBED})
"""What one person does: of several recipients nobody can say who it was."""

_OWN_SERVERS = ".amazonses.com"


def heard(event: told.Fields, message_id: str | None) -> Iterator[Heard]:
    """The events of one notification; `message_id` is the id that its teller gave it.

    None for what says nothing about a delivery; what has no row is `unknown` and kept.
    """
    name = told.text(event, "eventType") or told.text(event, "notificationType") or ""
    mail = _object(event, "mail")
    if name in NO_DELIVERY or not (name or mail):
        return
    kind = KINDS.get(name, _UNKNOWN)
    own = _object(event, kind.own)
    for recipient in _recipients(kind, own, mail):
        yield _heard(name, kind, own, mail, recipient, message_id)


def _recipients(kind: _Kind, own: told.Fields, mail: told.Fields) -> list[told.Fields]:
    """The recipients that the event speaks of, each with what is said of that one alone."""
    listed = own.get(kind.recipients) if kind.recipients else None
    if not isinstance(listed, list) or not listed:
        listed = mail.get("destination")
    entries = listed if isinstance(listed, list) else []
    if kind.type in _BY_ONE and len(entries) != 1:
        entries = []
    return [one if isinstance(one, dict) else {"emailAddress": one} for one in entries] or [{}]


def _heard(
    name: str,
    kind: _Kind,
    own: told.Fields,
    mail: told.Fields,
    recipient: told.Fields,
    message_id: str | None,
) -> Heard:
    type, provider_class = _reading(name, kind, own, recipient)
    words = _words(kind, own, recipient)
    reply_code, enhanced_code = _codes(recipient, words)
    stamp = told.text(own, "timestamp") or told.text(mail, "timestamp") or ""
    return Heard(
        type=type,
        recipient=_address(recipient),
        occurred_at=told.iso_time(stamp),
        occurred_raw=stamp,
        provider_type=name,
        provider_class=provider_class,
        reply_code=reply_code,
        enhanced_code=enhanced_code,
        diagnostic=words,
        remote_host=_remote_host(own),
        url=told.text(own, "link") if type is EventType.CLICKED else None,
        user_agent=told.text(own, "userAgent"),
        asynchronous=_asynchronous(own) if type is EventType.BOUNCED else None,
        given_up=type is EventType.BOUNCED and _given_up(own, enhanced_code, reply_code),
        handover_id=_handover_id(mail),
        provider_message_id=told.text(mail, "messageId"),
        event_id=told.text(own, "feedbackId") or message_id,
    )


def _reading(
    name: str, kind: _Kind, own: told.Fields, recipient: told.Fields
) -> tuple[EventType, str]:
    """The type in the normal form, and the provider's own class."""
    match name:
        case "Bounce":
            return _bounce(own, recipient)
        case "Complaint":
            return _complaint(own)
        case "Subscription":
            return _subscription(own), ""
        case "DeliveryDelay":
            return kind.type, f"DeliveryDelay/{told.text(own, 'delayType') or ''}"
        case "Reject":
            return kind.type, f"Reject/{told.text(own, 'reason') or ''}"
        case "Rendering Failure":
            return kind.type, name
    return kind.type, ""


def _bounce(own: told.Fields, recipient: told.Fields) -> tuple[EventType, str]:
    bounce_type = told.text(own, "bounceType") or ""
    sub_type = told.text(own, "bounceSubType") or ""
    provider_class = f"{bounce_type}/{sub_type}"
    if sub_type in SUPPRESSED:
        return EventType.SUPPRESSED, provider_class
    said = any(told.text(recipient, name) for name in ("action", "status", "diagnosticCode"))
    if provider_class == "Transient/General" and not said:
        # An automatic answer came back: a bounce would say what went wrong.
        return EventType.AUTO_REPLIED, provider_class
    return EventType.BOUNCED, provider_class


def _complaint(own: told.Fields) -> tuple[EventType, str]:
    sub_type = told.text(own, "complaintSubType") or ""
    if sub_type in SUPPRESSED:
        return EventType.SUPPRESSED, f"Complaint/{sub_type}"
    feedback = told.text(own, "complaintFeedbackType") or ""
    type = FEEDBACK.get(feedback.lower()) if feedback else EventType.COMPLAINED
    return type or EventType.UNKNOWN, feedback


def _subscription(own: told.Fields) -> EventType:
    """Unsubscribed when somebody left everything or a topic; the opposite for the way back."""
    new, old = _preferences(own, "newTopicPreferences"), _preferences(own, "oldTopicPreferences")
    left = {topic for topic, subscribed in new.items() if not subscribed and old.get(topic, True)}
    back = {topic for topic, subscribed in new.items() if subscribed and not old.get(topic, True)}
    if left:
        return EventType.UNSUBSCRIBED
    return EventType.RESUBSCRIBED if back else EventType.UNKNOWN


def _preferences(own: told.Fields, name: str) -> dict[str, bool]:
    """Whether each topic is subscribed to; the empty name stands for all of them."""
    given = _object(own, name)
    subscribed = {}
    unsubscribed_all = told.flag(given, "unsubscribeAll")
    if unsubscribed_all is not None:
        subscribed[""] = not unsubscribed_all
    topics = given.get("topicSubscriptionStatus")
    for topic in topics if isinstance(topics, list) else []:
        if isinstance(topic, dict):
            status = (told.text(topic, "subscriptionStatus") or "").lower()
            subscribed[told.text(topic, "topicName") or ""] = status != "optout"
    return subscribed


def _words(kind: _Kind, own: told.Fields, recipient: told.Fields) -> str | None:
    if kind.words is None:
        return None
    return told.text(recipient, kind.words) or told.text(own, kind.words)


def _codes(recipient: told.Fields, words: str | None) -> tuple[int | None, str | None]:
    """The codes in the receiver's words; the `status` of its report where they hold none."""
    reply_code, enhanced_code = extract_codes(words or "")
    status = extract_codes(told.text(recipient, "status") or "")[1]
    return reply_code, enhanced_code or status


def _given_up(own: told.Fields, enhanced_code: str | None, reply_code: int | None) -> bool:
    """Whether it is the end of deferrals: by the vendor's word, or by a code of class 4."""
    if told.text(own, "bounceType") == "Transient":
        return True
    if enhanced_code:
        return enhanced_code.startswith("4.")
    return reply_code is not None and reply_code < 500


def _asynchronous(own: told.Fields) -> bool | None:
    """A report of the service's own server was in-band; another's came after acceptance."""
    host = _reporter(own)
    return None if host is None else not host.endswith(_OWN_SERVERS)


def _remote_host(own: told.Fields) -> str | None:
    host = _reporter(own)
    foreign = host if host and not host.endswith(_OWN_SERVERS) else None
    return foreign or told.text(own, "remoteMtaIp")


def _reporter(own: told.Fields) -> str | None:
    """The server that reports, without the `dsn;` or `dns;` in front of it."""
    named = told.text(own, "reportingMTA")
    return named.rpartition(";")[2].strip().lower() or None if named else None


def _address(recipient: told.Fields) -> str | None:
    """The address, without the name and the brackets that a report or a header may put to it."""
    address = told.text(recipient, "emailAddress")
    if address and address.endswith(">"):
        return address[address.rfind("<") + 1 : -1] or None
    return address


def _handover_id(mail: told.Fields) -> UUID | None:
    tags = _object(mail, "tags").get(HANDOVER_TAG)
    values = tags if isinstance(tags, list) else [tags]
    return told.uuid({HANDOVER_TAG: values[0]}, HANDOVER_TAG) if values else None


def _object(fields: Mapping[str, object], name: str) -> told.Fields:
    """The object of this name; an empty one where there is none."""
    found = fields.get(name)
    return found if isinstance(found, dict) else {}
