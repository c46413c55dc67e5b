"""A SendGrid account with a signing key of its own, and notifications it would sign."""

import base64
import json
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.http import HttpResponse
from django.test import Client

from postroom.ledger import accounts


@dataclass(frozen=True)
class Teller:
    """The provider's side of one account's webhook."""

    account: str
    secret: str
    key: ec.EllipticCurvePrivateKey

    def tell(self, *events: dict[str, Any], **changes: Any) -> HttpResponse:
        return self.post(json.dumps(list(events)).encode(), **changes)

    def post(self, body: bytes, **changes: Any) -> HttpResponse:
        stamp = str(changes.get("stamp", int(time.time())))
        signature = changes.get("signature", self.sign(stamp, body))
        account, secret = changes.get("account", self.account), changes.get("secret", self.secret)
        answer: Any = Client(raise_request_exception=False).post(
            f"/feedback/{account}/{secret}",
            data=changes.get("sent", body),
            content_type="application/json",
            headers={
                "X-Twilio-Email-Event-Webhook-Signature": signature,
                "X-Twilio-Email-Event-Webhook-Timestamp": stamp,
                "Authorization": "Basic c2VjcmV0",
            },
        )
        return answer  # type: ignore[no-any-return]

    def sign(self, stamp: str, body: bytes) -> str:
        signed = self.key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return base64.b64encode(signed).decode()


def teller(account: str = "simulator") -> Teller:
    """A new account; its webhook believes only this teller."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    settings = {"api_key": "x", "webhook_public_key": base64.b64encode(public).decode()}
    return Teller(account, accounts.add(account, "sendgrid", True, settings), key)


def told(handover_id: UUID, event: str = "delivered", **changes: Any) -> dict[str, Any]:
    described: dict[str, Any] = {
        "email": "ann@example.com",
        "timestamp": 1_790_000_000,
        "event": event,
        "sg_event_id": "one",
        "sg_message_id": "id.recvd-1",
        "postroom_handover": str(handover_id),
    }
    return described | changes
