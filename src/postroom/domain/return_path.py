"""Return paths that prove themselves: `b-<token>@<domain>`, one for each hand-over (VERP).

The token is base32 of: one byte that names the key, the hand-over id, and the first ten bytes of
their HMAC-SHA256. A bounce that comes to such an address speaks of this hand-over and can only
come from somebody who got the mail, or carried it. Keys are given by the caller; when the secret
changes, the keys of earlier ones still verify.
"""

import base64
import binascii
import hmac
from collections.abc import Iterable
from hashlib import sha256
from uuid import UUID

PREFIX = "b-"
_PROOF_BYTES = 10
"""80 bits: a guess costs an SMTP command, and five wrong ones end the session."""
_TOKEN_BYTES = 1 + 16 + _PROOF_BYTES


def key_of(secret: str) -> bytes:
    """The key that is made of an installation's secret for this use alone."""
    return hmac.digest(secret.encode(), b"postroom return path", "sha256")


def address(handover_id: UUID, domain: str, key: bytes) -> str:
    """The return path of a hand-over: 46 characters before the @, of 64 that RFC 5321 allows."""
    said = _key_name(key) + handover_id.bytes
    token = base64.b32encode(said + _proof(said, key)).decode().rstrip("=").lower()
    return f"{PREFIX}{token}@{domain}"


def handover_of(local_part: str, keys: Iterable[bytes]) -> UUID | None:
    """The hand-over that a return path names; None for what none of these keys has made.

    Servers on the way may have changed the case of the letters.
    """
    decoded = _decoded(local_part.lower())
    if decoded is None:
        return None
    said, proof = decoded[:-_PROOF_BYTES], decoded[-_PROOF_BYTES:]
    for key in keys:
        if said[:1] == _key_name(key) and hmac.compare_digest(proof, _proof(said, key)):
            return UUID(bytes=said[1:])
    return None


def _decoded(local_part: str) -> bytes | None:
    token = local_part.removeprefix(PREFIX)
    if token == local_part or not token.isascii():
        return None
    try:
        decoded = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except binascii.Error:
        return None
    return decoded if len(decoded) == _TOKEN_BYTES else None


def _key_name(key: bytes) -> bytes:
    return sha256(b"name of " + key).digest()[:1]


def _proof(said: bytes, key: bytes) -> bytes:
    return hmac.digest(key, said, "sha256")[:_PROOF_BYTES]
