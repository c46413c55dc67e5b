"""Feedback reports (RFC 5965): what a recipient wants, or what operators should know."""

import re
from collections.abc import Iterator
from email.message import Message
from email.parser import HeaderParser

from postroom.domain.delivery import EventType
from postroom.providers.base import Heard
from postroom.providers.bounces.fields import addresses, field, groups, when

FEEDBACK: dict[str, EventType | None] = {
    "abuse": EventType.COMPLAINED,
    "fraud": EventType.COMPLAINED,
    "opt-out": EventType.UNSUBSCRIBED,
    "opt-out-list": EventType.UNSUBSCRIBED,
    "not-spam": EventType.RESUBSCRIBED,
    "auth-failure": None,
    "dmarc": None,
    "virus": None,
    "other": None,
}
"""RFC 5965, section 7.3, RFC 6591, RFC 6430 and the IANA registry "Feedback Report Type Values"
(read 2026-11-24). None says nothing about what a recipient wants: such reports are for operators.
"""

_REDACTED = re.compile(r"redact|hidden|x{4,}", re.IGNORECASE)
_NAMES_THE_RECIPIENT = ("original-rcpt-to", "removal-recipient")


_JMRP_RECIPIENT = "X-HmXmrOriginalRecipient"
"""Outlook.com's feedback (Junk Mail Reporting Program) is older than RFC 5965: the mail itself, and
who complained in this header of it."""


def is_report(mail: Message) -> bool:
    """Whether the mail holds a feedback report."""
    return any(
        part.get_content_type() == "message/feedback-report" or part.get(_JMRP_RECIPIENT)
        for part in mail.walk()
    )


def read(mail: Message) -> Iterator[Heard]:
    """The event of a feedback report, when it says what a recipient wants."""
    for part in mail.walk():
        yield from _complaints_of_outlook(part, mail)
        if part.get_content_type() != "message/feedback-report":
            continue
        told = next(groups(text_of_report(part)), {})
        kind = told.get("feedback-type", "").lower()
        type = FEEDBACK.get(kind)
        if type:
            yield Heard(
                type=type,
                recipient=_complainer(told, mail),
                occurred_at=when(told.get("arrival-date")) or when(field(mail, "Date")),
                occurred_raw=told.get("arrival-date", ""),
                provider_type=kind,
                remote_host=told.get("reporting-mta", "").rpartition(";")[2].strip() or None,
            )


def _complaints_of_outlook(part: Message, mail: Message) -> Iterator[Heard]:
    for address in addresses(field(part, _JMRP_RECIPIENT) or "")[:1]:
        stamp = field(mail, "Date") or ""
        yield Heard(EventType.COMPLAINED, address, when(stamp), stamp, provider_type="jmrp")


def text_of_report(part: Message) -> str:
    """The text of a report part, whose blocks the standard library reads as mails of their own."""
    payload = part.get_payload()
    if not isinstance(payload, list):
        return _decoded(part)
    text = "\n\n".join(_block(block) for block in payload if isinstance(block, Message))
    return _decoded_late(part, text)


def _decoded(part: Message) -> str:
    decoded = part.get_payload(decode=True)
    return decoded.decode("utf-8", "replace") if isinstance(decoded, bytes) else ""


def _decoded_late(part: Message, text: str) -> str:
    """The text of a report that some system encoded, which RFC 2046 forbids."""
    encoding = (field(part, "Content-Transfer-Encoding") or "").lower()
    if encoding not in {"base64", "quoted-printable"}:
        return text
    whole = Message()
    whole["Content-Transfer-Encoding"] = encoding
    whole.set_payload(text)
    decoded = _decoded(whole)
    return decoded if ":" in decoded else text


def _block(block: Message) -> str:
    rest = block.get_payload()
    lines = [f"{name}: {value}" for name, value in block.items()]
    return "\n".join([*lines, rest if isinstance(rest, str) else ""])


def _complainer(told: dict[str, str], mail: Message) -> str | None:
    """Who complained: named by the report, else the recipient of the returned mail."""
    named = [told.get(name, "") for name in _NAMES_THE_RECIPIENT]
    returned = [field(part, "To") or "" for part in _returned(mail)]
    for address in (found for text in (*named, *returned) for found in addresses(text)):
        if not _REDACTED.search(address):
            return address
    return None


def _returned(mail: Message) -> Iterator[Message]:
    """The parts inside, and the mail of which nothing but the headers came back (RFC 6522, 4)."""
    for part in mail.walk():
        if part.get_content_type() == "text/rfc822-headers":
            yield HeaderParser().parsestr(_decoded(part))
        elif part is not mail:
            yield part
