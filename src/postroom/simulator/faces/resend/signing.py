"""How the vendor's webhooks are signed: Svix, HMAC-SHA256 over id, stamp and body.

resend.com/docs/webhooks/verify-webhooks-requests and docs.svix.com/receiving/verifying-payloads/
how-manual, read 2026-11-24.
"""

import hmac
from base64 import b64decode, b64encode
from hashlib import sha256

ID, STAMP, SIGNATURE = "svix-id", "svix-timestamp", "svix-signature"
_PREFIX = "whsec_"


def message_id(text: str) -> str:
    """An id of the vendor's form, always the same for one text."""
    return f"msg_{sha256(text.encode()).hexdigest()[:27]}"


class Signer:
    """Signs with one secret."""

    def __init__(self, secret: str) -> None:
        """Raises ValueError for a secret that is none."""
        if not secret.startswith(_PREFIX):
            raise ValueError("webhook_secret begins with whsec_")
        self._key = b64decode(secret.removeprefix(_PREFIX), validate=True)

    def headers(self, id: str, at: float, body: bytes) -> dict[str, str]:
        """The three headers that prove this body."""
        stamp = str(int(at))
        signed = f"{id}.{stamp}.".encode() + body
        signature = b64encode(hmac.digest(self._key, signed, "sha256")).decode()
        return {ID: id, STAMP: stamp, SIGNATURE: f"v1,{signature}"}
