"""How Postal's webhooks are proved: signed with RSA, PKCS #1 v1.5, over the bytes of the body.

https://docs.postalserver.io/developer/webhooks, "Verifying signatures", read 2026-11-24. Older
servers sign over SHA-1 only, in a header of its own; it is looked at where the newer is missing.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_der_public_key

from postroom.providers.base import Account, NotAuthentic

KEY_SETTINGS = ("webhook_public_key", "webhook_public_key_previous")
"""The server's key: as PEM, as the base64 inside it, or as its JSON Web Key."""

_SCHEMES: tuple[tuple[str, hashes.HashAlgorithm], ...] = (
    ("x-postal-signature-256", hashes.SHA256()),
    ("x-postal-signature", hashes.SHA1()),  # noqa: S303 - the only one of servers before 3.2
)
_KEY_BITS_MIN = 1024


def verify(account: Account, headers: Mapping[str, str], body: bytes) -> None:
    """Nothing; raises NotAuthentic, also for an account without a key: Postal signs."""
    keys = [account.settings[name] for name in KEY_SETTINGS if account.settings.get(name)]
    if not keys:
        raise NotAuthentic("the account has no webhook_public_key to verify with")
    for name, algorithm in _SCHEMES:
        if name in headers:
            signature = _signature(headers[name])
            if not any(_signs(key, signature, body, algorithm) for key in keys):
                raise NotAuthentic("the signature does not belong to this body")
            return
    raise NotAuthentic("the signature is missing")


def _signature(text: str) -> bytes:
    try:
        # Postal breaks the base64 into lines, which stand as blanks in the header.
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAuthentic("the signature is no base64") from error


def _signs(key: str, signature: bytes, body: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    try:
        _public_key(key).verify(signature, body, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=64)
def _public_key(text: str) -> rsa.RSAPublicKey:
    """The key of a setting; NotAuthentic, without the text, when it is none."""
    try:
        key = _from_jwk(json.loads(text)) if text.lstrip().startswith("{") else _from_pem(text)
    except (ValueError, TypeError, LookupError, UnsupportedAlgorithm, RecursionError) as error:
        raise NotAuthentic("the account's webhook_public_key is no public key") from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < _KEY_BITS_MIN:
        raise NotAuthentic("the account's webhook_public_key is no RSA key")
    return key


def _from_pem(text: str) -> object:
    lines = (line for line in text.split("\n") if not line.startswith("-----"))
    return load_der_public_key(base64.b64decode("".join("".join(lines).split()), validate=True))


def _from_jwk(given: Any) -> object:
    """A key of RFC 7517, or the first of a set of them."""
    key = given["keys"][0] if "keys" in given else given
    modulus, exponent = (
        int.from_bytes(base64.urlsafe_b64decode(str(key[name]) + "==")) for name in ("n", "e")
    )
    return rsa.RSAPublicNumbers(exponent, modulus).public_key()
