"""Amazon SNS's envelope: what it says, and the proof that it comes from there.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html and .../sns-message-
and-json-formats.html, read 2026-11-24. The signature covers named fields in a fixed order, not the
bytes; nothing else of the envelope is believed. Its certificate is fetched from Amazon alone.
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate

from postroom.providers import told
from postroom.providers.base import Account, NotAuthentic
from postroom.providers.ses.certificates import Certificates, public_key

NOTIFICATION = "Notification"
SUBSCRIPTION = "SubscriptionConfirmation"
UNSUBSCRIPTION = "UnsubscribeConfirmation"

_CONFIRMED = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
SIGNED_FIELDS: dict[str, tuple[str, ...]] = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIPTION: _CONFIRMED,
    UNSUBSCRIPTION: _CONFIRMED,
}
"""What the signature covers, by the type of the envelope; `Subject` only where it is there."""

_DIGESTS = {"1": SHA1, "2": SHA256}
"""By `SignatureVersion`. Version 1 is what a topic signs with until told otherwise."""

AGE_MAX = timedelta(hours=2)
"""Amazon repeats for 3,600 s at most over HTTPS; an hour more for what waits on the way."""
AHEAD_MAX = timedelta(minutes=10)
"""How far its clock may be ahead of ours."""

_HOST = r"https://sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?"
_CERTIFICATE_URL = re.compile(_HOST + r"/[A-Za-z0-9_-]{1,200}\.pem")
_CONFIRMATION_URL = re.compile(_HOST + r"/\?Action=ConfirmSubscription&[\x21-\x7e]{1,2000}")
_SIMULATED_CERTIFICATE_URL = r"/[A-Za-z0-9_-]{1,200}\.pem"
_SIMULATED_CONFIRMATION_URL = r"/\?Action=ConfirmSubscription&[\x21-\x7e]{1,2000}"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What SNS put around a message."""

    fields: told.Fields

    @property
    def type(self) -> str:
        return self.text("Type")

    def text(self, name: str) -> str:
        """The field; empty when absent or no text."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def signed_text(self) -> bytes:
        """What the signature was made over; raises NotAuthentic for a type that has none."""
        if self.type not in SIGNED_FIELDS:
            raise NotAuthentic("the body is no envelope of Amazon SNS")
        lines = (
            f"{name}\n{self.text(name)}\n"
            for name in SIGNED_FIELDS[self.type]
            if name != "Subject" or isinstance(self.fields.get(name), str)
        )
        return "".join(lines).encode("utf-8", "surrogatepass")


def verify(account: Account, envelope: Envelope, certificates: Certificates, now: datetime) -> None:
    """Nothing; raises NotAuthentic, and CannotTell when the certificate is not to be had."""
    signed_text = envelope.signed_text()
    _check_topic(account.settings, envelope.text("TopicArn"))
    _check_age(envelope.text("Timestamp"), now)
    url = envelope.text("SigningCertURL")
    if not certificate_url(account).fullmatch(url):
        raise NotAuthentic("the certificate is not Amazon's: SigningCertURL leads elsewhere")
    certificate = certificates.get(account, url, now)
    _check_signature(envelope, certificate, signed_text)


def is_envelope(value: object) -> bool:
    """Whether a JSON value is an envelope, signed or not."""
    return isinstance(value, dict) and value.get("Type") in SIGNED_FIELDS


def certificate_url(account: Account) -> re.Pattern[str]:
    """The addresses from which a certificate is fetched."""
    return _pattern(account, _CERTIFICATE_URL, _SIMULATED_CERTIFICATE_URL)


def confirmation_url(account: Account) -> re.Pattern[str]:
    """The addresses that are visited to confirm a subscription."""
    return _pattern(account, _CONFIRMATION_URL, _SIMULATED_CONFIRMATION_URL)


def _pattern(account: Account, amazon: re.Pattern[str], simulated: str) -> re.Pattern[str]:
    """Amazon's hosts; for a simulated account the simulator's alone."""
    own = account.settings.get("sns_endpoint")
    if account.simulated and own:
        return re.compile(re.escape(own.rstrip("/")) + simulated)
    return amazon


def _check_topic(settings: Mapping[str, str], topic: str) -> None:
    expected = re.split(r"[\s,]+", settings.get("topic_arns", "").strip())
    if not any(expected):
        raise NotAuthentic("the account has no topic_arns to expect notifications from")
    if topic not in expected:
        raise NotAuthentic("the topic is none of the account's topic_arns")


def _check_age(stamp: str, now: datetime) -> None:
    told_at = told.iso_time(stamp)
    if told_at is None:
        raise NotAuthentic("the timestamp is missing or no time")
    if now - told_at > AGE_MAX:
        raise NotAuthentic("the timestamp is older than Amazon's repeats can be")
    if told_at - now > AHEAD_MAX:
        raise NotAuthentic("the timestamp lies in the future")


def _check_signature(envelope: Envelope, certificate: Certificate, signed_text: bytes) -> None:
    digest = _DIGESTS.get(envelope.text("SignatureVersion"))
    if digest is None:
        raise NotAuthentic("the signature is of a version that is not known")
    try:
        signature = base64.b64decode(envelope.text("Signature"), validate=True)
        public_key(certificate).verify(signature, signed_text, PKCS1v15(), digest())
    except (binascii.Error, ValueError) as error:
        raise NotAuthentic("the signature is no base64") from error
    except InvalidSignature as error:
        raise NotAuthentic("the signature does not belong to this notification") from error
