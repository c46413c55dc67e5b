"""The signature of the Event Webhook: ECDSA P-256 with SHA-256 over timestamp and body.

twilio.com/docs/sendgrid/for-developers/tracking-events/
getting-started-event-webhook-security-features, read 2026-11-24.
"""

from base64 import b64encode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"


class Signer:
    """Signs webhook bodies with one private key."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key

    @classmethod
    def from_pem(cls, pem: str) -> "Signer":
        """Raises ValueError when the PEM holds no P-256 key."""
        key = load_pem_private_key(pem.encode(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise ValueError("the signing key must be a P-256 private key in PEM")
        return cls(key)

    @classmethod
    def fresh(cls) -> "Signer":
        """A signer with a key that nobody else knows."""
        return cls(ec.generate_private_key(ec.SECP256R1()))

    def headers(self, body: bytes, at: float) -> dict[str, str]:
        """The two headers that prove this body, stamped with `at`."""
        stamp = str(int(at))
        signature = self._key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {TIMESTAMP: stamp, SIGNATURE: b64encode(signature).decode()}

    def public_key(self) -> str:
        """The public key as the vendor shows it: base64 of the DER."""
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return b64encode(der).decode()

    def private_pem(self) -> str:
        """The private key, for a configuration."""
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return pem.decode()
