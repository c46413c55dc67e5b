"""Return paths that prove themselves: `b-<token>@<domain>`, one for each hand-over (VERP).

The token is base32 of the hand-over id with its proof (`domain/proof.py`). A bounce that comes to
such an address speaks of this hand-over and can only come from somebody who got the mail, or
carried it. Keys are given by the caller.
"""

import base64
import binascii
from collections.abc import Iterable
from uuid import UUID

from postroom.domain import proof

PREFIX = "b-"
_TOKEN_BYTES = 16 + proof.OVERHEAD_BYTES


def key_of(secret: str) -> bytes:
    """The key that is made of an installation's secret for this use alone."""
    return proof.key_of(secret, "return path")


def address(handover_id: UUID, domain: str, key: bytes) -> str:
    """The return path of a hand-over: 46 characters before the @, of 64 that RFC 5321 allows."""
    token = base64.b32encode(proof.proved(handover_id.bytes, key)).decode().rstrip("=").lower()
    return f"{PREFIX}{token}@{domain}"


def handover_of(local_part: str, keys: Iterable[bytes]) -> UUID | None:
    """The hand-over that a return path names; None for what none of these keys has made.

    Servers on the way may have changed the case of the letters.
    """
    decoded = _decoded(local_part.lower())
    said = None if decoded is None else proof.said_in(decoded, keys)
    return None if said is None else UUID(bytes=said)


def _decoded(local_part: str) -> bytes | None:
    token = local_part.removeprefix(PREFIX)
    if token == local_part or not token.isascii():
        return None
    try:
        decoded = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except binascii.Error:
        return None
    return decoded if len(decoded) == _TOKEN_BYTES else None
