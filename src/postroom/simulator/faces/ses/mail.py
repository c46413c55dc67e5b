"""From a `SendEmail` call to one copy per recipient."""

import base64
import binascii
import re
import secrets
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from postroom.simulator.addresses import Fate, decide, is_address
from postroom.simulator.copies import HANDOVER_KEY, Copy
from postroom.simulator.faces.ses.sets import Sets
from postroom.simulator.faces.ses.simple import build
from postroom.simulator.links import first_link
from postroom.simulator.smtp_mail import addresses
from postroom.simulator.truth import digest_of_mail

RECIPIENTS_MAX = 50
MAIL_BYTES_MAX = 40_000_000
"""After base64."""
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_SEPARATOR = re.compile(rb"\r?\n\r?\n")
"""Of headers and body: mails with bare line feeds are taken too."""
_ADDRESS_LISTS = ("ToAddresses", "CcAddresses", "BccAddresses")


class RefusedError(Exception):
    """The call is refused; `name` is the vendor's error, the text its message."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


@dataclass(frozen=True, slots=True)
class Account:
    """What the account may do, and how its mail fares."""

    face: str
    region: str
    sets: Sets
    verified_domains: tuple[str, ...] | None
    seed: int
    silent_share: float


def new_message_id() -> str:
    """As the vendor's: the time, an id, and a suffix."""
    return f"0100{int(time.time() * 1000):012x}-{uuid.UUID(bytes=secrets.token_bytes(16))}-000000"


def copies(account: Account, call: Mapping[str, Any], message_id: str) -> list[Copy]:
    """One for each recipient; raises RefusedError for a call that the vendor would refuse."""
    data = _raw(call)
    headers = message_from_bytes(_SEPARATOR.split(data, 1)[0], policy=policy.default)
    recipients = _recipients(call, headers)
    tags, set_name = _tags(call), call.get("ConfigurationSetName")
    if not account.sets.has(set_name):
        raise RefusedError("NotFoundException", f"Configuration set <{set_name}> does not exist.")
    sender = str(call.get("FromEmailAddress") or next(iter(addresses(headers, "From")), ""))
    _check(account, sender, recipients)
    now, tracks = time.time(), account.sets.tracks(set_name)
    shared: dict[str, Any] = {
        "face": account.face,
        "message_id": message_id,
        "door": "http",
        "sender": sender,
        "to": addresses(headers, "To"),
        "cc": addresses(headers, "Cc"),
        "digest": digest_of_mail(data),
        "header_message_id": f"<{message_id}@{account.region}.amazonses.com>",
        "taken_at": now,
        "starts_at": now,
        "seed": account.seed,
        "silent_share": account.silent_share,
        "handover": tags.get(HANDOVER_KEY),
        "metadata": tags,
        "more": {"configuration_set": set_name} if set_name else {},
        "url": first_link([data.decode(errors="replace")]),
        "track_opens": tracks,
        "track_clicks": tracks,
    }
    return [Copy(number=n, recipient=to, **shared) for n, to in enumerate(recipients)]


def _raw(call: Mapping[str, Any]) -> bytes:
    content = call.get("Content")
    given = content if isinstance(content, dict) else {}
    if isinstance(given.get("Simple"), dict):
        return build(str(call["FromEmailAddress"]), call.get("Destination") or {}, given["Simple"])
    raw = given.get("Raw")
    written = raw.get("Data") if isinstance(raw, dict) else None
    if not isinstance(written, str):
        raise RefusedError("BadRequestException", "This simulator takes no templates.")
    if len(written) > MAIL_BYTES_MAX:
        raise RefusedError("BadRequestException", "Message length is more than 41943040 bytes long")
    try:
        data = base64.b64decode(written, validate=True)
    except binascii.Error as error:
        raise RefusedError("SerializationException", "Data is no base64") from error
    if not _SEPARATOR.search(data):
        raise RefusedError("BadRequestException", "Missing body separator in raw message")
    return data


def _recipients(call: Mapping[str, Any], headers: EmailMessage) -> list[str]:
    """Those of the call, or those that the mail itself names."""
    destination = call.get("Destination")
    lists = destination if isinstance(destination, dict) else {}
    found = [address for name in _ADDRESS_LISTS for address in lists.get(name) or ()]
    found = found or [one for name in ("To", "Cc", "Bcc") for one in addresses(headers, name)]
    if not found:
        raise RefusedError("BadRequestException", "Missing required header 'To'.")
    if len(found) > RECIPIENTS_MAX:
        raise RefusedError("BadRequestException", f"Recipient count exceeds {RECIPIENTS_MAX}.")
    return [str(address) for address in found]


def _tags(call: Mapping[str, Any]) -> dict[str, str]:
    tags = {str(tag["Name"]): str(tag["Value"]) for tag in call.get("EmailTags") or ()}
    for word in (*tags, *tags.values()):
        if not _TAG.fullmatch(word):
            raise RefusedError("BadRequestException", f"Invalid tag name or value: <{word}>")
    return tags


def _check(account: Account, sender: str, recipients: Sequence[str]) -> None:
    allowed = account.verified_domains
    if allowed is not None and sender.rpartition("@")[2].lower() not in allowed:
        region = account.region.upper()
        raise RefusedError(
            "MessageRejected",
            "Email address is not verified. The following identities failed the check in region"
            f" {region}: {sender}",
        )
    for address in recipients:
        if not address.isascii():
            text = "Local address contains control or whitespace"
            raise RefusedError("BadRequestException", text)
        if not is_address(address):
            raise RefusedError("BadRequestException", "Missing final '@domain'")
        if decide(address, account.seed).fate is Fate.REFUSE:
            raise RefusedError("BadRequestException", f"Illegal address <{address}>")
