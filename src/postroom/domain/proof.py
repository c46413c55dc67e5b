"""Proofs that only this installation can make: for what leaves the house and comes back to it.

A proof is the first ten bytes of an HMAC-SHA256. Each use has a key of its own, made of the
installation's secret; what is proved carries one byte that names its key. When the secret changes,
the keys of earlier ones still verify.
"""

import hmac
from collections.abc import Iterable
from functools import cache
from hashlib import sha256

PROOF_BYTES = 10
"""80 bits: a guess costs a request or an SMTP command, and there is nothing to try them on."""
OVERHEAD_BYTES = 1 + PROOF_BYTES
"""What is proved is so much longer than what was said."""


def key_of(secret: str, use: str) -> bytes:
    """The key that is made of an installation's secret for this use alone."""
    return hmac.digest(secret.encode(), f"postroom {use}".encode(), "sha256")


def proved(said: bytes, key: bytes, about: bytes = b"") -> bytes:
    """What is said, between the name of the key and the proof.

    The proof also covers `about`, which whoever reads it must know already; its length is always
    the same for one use.
    """
    named = _name(key) + said
    return named + _proof(named + about, key)


def said_in(token: bytes, keys: Iterable[bytes], about: bytes = b"") -> bytes | None:
    """What was said; None for what none of these keys has proved about this."""
    named, proof = token[:-PROOF_BYTES], token[-PROOF_BYTES:]
    for key in keys:
        if named[:1] == _name(key) and hmac.compare_digest(proof, _proof(named + about, key)):
            return named[1:]
    return None


@cache
def _name(key: bytes) -> bytes:
    return sha256(b"name of " + key).digest()[:1]


def _proof(covered: bytes, key: bytes) -> bytes:
    return hmac.digest(key, covered, "sha256")[:PROOF_BYTES]
