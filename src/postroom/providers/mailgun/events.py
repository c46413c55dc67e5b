"""What Mailgun's webhooks tell, in the normal form.

https://documentation.mailgun.com/docs/mailgun/user-manual/events and .../webhooks/webhook-payloads,
read 2026-11-24. `delivery-status.code` is the receiver's reply or a number of Mailgun's own: 498
and 499 (no answer, no MX), 602 (given up), 605 to 607 (kept back by its lists).
"""

from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.providers import told
from postroom.providers.base import Heard

HANDOVER_VARIABLE = "postroom_handover"
"""The user variable that comes back in every event."""

TYPES: dict[str, EventType] = {
    "accepted": EventType.ACCEPTED,
    "delivered": EventType.DELIVERED,
    "failed": EventType.BOUNCED,
    "rejected": EventType.REJECTED,
    "opened": EventType.OPENED,
    "clicked": EventType.CLICKED,
    "complained": EventType.COMPLAINED,
    "unsubscribed": EventType.UNSUBSCRIBED,
    "stored": EventType.UNKNOWN,
    "list_member_uploaded": EventType.UNKNOWN,
    "list_member_upload_error": EventType.UNKNOWN,
    "list_uploaded": EventType.UNKNOWN,
}
"""Every `event` of the vendor's page; a temporary `failed` is a deferral. The last four speak of
incoming mail and of mailing lists that live at Mailgun."""

WEBHOOKS = {"permanent": "permanent_fail", "temporary": "temporary_fail"}
"""The vendor's names for the two kinds of `failed`."""

SUPPRESSED = frozenset({
    "suppress-bounce", "suppress-complaint", "suppress-unsubscribe", "605", "606", "607",
})  # fmt: skip
"""Classes by which a list of the sending domain kept the mail back."""

_LIST_CODES = frozenset({"605", "606", "607"})
_GIVEN_UP = frozenset({"old", "602"})


def heard(event: told.Fields) -> Heard:
    """The event of one `event-data`; what has no row is `unknown` and kept."""
    name = told.text(event, "event") or ""
    status = _object(event, "delivery-status")
    provider_class = _class(event, status) if name == "failed" else ""
    type = _type(name, event, provider_class)
    words = _words(event, status)
    reply_code, enhanced_code = _codes(status, words)
    stamp = told.text(event, "timestamp") or ""
    client = _object(event, "client-info")
    failed = type is EventType.BOUNCED
    return Heard(
        type=type,
        recipient=told.text(event, "recipient"),
        occurred_at=told.unix_time(stamp),
        occurred_raw=stamp,
        provider_type=_provider_type(name, event),
        provider_class=provider_class,
        reply_code=reply_code,
        enhanced_code=enhanced_code,
        diagnostic=words,
        remote_host=told.text(status, "mx-host"),
        url=told.text(event, "url") if type is EventType.CLICKED else None,
        user_agent=told.text(client, "user-agent"),
        machine=_machine(client) if type in (EventType.OPENED, EventType.CLICKED) else None,
        asynchronous=_asynchronous(event) if failed else None,
        given_up=failed and _given_up(provider_class, status, reply_code, enhanced_code),
        handover_id=_handover_id(event),
        provider_message_id=_message_id(event),
        event_id=told.text(event, "id"),
    )


def _type(name: str, event: told.Fields, provider_class: str) -> EventType:
    if name != "failed":
        return TYPES.get(name, EventType.UNKNOWN)
    if provider_class in SUPPRESSED:
        return EventType.SUPPRESSED
    return EventType.DEFERRED if event.get("severity") == "temporary" else EventType.BOUNCED


def _provider_type(name: str, event: told.Fields) -> str:
    severity = told.text(event, "severity") if name == "failed" else None
    return WEBHOOKS.get(severity or "", name)


def _class(event: told.Fields, status: told.Fields) -> str:
    """The `reason`; for a list the number that names it, for a bounce with its `bounce-type`."""
    code = told.text(status, "code") or ""
    reason = told.text(event, "reason") or ""
    kind = told.text(status, "bounce-type")
    if code in _LIST_CODES and reason not in SUPPRESSED:
        return code
    if code in _GIVEN_UP:
        return "old"
    return f"bounce/{kind}" if reason == "bounce" and kind else reason


def _words(event: told.Fields, status: told.Fields) -> str | None:
    """The receiver's words, and Mailgun's where it adds some, each once."""
    rejected = _object(event, "reject")
    said = (
        told.text(status, "message"),
        told.text(status, "description"),
        told.text(status, "last-message"),
        told.text(rejected, "reason"),
        told.text(rejected, "description"),
    )
    return "\n".join(dict.fromkeys(text for text in said if text)) or None


def _codes(status: told.Fields, words: str | None) -> tuple[int | None, str | None]:
    """The codes of the status, else those in the words."""
    in_words = extract_codes(words or "")
    given = [told.text(status, name) or "" for name in ("enhanced-code", "code", "last-code")]
    enhanced = next(filter(None, (extract_codes(text)[1] for text in given)), None)
    reply = next((int(text) for text in given if _is_reply(text)), None)
    return reply or in_words[0], enhanced or in_words[1]


def _is_reply(text: str) -> bool:
    """Whether it is a reply code of SMTP (RFC 5321 4.2.1) and no number of Mailgun's own."""
    digits = text.isascii() and text.isdigit() and len(text) == 3
    return digits and text[0] in "245" and text[1] in "012345"


def _given_up(
    provider_class: str, status: told.Fields, reply_code: int | None, enhanced_code: str | None
) -> bool:
    """Whether it is the end of deferrals: by the vendor's word, or by a code of class 4."""
    if provider_class in _GIVEN_UP:
        return True
    if enhanced_code:
        return enhanced_code.startswith("4.")
    return (told.text(status, "code") or "").startswith("4") or (reply_code or 500) < 500


def _asynchronous(event: told.Fields) -> bool | None:
    if event.get("reason") == "delayed-bounce":
        return True
    return told.flag(_object(event, "flags"), "is-delayed-bounce")


def _machine(client: told.Fields) -> bool | None:
    """Whether Mailgun takes the visitor for a bot: it names the bot, or nobody."""
    return bool(client["bot"]) if "bot" in client else None


def _handover_id(event: told.Fields) -> UUID | None:
    return told.uuid(_object(event, "user-variables"), HANDOVER_VARIABLE)


def _message_id(event: told.Fields) -> str | None:
    """Without the angle brackets, which only the answer to a call and the old forms have."""
    named = told.text(_object(_object(event, "message"), "headers"), "message-id")
    return named.strip("<>") or None if named else None


def _object(fields: told.Fields, name: str) -> told.Fields:
    """The object of this name; an empty one where there is none."""
    found = fields.get(name)
    return found if isinstance(found, dict) else {}
