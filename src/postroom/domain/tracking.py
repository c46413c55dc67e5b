"""Tracking addresses that prove themselves: `/t/c/{recipient}.{target}`.

`target` says what is behind the address (kind, message, URL) and is the same for all recipients of
a message; `recipient` says whose copy it is. The proof of the recipient covers the message too: a
recipient of one message fits no target of another. Nothing of them stands in a database: an address
says all that is needed to follow it.
"""

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from postroom.domain import proof

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")


class Kind(StrEnum):
    """What following an address means; its letter stands in the path."""

    OPEN = "o"
    """The picture was fetched. There is no URL behind it."""
    CLICK = "c"
    """The link was followed."""
    UNSUBSCRIBE = "u"
    """The page was asked for on which mail of this kind can be refused. There is no URL behind
    it."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of both parts, made of one secret of the installation."""

    target: bytes
    recipient: bytes

    @classmethod
    def of(cls, secret: str) -> "Keys":
        """The keys of a secret."""
        return cls(
            proof.key_of(secret, "tracking target"), proof.key_of(secret, "tracking recipient")
        )


@dataclass(frozen=True, slots=True)
class Followed:
    """What an address says."""

    kind: Kind
    message_id: UUID
    handover_id: UUID
    url: str
    """As the link had it; empty behind a picture."""


def target(kind: Kind, message_id: UUID, url: str, keys: Keys) -> str:
    """The part that all recipients of the message share."""
    said = kind.encode() + message_id.bytes + url.encode()
    return _encoded(proof.proved(said, keys.target))


def recipient(message_id: UUID, handover_id: UUID, keys: Keys) -> str:
    """One recipient's own part: 36 letters, digits, hyphens and underscores."""
    return _encoded(proof.proved(handover_id.bytes, keys.recipient, message_id.bytes))


def path(kind: Kind, recipient: str, target: str) -> str:
    """The path that both parts make."""
    return f"/t/{kind}/{recipient}.{target}{'.gif' if kind is Kind.OPEN else ''}"


def read(kind: Kind, token: str, keys: Sequence[Keys]) -> Followed | None:
    """What `recipient.target` says; None for all that these keys have not made for this kind."""
    whose, _, what = token.partition(".")
    said = _said(what, [one.target for one in keys])
    if said is None or said[:1] != kind.encode():
        return None
    message_id = said[1:17]
    handover_id = _said(whose, [one.recipient for one in keys], message_id)
    if handover_id is None:
        return None
    return Followed(kind, UUID(bytes=message_id), UUID(bytes=handover_id), said[17:].decode())


def _said(text: str, keys: Iterable[bytes], about: bytes = b"") -> bytes | None:
    decoded = _decoded(text)
    return None if decoded is None else proof.said_in(decoded, keys, about)


def _encoded(token: bytes) -> str:
    return base64.urlsafe_b64encode(token).decode("ascii").rstrip("=")


def _decoded(text: str) -> bytes | None:
    """The bytes of the one way to write them; None for any other text."""
    if not _BASE64URL.fullmatch(text) or len(text) % 4 == 1:
        return None
    decoded = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return decoded if _encoded(decoded) == text else None
