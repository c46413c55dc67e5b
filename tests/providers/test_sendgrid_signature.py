"""The Event Webhook's signature: one changed byte anywhere and the notification is nobody's."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from postroom.providers.base import Account, NotAuthentic
from postroom.providers.sendgrid import SendGridReceiver

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
BODY = b'[{"event":"delivered","email":"jo@example.com"}]\r\n'
KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"


def shown(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    """The public key as the vendor shows it."""
    der = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(der).decode()


def signed(
    body: bytes = BODY, at: datetime = NOW, key: ec.EllipticCurvePrivateKey = KEY
) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    signature = key.sign(stamp.encode() + body, ec.ECDSA(SHA256()))
    return {SIGNATURE: b64encode(signature).decode(), TIMESTAMP: stamp}


def account(**settings: str) -> Account:
    return Account(1, "sg", "sendgrid", simulated=False, settings=settings)


ACCOUNT = account(webhook_public_key=shown(KEY))


def verify(headers: dict[str, str], body: bytes = BODY, of: Account = ACCOUNT) -> None:
    SendGridReceiver().verify(of, headers, body, NOW)


def test_what_the_provider_signed_is_authentic() -> None:
    verify(signed())


def test_each_changed_byte_of_the_body_is_refused() -> None:
    headers = signed()
    for place in range(len(BODY)):
        changed = bytearray(BODY)
        changed[place] ^= 1
        with pytest.raises(NotAuthentic):
            verify(headers, bytes(changed))


def test_each_changed_byte_of_the_signature_is_refused() -> None:
    headers = signed()
    signature = b64decode(headers[SIGNATURE])
    for place in range(len(signature)):
        changed = bytearray(signature)
        changed[place] ^= 1
        with pytest.raises(NotAuthentic):
            verify(headers | {SIGNATURE: b64encode(bytes(changed)).decode()})


def test_each_changed_digit_of_the_timestamp_is_refused() -> None:
    headers = signed()
    for place, digit in enumerate(headers[TIMESTAMP]):
        stamp = headers[TIMESTAMP]
        changed = stamp[:place] + str((int(digit) + 1) % 10) + stamp[place + 1 :]
        with pytest.raises(NotAuthentic):
            verify(headers | {TIMESTAMP: changed})


@pytest.mark.parametrize("body", [BODY + b" ", BODY[:-1], b"", BODY + BODY])
def test_a_lengthened_or_shortened_body_is_refused(body: bytes) -> None:
    with pytest.raises(NotAuthentic):
        verify(signed(), body)


@pytest.mark.parametrize("name", [SIGNATURE, TIMESTAMP])
@pytest.mark.parametrize("value", [None, "", " ", "x", "-1", "1e9", "٣", "=" * 50, "\ud800"])
def test_a_missing_or_malformed_header_is_refused(name: str, value: str | None) -> None:
    headers = signed()
    if value is None:
        del headers[name]
    else:
        headers[name] = value
    with pytest.raises(NotAuthentic):
        verify(headers)


@pytest.mark.parametrize(
    ("age", "taken"),
    [
        (timedelta(hours=25), True),
        (timedelta(hours=25, seconds=1), False),
        (-timedelta(minutes=10), True),
        (-timedelta(minutes=10, seconds=1), False),
    ],
)
def test_the_vendor_s_repeats_are_taken_and_older_or_future_ones_are_not(
    age: timedelta, taken: bool
) -> None:
    if taken:
        verify(signed(at=NOW - age))
        return
    with pytest.raises(NotAuthentic):
        verify(signed(at=NOW - age))


def test_another_account_s_key_proves_nothing() -> None:
    with pytest.raises(NotAuthentic):
        verify(signed(key=OTHER))


def test_while_a_key_is_changed_the_one_before_still_proves() -> None:
    both = account(webhook_public_key=shown(OTHER), webhook_public_key_previous=shown(KEY))
    verify(signed(), of=both)
    verify(signed(key=OTHER), of=both)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "not base64!",
        "c2hvcnQ=",
        shown(rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        shown(ec.generate_private_key(ec.SECP384R1())),
    ],
)
def test_an_account_without_a_usable_key_refuses_and_does_not_show_the_setting(key: str) -> None:
    with pytest.raises(NotAuthentic) as refused:
        verify(signed(), of=account(webhook_public_key=key))
    assert not key or key not in str(refused.value)
