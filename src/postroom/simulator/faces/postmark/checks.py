"""What the vendor refuses in a mail, with its error code.

postmarkapp.com/developer/api/email-api and /developer/api/overview (error codes), read
2026-11-24. Messages are the vendor's where its pages or published answers show them; where they
show only the rule, the message states the rule.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Container, Iterator, Mapping, Sequence
from email.utils import getaddresses
from typing import Any, NamedTuple

from postroom.simulator.addresses import is_address, refused_among, suppressed_among

RECIPIENTS_MAX = 50
MAIL_BYTES_MAX = 10 * 1024 * 1024
BODY_BYTES_MAX = 5 * 1024 * 1024
METADATA_MAX = 10
METADATA_KEY_MAX = 20
METADATA_VALUE_MAX = 80
TAG_MAX = 1000
TRACK_LINKS = frozenset({"None", "HtmlAndText", "HtmlOnly", "TextOnly"})

INVALID, UNKNOWN_SENDER, INCOMPATIBLE, INACTIVE, NO_STREAM = 300, 400, 403, 406, 1235


class Flaw(NamedTuple):
    """Why a mail is not taken."""

    code: int
    message: str


def addresses_in(mail: Mapping[str, Any], name: str) -> list[str]:
    """The addr-specs of To, Cc or Bcc; strings that are none stay as they are."""
    text = mail.get(name) or ""
    return [address for _, address in getaddresses([text]) if address]


def recipients_of(mail: Mapping[str, Any]) -> list[str]:
    """Everybody that the mail goes to."""
    return [each for name in ("To", "Cc", "Bcc") for each in addresses_in(mail, name)]


def first_flaw(
    mail: object, verified_domains: Container[str] | None, streams: Container[str], seed: int
) -> Flaw | None:
    """The first thing wrong with the mail; the vendor names only one."""
    if not isinstance(mail, dict):
        return Flaw(INCOMPATIBLE, "Received incompatible JSON: a mail is an object.")
    return next(_flaws(mail, verified_domains, streams, seed), None)


def _flaws(
    mail: Mapping[str, Any],
    verified_domains: Container[str] | None,
    streams: Container[str],
    seed: int,
) -> Iterator[Flaw]:
    yield from _types(mail)
    yield from _sender(mail, verified_domains)
    yield from _recipients(mail, seed)
    if not mail.get("HtmlBody") and not mail.get("TextBody"):
        yield Flaw(INVALID, "Provide either email TextBody or HtmlBody or both.")
    for name in ("HtmlBody", "TextBody"):
        if len((mail.get(name) or "").encode(errors="surrogatepass")) > BODY_BYTES_MAX:
            yield Flaw(INVALID, f"The length of {name} must be within 5242880 characters.")
    if len(mail.get("Tag") or "") > TAG_MAX:
        yield Flaw(INVALID, "The length of Tag must be within 1000 characters.")
    yield from _metadata(mail.get("Metadata") or {})
    yield from _headers(mail.get("Headers") or [])
    yield from _attachments(mail.get("Attachments") or [])
    if (mail.get("TrackLinks") or "None") not in TRACK_LINKS:
        yield Flaw(INVALID, "TrackLinks is None, HtmlAndText, HtmlOnly or TextOnly.")
    if (mail.get("MessageStream") or "outbound") not in streams:
        yield Flaw(NO_STREAM, "The 'MessageStream' provided does not exist on this server.")


_TEXTS = ("From", "To", "Cc", "Bcc", "Subject", "Tag", "HtmlBody", "TextBody", "ReplyTo",
          "TrackLinks", "MessageStream")  # fmt: skip
_KINDS: dict[str, type] = {
    **dict.fromkeys(_TEXTS, str),
    "TrackOpens": bool,
    "Metadata": dict,
    "Headers": list,
    "Attachments": list,
}


def _types(mail: Mapping[str, Any]) -> Iterator[Flaw]:
    for name, kind in _KINDS.items():
        if not isinstance(mail.get(name), kind | None):
            yield Flaw(INCOMPATIBLE, f"Received incompatible JSON: {name} has another type.")


def _sender(mail: Mapping[str, Any], verified_domains: Container[str] | None) -> Iterator[Flaw]:
    found = addresses_in(mail, "From")
    if len(found) != 1 or not is_address(found[0]):
        yield Flaw(INVALID, f"Invalid 'From' address: '{mail.get('From') or ''}'.")
    elif verified_domains is not None and found[0].rpartition("@")[2] not in verified_domains:
        yield Flaw(
            UNKNOWN_SENDER,
            f"The 'From' address you supplied ({found[0]}) is not a Sender Signature on your"
            " account. Please add and confirm this address in order to be able to use it in the"
            " 'From' field of your requests.",
        )


def _recipients(mail: Mapping[str, Any], seed: int) -> Iterator[Flaw]:
    for name in ("To", "Cc", "Bcc"):
        found = addresses_in(mail, name)
        wrong = [each for each in found if not is_address(each)] + refused_among(found, seed)
        if wrong:
            yield Flaw(INVALID, f"Invalid '{name}' address: '{wrong[0]}'.")
    everybody = recipients_of(mail)
    if not addresses_in(mail, "To"):
        yield Flaw(INVALID, "Zero recipients specified")
    if len(everybody) > RECIPIENTS_MAX:
        yield Flaw(INVALID, "A message has at most 50 recipients.")
    inactive = suppressed_among(everybody, seed)
    if inactive and len(inactive) == len(everybody):
        yield Flaw(INACTIVE, inactive_message(inactive))


def inactive_message(addresses: Sequence[str]) -> str:
    """Why none of these gets anything."""
    return (
        "You tried to send to recipient(s) that have been marked as inactive. Found inactive"
        f" addresses: {', '.join(addresses)}. Inactive recipients are ones that have generated a"
        " hard bounce, a spam complaint, or a manual suppression."
    )


def _metadata(metadata: Mapping[str, Any]) -> Iterator[Flaw]:
    if len(metadata) > METADATA_MAX:
        yield Flaw(INVALID, "A message has at most 10 metadata fields.")
    for key, value in metadata.items():
        if not isinstance(value, str):
            yield Flaw(INCOMPATIBLE, "Received incompatible JSON: metadata values are strings.")
        elif len(key) > METADATA_KEY_MAX or len(value) > METADATA_VALUE_MAX:
            yield Flaw(INVALID, f"Metadata field '{key}' is longer than 20 or 80 characters.")


def _headers(headers: Sequence[object]) -> Iterator[Flaw]:
    for header in headers:
        texts = (
            [header.get("Name"), header.get("Value")] if isinstance(header, dict) else [None, None]
        )
        if not all(isinstance(text, str) for text in texts):
            yield Flaw(INCOMPATIBLE, "Received incompatible JSON: a header has Name and Value.")
        elif any(mark in str(text) for text in texts for mark in "\r\n"):
            yield Flaw(INVALID, f"Header '{texts[0]}' holds a line end.")


def _attachments(attachments: Sequence[object]) -> Iterator[Flaw]:
    for each in attachments:
        if not isinstance(each, dict) or not each.get("Name") or not each.get("ContentType"):
            yield Flaw(INVALID, "An attachment has Name, Content and ContentType.")
            continue
        try:
            b64decode(each.get("Content") or "", validate=True)
        except (NotBase64, ValueError, TypeError):
            yield Flaw(INVALID, f"The content of attachment '{each['Name']}' is not base64.")
