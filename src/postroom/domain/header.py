"""Header fields that an application may add to a mail, and those that it may not."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from postroom.domain.characters import describe, first_control

_OWN_FIELD = "it has a field of its own in the request"
_OURS = "Postroom writes it"
_STRUCTURE = "it follows from the text, HTML and attachments"
_TRACE = "only the servers that pass the mail on may write it"
_RESENT = "a mail that is sent again is submitted as a new message"
_PROVIDER = "it steers the provider, which is Postroom's task"

RESERVED: dict[str, str] = {
    "from": _OWN_FIELD,
    "to": _OWN_FIELD,
    "cc": _OWN_FIELD,
    "bcc": "each recipient gets a copy of their own, so that nobody is a blind one",
    "subject": _OWN_FIELD,
    "reply-to": _OWN_FIELD,
    "sender": "the From address must be one that the key allows, and it alone is responsible",
    "date": "it is the time of the hand-over; use send_at to send later",
    "message-id": "Postroom gives each mail its own; use References or In-Reply-To for threads",
    "mime-version": _STRUCTURE,
    "return-path": _TRACE,
    "received": _TRACE,
    "received-spf": _TRACE,
    "delivered-to": _TRACE,
    "x-original-to": _TRACE,
    "authentication-results": _TRACE,
    "dkim-signature": "the mail is signed when its last byte is known",
    "domainkey-signature": "the mail is signed when its last byte is known",
    "feedback-id": _OURS,
    "x-smtpapi": _PROVIDER,
    "x-msys-api": _PROVIDER,
    "x-mailin-custom": _PROVIDER,
    "x-mailin-tag": _PROVIDER,
}
"""Lower-case names that an application may not set, each with the reason."""

RESERVED_PREFIXES: dict[str, str] = {
    "content-": _STRUCTURE,
    "resent-": _RESENT,
    "arc-": _TRACE,
    "x-postroom-": _OURS,
    "x-sg-": _PROVIDER,
    "x-ses-": _PROVIDER,
    "x-mailgun-": _PROVIDER,
    "x-pm-": _PROVIDER,
    "x-mj-": _PROVIDER,
    "x-mailjet-": _PROVIDER,
    "x-sib-": _PROVIDER,
    "x-mt-": _PROVIDER,
    "x-mailersend-": _PROVIDER,
    "x-postal-": _PROVIDER,
}
"""Beginnings of lower-case names that an application may not set, each with the reason."""

# RFC 5322 3.6.8: printable ASCII without the colon.
_FIELD_NAME = re.compile(r"[!-9;-~]+")


class HeaderError(ValueError):
    """A header field cannot be carried; the message is a sentence that says why."""


@dataclass(frozen=True, slots=True)
class HeaderLimits:
    """How much an application may add; the settings say where each number comes from."""

    count_max: int
    name_chars_max: int
    value_octets_max: int


def check_headers(fields: Iterable[tuple[str, str]], limits: HeaderLimits) -> None:
    """Nothing; raises HeaderError for the first field that cannot be carried.

    A name may occur once, whatever its case: some providers take header fields as an object.
    """
    seen: set[str] = set()
    for name, value in fields:
        check_header(name, value, limits)
        if name.lower() in seen:
            raise HeaderError(f"The header {name} is given twice.")
        seen.add(name.lower())
        if len(seen) > limits.count_max:
            raise HeaderError(f"There are more than {limits.count_max} headers.")


def check_header(name: str, value: str, limits: HeaderLimits) -> None:
    """Nothing; raises HeaderError when this field cannot be carried."""
    _check_name(name, limits)
    reason = reason_reserved(name)
    if reason is not None:
        raise HeaderError(f"The header {name} cannot be set: {reason}.")
    _check_value(name, value, limits)


def _check_name(name: str, limits: HeaderLimits) -> None:
    if len(name) > limits.name_chars_max:
        raise HeaderError(f"A header name has more than {limits.name_chars_max} characters.")
    if not _FIELD_NAME.fullmatch(name):
        raise HeaderError(
            f"{name!a} is no header name: it takes printable ASCII without space and colon."
        )


def _check_value(name: str, value: str, limits: HeaderLimits) -> None:
    control = first_control(value.replace("\t", " "))
    if control is not None:
        raise HeaderError(f"The header {name} has {describe(control)} in its value.")
    if not value.strip():
        raise HeaderError(f"The header {name} has no value.")
    if len(value.encode()) > limits.value_octets_max:
        raise HeaderError(f"The header {name} has more than {limits.value_octets_max} octets.")


def reason_reserved(name: str) -> str | None:
    """Why an application may not set this header; None when it may."""
    lowered = name.lower()
    if lowered in RESERVED:
        return RESERVED[lowered]
    prefixes = (prefix for prefix in RESERVED_PREFIXES if lowered.startswith(prefix))
    prefix = next(prefixes, None)
    return None if prefix is None else RESERVED_PREFIXES[prefix]
