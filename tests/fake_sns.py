"""Amazon SNS's side for tests: a topic with a signing key, its certificate, and envelopes."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from postroom.providers.base import Account
from postroom.providers.ses.sns import SIGNED_FIELDS

NOW = datetime(2026, 11, 24, 8, 20, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:postroom"
URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0123456789abcdef.pem"
VISIT = "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=y"


@dataclass
class Amazon:
    """A topic's side."""

    key: Any = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    name: str = "sns.amazonaws.com"
    now: datetime = NOW
    days_left: int = 90
    asked: list[str] = field(default_factory=list)
    """Where its certificate was looked for."""

    def certificate(self, _account: Account, url: str) -> bytes:
        """Its certificate as PEM, at whatever address."""
        self.asked.append(url)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, self.name)])
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.key.public_key())
            .serial_number(1)
            .not_valid_before(self.now - timedelta(days=9))
            .not_valid_after(self.now + timedelta(days=self.days_left))
            .sign(self.key, SHA256())
        )
        return made.public_bytes(Encoding.PEM)

    def signed(self, **changes: Any) -> dict[str, Any]:
        """An envelope, signed after these changes."""
        envelope: dict[str, Any] = {
            "Type": "Notification",
            "MessageId": "7f3c",
            "TopicArn": TOPIC,
            "Message": '{"eventType":"Send"}',
            "Timestamp": self.now.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": "1",
            "SigningCertURL": URL,
        } | changes
        lines = [
            f"{name}\n{envelope[name]}\n"
            for name in SIGNED_FIELDS[envelope["Type"]]
            if name in envelope
        ]
        old = envelope["SignatureVersion"] == "1"
        digest = SHA1() if old else SHA256()  # noqa: S303 - what version 1 is
        signature = self.key.sign("".join(lines).encode(), PKCS1v15(), digest)
        return envelope | {"Signature": base64.b64encode(signature).decode()}
