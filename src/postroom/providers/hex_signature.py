"""Signatures over the bytes of a notification alone: HMAC-SHA256 in hex, RFC 2104.

Without a stamp under the signature an old notification can be posted again by whoever has seen
it. That only tells the same facts once more.
"""

import hmac
from collections.abc import Mapping

from postroom.providers.base import Account, NotAuthentic

KEY_SETTINGS = ("webhook_secret", "webhook_secret_previous")
"""The webhook's signing secret, and the one before while a rotation goes on."""


def signs(secret: str, signature: str, body: bytes) -> bool:
    """Whether this is the signature of the body under the secret."""
    proof = hmac.new(secret.encode(), body, "sha256").hexdigest()
    given = signature.strip().lower().encode("utf-8", "replace")
    return hmac.compare_digest(proof.encode(), given)


def verify(account: Account, headers: Mapping[str, str], body: bytes, name: str) -> None:
    """Nothing; raises NotAuthentic, also for an account without a secret.

    `name` is the header's, in lower case.
    """
    secrets = [account.settings[key] for key in KEY_SETTINGS if account.settings.get(key)]
    if not secrets:
        raise NotAuthentic("the account has no webhook_secret to verify with")
    signature = headers.get(name, "")
    if not any(signs(secret, signature, body) for secret in secrets):
        raise NotAuthentic("the signature is missing or does not belong to this body")
