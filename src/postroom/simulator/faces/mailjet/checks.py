"""What the vendor refuses in a message of the Send API v3.1, with its error code.

dev.mailjet.com: guides, Send API v3.1; reference, Send Emails; read 2026-11-24. Texts are the
vendor's where its pages show them; where they show only the rule, the text states the rule.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Container, Iterator, Mapping
from typing import Any, NamedTuple

from postroom.simulator.addresses import is_address, refused_among

MESSAGES_MAX = 50
TRACKING = frozenset({"enabled", "disabled", "account_default"})
_FORBIDDEN = frozenset({"from", "sender", "subject", "to", "cc", "bcc", "return-path", "reply-to"})
_PEOPLE = ("To", "Cc", "Bcc")


class Flaw(NamedTuple):
    """Why a message is not taken."""

    code: str
    message: str
    related: str
    status: int = 400


def people_in(message: Mapping[str, Any], name: str) -> list[str]:
    """The addresses of To, Cc or Bcc."""
    return [each["Email"] for each in message.get(name) or []]


def recipients_of(message: Mapping[str, Any]) -> list[str]:
    """Everybody that the message goes to."""
    return [each for name in _PEOPLE for each in people_in(message, name)]


def flaws(message: object, verified: Container[str] | None, seed: int) -> Iterator[Flaw]:
    """All that is wrong with the message."""
    if not isinstance(message, dict):
        yield Flaw("mj-0004", 'Type mismatch. Expected type "object".', "Messages")
        return
    wrong_types = list(_types(message))
    yield from wrong_types
    if wrong_types:
        return
    yield from _sender(message, verified)
    yield from _recipients(message, seed)
    if not message.get("TextPart") and not message.get("HTMLPart"):
        text = 'At least "HTMLPart", "TextPart" or "TemplateID" must be provided.'
        yield Flaw("send-0003", text, "HTMLPart")
    yield from _headers(message.get("Headers") or {})
    for name in ("Attachments", "InlinedAttachments"):
        yield from _attachments(message.get(name) or [], name)
    for name in ("TrackOpens", "TrackClicks"):
        if message.get(name, "account_default") not in TRACKING:
            yield Flaw("mj-0006", f'"{name}" is no known way of tracking.', name)


def _types(message: Mapping[str, Any]) -> Iterator[Flaw]:
    for name in ("Subject", "TextPart", "HTMLPart", "CustomID"):
        if not isinstance(message.get(name) or "", str):
            yield Flaw("mj-0004", 'Type mismatch. Expected type "string".', name)
    for name in (*_PEOPLE, "Attachments", "InlinedAttachments"):
        found = message.get(name) or []
        if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
            yield Flaw("mj-0004", 'Type mismatch. Expected type "array".', name)
    for name in ("From", "ReplyTo", "Headers"):
        if not isinstance(message.get(name) or {}, dict):
            yield Flaw("mj-0004", 'Type mismatch. Expected type "object".', name)


def _sender(message: Mapping[str, Any], verified: Container[str] | None) -> Iterator[Flaw]:
    address = str((message.get("From") or {}).get("Email"))
    if not is_address(address):
        yield Flaw("mj-0013", f'"{address}" is an invalid email address.', "From.Email")
    elif verified is not None and address.rpartition("@")[2] not in verified:
        text = f'"{address}" is not an authorized sender email address for your account.'
        yield Flaw("send-0008", text, "From", 403)


def _recipients(message: Mapping[str, Any], seed: int) -> Iterator[Flaw]:
    if not message.get("To"):
        yield Flaw("mj-0003", 'The parameter "To" is mandatory.', "To")
    for name in _PEOPLE:
        for number, each in enumerate(message.get(name) or []):
            address = each.get("Email")
            if not is_address(address) or refused_among([address], seed):
                text = f'"{address}" is an invalid email address.'
                yield Flaw("mj-0013", text, f"{name}[{number}].Email")


def _headers(headers: Mapping[str, Any]) -> Iterator[Flaw]:
    for name, value in headers.items():
        if name.lower() in _FORBIDDEN or name.lower().startswith(("x-mj-", "x-mailjet-")):
            yield Flaw("send-0011", f'The header "{name}" is forbidden.', "Headers")
        if not isinstance(value, str) or "\n" in value:
            yield Flaw("mj-0004", 'Type mismatch. Expected type "string".', f"Headers.{name}")


def _attachments(attachments: list[dict[str, Any]], where: str) -> Iterator[Flaw]:
    for number, each in enumerate(attachments):
        for name in ("ContentType", "Filename", "Base64Content"):
            if not isinstance(each.get(name), str) or not each[name]:
                text = f'The parameter "{name}" is mandatory.'
                yield Flaw("mj-0003", text, f"{where}[{number}].{name}")
        try:
            b64decode(each.get("Base64Content") or "", validate=True)
        except (NotBase64, ValueError, TypeError):
            yield Flaw("mj-0007", "The content is not base64.", f"{where}[{number}].Base64Content")
