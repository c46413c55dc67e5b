"""What the vendor refuses in a transmission, with its error code.

developers.sparkpost.com/api/transmissions, .../api/recipient-lists and support.sparkpost.com,
"Extended Error Codes", read 2026-11-24. Texts are the vendor's where its pages show them; where
they show only the rule, the text states the rule.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Container, Iterator, Mapping, Sequence
from email.utils import parseaddr
from typing import Any, NamedTuple

from postroom.simulator.addresses import is_address, refused_among

METADATA_BYTES_MAX = 1000
CONTENT_BYTES_MAX = 20 * 1024 * 1024
NAME_BYTES_MAX = 255
_FORBIDDEN = frozenset({"subject", "from", "to", "reply-to", "content-type",
                        "content-transfer-encoding"})  # fmt: skip


class Flaw(NamedTuple):
    """Why a transmission is not taken, or a recipient is not."""

    code: str
    message: str
    description: str = ""
    status: int = 422

    def told(self) -> dict[str, str]:
        """As the vendor writes it."""
        words = {"message": self.message, "description": self.description, "code": self.code}
        return {name: text for name, text in words.items() if text}


def missing(description: str) -> Flaw:
    """A field that must be there."""
    return Flaw("1400", "required field is missing", description)


def wrong(description: str) -> Flaw:
    """A field of another form."""
    return Flaw("1300", "invalid data format/type", description)


def address_of(recipient: Mapping[str, Any]) -> Mapping[str, Any]:
    """The recipient's address object, also where it is a text."""
    address = recipient.get("address")
    if isinstance(address, str):
        name, email = parseaddr(address)
        return {"email": email, "name": name}
    return address if isinstance(address, Mapping) else {}


def sender_of(content: Mapping[str, Any]) -> str:
    """The address that the content comes from."""
    sender = content.get("from")
    if isinstance(sender, Mapping):
        return str(sender.get("email") or "")
    return parseaddr(str(sender or ""))[1]


def recipient_flaw(recipient: object, seed: int) -> Flaw | None:
    """What is wrong with one recipient; the vendor's texts do not say whose address it is."""
    if not isinstance(recipient, Mapping):
        return wrong("each recipient must be an object")
    email = address_of(recipient).get("email")
    if not email:
        return missing("address.email is required for each recipient")
    if not is_address(email) or refused_among([email], seed):
        return wrong("address.email must be a valid email address")
    return None


def content_flaws(content: object, verified: Container[str] | None) -> Iterator[Flaw]:
    """All that is wrong with the content, or with the mail that stands in its place."""
    if not isinstance(content, Mapping) or not content:
        yield missing("content object or template_id required")
        return
    if "email_rfc822" in content:
        if not isinstance(content["email_rfc822"], str) or len(content) > 1:
            yield Flaw("1301", "Invalid combination of fields", "email_rfc822 stands alone")
        return
    yield from _texts(content)
    yield from _headers(content.get("headers") or {})
    for name in ("attachments", "inline_images"):
        yield from _files(content.get(name) or [], name)
    yield from domain_flaws(sender_of(content), verified)


def domain_flaws(sender: str, verified: Container[str] | None) -> Iterator[Flaw]:
    """Whether the account may send from this address."""
    domain = sender.rpartition("@")[2]
    if not is_address(sender) or (verified is not None and domain not in verified):
        yield Flaw("7001", "Invalid domain", "Unconfigured or unverified sending domain.", 400)


def _texts(content: Mapping[str, Any]) -> Iterator[Flaw]:
    for name in ("subject", "text", "html"):
        if not isinstance(content.get(name) or "", str):
            yield wrong(f"{name} must be a string")
    if not content.get("from"):
        yield missing("content.from is required")
    if "subject" not in content:
        yield missing("content.subject is required")
    if not content.get("text") and not content.get("html"):
        yield missing("At least one of text or html needs to exist in content")


def _headers(headers: object) -> Iterator[Flaw]:
    if not isinstance(headers, Mapping):
        yield wrong("headers must be an object")
        return
    for name, value in headers.items():
        if name.lower() in _FORBIDDEN or not isinstance(value, str) or "\n" in value:
            yield Flaw("3002", "Invalid header", f"header {name} is not allowed")


def _files(files: object, where: str) -> Iterator[Flaw]:
    for each in files if isinstance(files, Sequence) else []:
        told = each if isinstance(each, Mapping) else {}
        for name in ("name", "type", "data"):
            if not isinstance(told.get(name), str) or not told[name]:
                yield missing(f"{where}.{name} is required")
        if len(str(told.get("name")).encode()) > NAME_BYTES_MAX:
            yield wrong(f"{where}.name is longer than 255 bytes")
        try:
            b64decode(str(told.get("data") or ""), validate=True)
        except (NotBase64, ValueError):
            yield wrong(f"{where}.data must be base64")
