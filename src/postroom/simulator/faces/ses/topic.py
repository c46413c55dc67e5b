"""The account's SNS topic: its envelope, its signature, and the certificate that proves it.

docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html and sns-message-and-json-
formats.html, read 2026-11-24.
"""

import base64
import datetime as dt
import json
import uuid
from dataclasses import dataclass, field
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

CERTIFICATE = "SimpleNotificationService-simulator.pem"
_SIGNED = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_NAMES = uuid.UUID("5b1f0d7a-8a55-4b8e-9d0c-2f6f1a3c7e11")
"""Makes the id of a notification out of what it says: the same after a restart."""


def new_key() -> str:
    """A signing key as PEM."""
    made = generate_private_key(65537, 2048)
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@dataclass(frozen=True, slots=True)
class Topic:
    """Signs what it tells."""

    key: RSAPrivateKey = field(repr=False)
    arn: str
    endpoint: str
    version: str

    @classmethod
    def of(cls, pem: str, arn: str, endpoint: str, version: str) -> Self:
        """The topic of a key; raises ValueError when it is none."""
        key = load_pem_private_key(pem.encode(), None)
        if not isinstance(key, RSAPrivateKey):
            raise ValueError("the signing key is no RSA key")
        return cls(key, arn, endpoint.rstrip("/"), version)

    def envelope(self, message: str, at: float) -> dict[str, str]:
        """What is posted, signed."""
        moment = dt.datetime.fromtimestamp(at, dt.UTC)
        told = {
            "Type": "Notification",
            "MessageId": str(uuid.uuid5(_NAMES, message)),
            "TopicArn": self.arn,
            "Subject": "Amazon SES Email Event Notification",
            "Message": message,
            "Timestamp": f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z",
            "SignatureVersion": self.version,
        }
        return {
            **told,
            "Signature": self.signature(told),
            "SigningCertURL": f"{self.endpoint}/{CERTIFICATE}",
            "UnsubscribeURL": f"{self.endpoint}/?Action=Unsubscribe&SubscriptionArn={self.arn}:1",
        }

    def signature(self, told: dict[str, str]) -> str:
        """Over the fields in their order."""
        text = "".join(f"{name}\n{told[name]}\n" for name in _SIGNED)
        old = self.version == "1"
        digest = SHA1() if old else SHA256()  # noqa: S303 - what version 1 is
        return base64.b64encode(self.key.sign(text.encode(), PKCS1v15(), digest)).decode()

    def certificate(self, now: dt.datetime) -> bytes:
        """PEM, under the name that the vendor's has."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=365))
            .sign(self.key, SHA256())
        )
        return made.public_bytes(Encoding.PEM)


def body_of(envelope: dict[str, str]) -> bytes:
    """As the vendor writes it."""
    return json.dumps(envelope, indent=2).encode()
