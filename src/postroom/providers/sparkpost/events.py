"""What SparkPost's webhooks tell, in the normal form.

https://developers.sparkpost.com/api/webhooks and .../api/events (event types), and
https://support.sparkpost.com/docs/deliverability/bounce-classification-codes, read 2026-11-24. A
post is an array; every element wraps one event in `msys`. It carries no signature.
"""

from collections.abc import Iterator, Mapping

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import LIST_TEXTS
from postroom.domain.reason_codes import extract_codes
from postroom.providers import told
from postroom.providers.base import Heard
from postroom.providers.bounces.arf import FEEDBACK
from postroom.providers.json_events import Item, one_or_many
from postroom.providers.login import LoginReceiver

HANDOVER_KEY = "postroom_handover"
"""Our field of a recipient's `metadata`, which comes back as `rcpt_meta` of every event."""

TYPES: dict[str, EventType] = {
    "injection": EventType.ACCEPTED,
    "delay": EventType.DEFERRED,
    "delivery": EventType.DELIVERED,
    "bounce": EventType.BOUNCED,
    "out_of_band": EventType.BOUNCED,
    "policy_rejection": EventType.REJECTED,
    "generation_failure": EventType.REJECTED,
    "generation_rejection": EventType.REJECTED,
    "spam_complaint": EventType.COMPLAINED,
    "open": EventType.OPENED,
    "initial_open": EventType.OPENED,
    "amp_open": EventType.OPENED,
    "amp_initial_open": EventType.OPENED,
    "click": EventType.CLICKED,
    "amp_click": EventType.CLICKED,
    "list_unsubscribe": EventType.UNSUBSCRIBED,
    "link_unsubscribe": EventType.UNSUBSCRIBED,
    "sms_status": EventType.UNKNOWN,
    "relay_injection": EventType.UNKNOWN,
    "relay_rejection": EventType.UNKNOWN,
    "relay_delivery": EventType.UNKNOWN,
    "relay_tempfail": EventType.UNKNOWN,
    "relay_permfail": EventType.UNKNOWN,
    "ab_test_completed": EventType.UNKNOWN,
    "ab_test_cancelled": EventType.UNKNOWN,
    "success": EventType.UNKNOWN,
    "error": EventType.UNKNOWN,
}
"""Every `type` of the vendor's pages. `relay` events are about mail received, the last four about
tests and imports."""

AUTO_REPLIES = frozenset({"60", "100"})
"""Classes of mail that came back although nothing failed."""

ANSWERS = {"80": EventType.UNKNOWN, "90": EventType.UNSUBSCRIBED}
"""Classes of a mail that came back later and asks for something."""

GIVEN_UP = frozenset({"20", "21", "24", "70"})
"""Soft classes: when no code says otherwise, the service has tried for 72 hours."""

_KEPT_BACK_CLASSES = frozenset({"", "25", "26"})
_BY_RECEIVER = frozenset({"delay", "delivery", "bounce"})
_CLASS_OF_ITS_OWN = "generation_failure"


class SparkPostReceiver(LoginReceiver):
    """Proves and reads what the webhooks post."""

    def parse(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - the protocol's; the body says everything
        body: bytes,
    ) -> Iterator[Heard]:
        """The events in the order posted, none for a test; Unreadable, before the first, for no
        JSON."""
        return (heard(item) for item in one_or_many(body) if not _is_test(item.value))


def _is_test(value: object) -> bool:
    """Whether it is the empty event that a new webhook is tried with."""
    return isinstance(value, dict) and value.get("msys") == {}


def heard(item: Item) -> Heard:
    """One event; what has no row, or is no object, is `unknown` and kept."""
    fields = _event(item.value)
    event = told.text(fields, "type") or ""
    words = told.text(fields, "raw_reason") or told.text(fields, "reason")
    reply_code, enhanced_code = extract_codes(words or "")
    bounce_class = told.text(fields, "bounce_class") or ""
    type = _type(event, bounce_class, fields, words or "")
    stamp = told.text(fields, "timestamp") or ""
    rcpt_meta = fields.get("rcpt_meta")
    return Heard(
        type=type,
        recipient=told.text(fields, "raw_rcpt_to") or told.text(fields, "rcpt_to"),
        occurred_at=told.iso_time(stamp) or told.unix_time(stamp),
        occurred_raw=stamp,
        provider_type=event,
        provider_class=_class(event, bounce_class, type),
        reply_code=reply_code or _code(fields),
        enhanced_code=enhanced_code,
        diagnostic=words,
        remote_host=told.text(fields, "ip_address") if event in _BY_RECEIVER else None,
        url=told.text(fields, "target_link_url") if type is EventType.CLICKED else None,
        user_agent=told.text(fields, "user_agent"),
        machine=_machine(fields),
        asynchronous={"bounce": False, "out_of_band": True}.get(event),
        given_up=event == "bounce" and bounce_class in GIVEN_UP and _is_no_refusal(fields, words),
        handover_id=told.uuid(rcpt_meta, HANDOVER_KEY) if isinstance(rcpt_meta, dict) else None,
        provider_message_id=told.text(fields, "transmission_id"),
        event_id=told.text(fields, "event_id"),
        start=item.start,
        length=item.length,
    )


def _event(value: object) -> told.Fields:
    """The event inside its two wrappers, whatever the inner one is called."""
    msys = value.get("msys") if isinstance(value, dict) else None
    inner = next(iter(msys.values()), None) if isinstance(msys, dict) else None
    return inner if isinstance(inner, dict) else {}


def _type(event: str, bounce_class: str, fields: told.Fields, words: str) -> EventType:
    type = TYPES.get(event, EventType.UNKNOWN)
    if type is EventType.COMPLAINED:
        feedback = told.text(fields, "fbtype")
        return (FEEDBACK.get(feedback.lower()) or EventType.UNKNOWN) if feedback else type
    if type is EventType.BOUNCED and bounce_class in AUTO_REPLIES:
        return EventType.AUTO_REPLIED
    if event == "out_of_band" and bounce_class in ANSWERS:
        return ANSWERS[bounce_class]
    never_tried = type is EventType.REJECTED or (
        type is EventType.BOUNCED and bounce_class in _KEPT_BACK_CLASSES
    )
    if never_tried and any(text in words.lower() for text in LIST_TEXTS):
        return EventType.SUPPRESSED
    return type


def _class(event: str, bounce_class: str, type: EventType) -> str:
    """The class; what the service's list kept back has its own, whatever class it came under."""
    if type is EventType.SUPPRESSED:
        return f"{bounce_class}/suppressed" if bounce_class else "suppressed"
    return bounce_class or (event if event == _CLASS_OF_ITS_OWN else "")


def _code(fields: told.Fields) -> int | None:
    code = told.text(fields, "error_code") or ""
    return int(code) if len(code) == 3 and code.isascii() and code.isdigit() else None


def _is_no_refusal(fields: told.Fields, words: str | None) -> bool:
    """Whether the receiver's own words leave it open that the mail might be taken later."""
    reply_code, enhanced_code = extract_codes(words or "")
    return not (enhanced_code or str(reply_code or _code(fields) or "")).startswith("5")


def _machine(fields: told.Fields) -> bool | None:
    """True for what a mailbox service fetched ahead; who is behind the others is not told."""
    agent = fields.get("user_agent_parsed")
    return (isinstance(agent, dict) and told.flag(agent, "is_prefetched")) or None
