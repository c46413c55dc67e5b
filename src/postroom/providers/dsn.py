"""Bounce mails, abuse reports and automatic answers, read into the normal form.

RFC 3464 (delivery status notifications), RFC 5965 (feedback reports), RFC 3834 (automatic
answers). Mails in which a server tells a failure in its own prose are left to `dsn_text`.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from email.utils import getaddresses, parsedate_to_datetime
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.domain.reason_codes import extract_codes
from postroom.providers import told
from postroom.providers.base import Heard, Unreadable
from postroom.providers.dsn_text import Failure, failures, is_delay, text_of

ACTIONS: dict[str, EventType] = {
    "failed": EventType.BOUNCED,
    "delayed": EventType.DEFERRED,
    "delivered": EventType.DELIVERED,
    "relayed": EventType.DELIVERED,
    "expanded": EventType.DELIVERED,
}
"""RFC 3464, section 2.3.3."""

FEEDBACK: dict[str, EventType | None] = {
    "abuse": EventType.COMPLAINED,
    "fraud": EventType.COMPLAINED,
    "opt-out": EventType.UNSUBSCRIBED,
    "opt-out-list": EventType.UNSUBSCRIBED,
    "not-spam": EventType.RESUBSCRIBED,
    "auth-failure": None,
    "virus": None,
    "other": None,
}
"""RFC 5965, section 7.3 and the IANA registry; None says nothing about what a recipient wants."""

_HANDOVER = re.compile(
    r"(?:x-postroom-handover:\s*|postroom_handover\W{1,8})([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    re.IGNORECASE,
)
_QUOTE_BYTES_MAX = 262_144
"""How much of a mail is searched for our id: headers of a returned mail come early."""

_PROSE_CHARS_MAX = 4_000
_SENDERS = re.compile(r"mailer-?daemon|post-?master|mail-?deliver|maildelivery", re.IGNORECASE)
_SUBJECTS = re.compile(
    r"undeliver|returned mail|delivery (?:status|fail|problem|notif|delay|has failed)"
    r"|fail(?:ure|ed) (?:notice|delivery|mail)|mail delivery|mail system error|non-delivery"
    r"|(?:could|can) ?not (?:be )?(?:deliver|send)|error sending your mail|message delivery",
    re.IGNORECASE,
)
_REDACTED = re.compile(r"redact|hidden|x{4,}", re.IGNORECASE)


def parse_mail(data: bytes) -> list[Heard]:
    """What a mail that came back tells; empty for one that tells nothing about a delivery.

    Raises Unreadable when its parts are nested so deeply that only malice can have built them.
    """
    try:
        return _parse(data)
    except RecursionError as error:
        raise Unreadable("the parts of the mail are nested too deeply") from error


def _parse(data: bytes) -> list[Heard]:
    mail = BytesParser(policy=compat32).parsebytes(data)
    if any(part.get_content_type() == "message/feedback-report" for part in mail.walk()):
        found = list(_feedback(mail))
    else:
        found = list(_statuses(mail)) or list(_unstructured(mail))
    handover_id = _handover_id(data)
    whole = len(data)
    return list(dict.fromkeys(_placed(heard, handover_id, whole) for heard in found))


def _placed(heard: Heard, handover_id: UUID | None, length: int) -> Heard:
    return replace(heard, handover_id=handover_id, start=0, length=length)


def _handover_id(data: bytes) -> UUID | None:
    """Our id, in the header that we added to the mail that came back."""
    match = _HANDOVER.search(data[:_QUOTE_BYTES_MAX].decode("latin-1"))
    return UUID(match[1]) if match else None


def _statuses(mail: Message) -> Iterator[Heard]:
    """One event for every recipient of every `message/delivery-status`."""
    for part in mail.walk():
        if part.get_content_type() in {"message/delivery-status", "message/global-delivery-status"}:
            for group in _groups(part):
                heard = _status(group, mail)
                if heard:
                    yield heard


def _groups(part: Message) -> Iterator[Message]:
    """The blocks of fields of a report part; the standard library reads each as a mail."""
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (block for block in payload if isinstance(block, Message))


def _status(group: Message, mail: Message) -> Heard | None:
    final, original = _address(group, "Final-Recipient"), _address(group, "Original-Recipient")
    action = (_field(group, "Action") or "").split("(")[0].strip().lower()
    status = extract_codes(_field(group, "Status") or "")[1]
    if not (final or original) or not (action or status):
        return None
    diagnostic = _field(group, "Diagnostic-Code")
    reply_code, enhanced_code = extract_codes(diagnostic or "")
    return Heard(
        type=_type(action, status),
        recipient=original or final,
        occurred_at=_when(_field(group, "Last-Attempt-Date")) or _when(_field(mail, "Date")),
        occurred_raw=_field(group, "Last-Attempt-Date") or _field(mail, "Date") or "",
        provider_type=action or "failed",
        reply_code=reply_code,
        enhanced_code=_more_telling(enhanced_code, status),
        diagnostic=_more_words(diagnostic, mail, original or final),
        remote_host=_address(group, "Remote-MTA"),
        asynchronous=True,
        given_up=action == "failed" and (status or "").startswith("4."),
    )


def _type(action: str, status: str | None) -> EventType:
    if action in ACTIONS:
        return ACTIONS[action]
    return EventType.DELIVERED if (status or "").startswith("2.") else EventType.BOUNCED


def _more_telling(said: str | None, status: str | None) -> str | None:
    """The receiver's own code, unless it is a general one and the status is not."""
    if said is None or (said.endswith(".0.0") and status is not None):
        return status
    return said


def _more_words(diagnostic: str | None, mail: Message, recipient: str | None) -> str | None:
    """The diagnostic; where there is none, what the prose says of this recipient."""
    if diagnostic or recipient is None:
        return diagnostic
    return next((each.words for each in failures(text_of(mail), (recipient,))), None) or None


def _feedback(mail: Message) -> Iterator[Heard]:
    """The event of a feedback report, when it says what a recipient wants."""
    for part in mail.walk():
        if part.get_content_type() != "message/feedback-report":
            continue
        fields = _report_fields(part)
        kind = fields.get("feedback-type", "").lower()
        type = FEEDBACK.get(kind)
        if type:
            yield Heard(
                type=type,
                recipient=_complainer(fields, mail),
                occurred_at=_when(fields.get("arrival-date")) or _when(_field(mail, "Date")),
                occurred_raw=fields.get("arrival-date", ""),
                provider_type=kind,
            )


def _report_fields(part: Message) -> dict[str, str]:
    payload = part.get_payload()
    text = str(payload[0]) if isinstance(payload, list) and payload else str(payload)
    pairs = (line.partition(":") for line in text.splitlines() if ":" in line)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _complainer(fields: dict[str, str], mail: Message) -> str | None:
    """Who complained: named by the report, else the recipient of the returned mail."""
    named = [fields.get(name, "") for name in ("original-rcpt-to", "removal-recipient")]
    returned = [
        str(part.get("To", "")) for part in mail.walk() if part is not mail and part.get("To")
    ]
    for address in (found for text in (*named, *returned) for found in _addresses(text)):
        if not _REDACTED.search(address):
            return address
    return None


def _unstructured(mail: Message) -> Iterator[Heard]:
    """What a mail without a machine-readable part tells by its shape."""
    if _is_auto_reply(mail):
        yield from _auto_reply(mail)
    elif _is_bounce(mail):
        text = text_of(mail)
        type = EventType.DEFERRED if is_delay(text) else EventType.BOUNCED
        for failure in failures(text, tuple(_addresses(_field(mail, "X-Failed-Recipients") or ""))):
            yield _told_in_prose(type, failure, mail)


def _told_in_prose(type: EventType, failure: Failure, mail: Message) -> Heard:
    reply_code, enhanced_code = extract_codes(failure.words)
    return Heard(
        type=type,
        recipient=failure.recipient,
        occurred_at=_when(_field(mail, "Date")),
        occurred_raw=_field(mail, "Date") or "",
        provider_type="prose",
        reply_code=reply_code,
        enhanced_code=enhanced_code,
        diagnostic=failure.words,
        asynchronous=True,
    )


def _is_auto_reply(mail: Message) -> bool:
    """RFC 3834, section 5, and the headers and subjects in use before it."""
    automatic = (_field(mail, "Auto-Submitted") or "").lower().startswith("auto-replied")
    older = any(mail.get(name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply"))
    subject = (_field(mail, "Subject") or "").lower()
    named = subject.startswith(("auto reply", "auto-reply", "automatic reply", "out of office"))
    return (automatic or older or named) and not _is_bounce(mail)


def _auto_reply(mail: Message) -> Iterator[Heard]:
    for address in _addresses(_field(mail, "From") or "")[:1]:
        yield Heard(
            type=EventType.AUTO_REPLIED,
            recipient=address,
            occurred_at=_when(_field(mail, "Date")),
            occurred_raw=_field(mail, "Date") or "",
            provider_type="auto-replied",
        )


def _is_bounce(mail: Message) -> bool:
    """Whether a mail system speaks: by its name, by a header, or by the subject."""
    return bool(
        mail.get("X-Failed-Recipients")
        or _is_delivery_report(mail)
        or _SENDERS.search(_field(mail, "From") or "")
        or _SUBJECTS.search(_field(mail, "Subject") or "")
        or (_field(mail, "Return-Path") or "").strip() == "<>"
        or (_returns_a_mail(mail) and _SUBJECTS.search(text_of(mail)[:_PROSE_CHARS_MAX]))
    )


def _is_delivery_report(mail: Message) -> bool:
    """Whether it calls itself one; reports of reading (RFC 8098) and others are no bounces."""
    kind = str(mail.get_param("report-type", "delivery-status")).lower()
    return mail.get_content_type() == "multipart/report" and kind == "delivery-status"


def _returns_a_mail(mail: Message) -> bool:
    return any(part.get_content_type() == "message/rfc822" for part in mail.walk())


def _field(fields: Message, name: str) -> str | None:
    """A field on one line, storable; None when absent."""
    value = fields.get(name)
    return told.text({name: " ".join(str(value).split())}, name) if value else None


def _address(group: Message, name: str) -> str | None:
    """The address, or host name, behind the `rfc822;` or `dns;` of a field."""
    value = (_field(group, name) or "").rpartition(";")[2].split("(")[0]
    return value.strip().strip("<>\"'") or None


def _addresses(text: str) -> list[str]:
    return [address for _, address in getaddresses([text]) if "@" in address]


def _when(text: str | None) -> datetime | None:
    """The instant of a mail date; None when it is none."""
    try:
        at = parsedate_to_datetime(text or "")
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, IndexError):
        return None
