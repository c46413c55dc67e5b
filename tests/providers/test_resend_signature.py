"""Resend's webhooks are proved by Svix signatures over id, stamp and body."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from postroom.providers.base import Account, NotAuthentic
from postroom.providers.resend import ResendReceiver

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY = b"a key of thirty-two bytes or so!"
SECRET = "whsec_" + base64.b64encode(KEY).decode()
BODY = b'{"type":"email.sent"}'


def sign(
    body: bytes = BODY, key: bytes = KEY, at: datetime = NOW, message_id: str = "msg_1"
) -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    mac = hmac.new(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(mac).decode()
    return {"svix-id": message_id, "svix-timestamp": stamp, "svix-signature": signature}


def verify(
    headers: Mapping[str, str], body: bytes = BODY, settings: Mapping[str, str] | None = None
) -> None:
    made = Account(1, "main", "resend", False, settings or {"webhook_secret": SECRET})
    ResendReceiver().verify(made, headers, body, NOW)


def test_a_signed_post_is_authentic() -> None:
    verify(sign())


def test_one_right_signature_among_several_is_enough() -> None:
    headers = sign()
    wrong = sign(key=b"another")["svix-signature"]
    verify({**headers, "svix-signature": f"v1a,xx {wrong} {headers['svix-signature']} v1,###"})


def test_the_secret_before_counts_while_a_rotation_goes_on() -> None:
    other = "whsec_" + base64.b64encode(b"the new one").decode()
    verify(sign(), settings={"webhook_secret": other, "webhook_secret_previous": SECRET})


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        (sign(), BODY + b" "),
        (sign(key=b"another"), BODY),
        ({**sign(), "svix-id": "msg_2"}, BODY),
        ({**sign(), "svix-timestamp": str(int(NOW.timestamp()) - 1)}, BODY),
        ({**sign(), "svix-signature": ""}, BODY),
        ({**sign(), "svix-signature": "v1,"}, BODY),
        ({**sign(), "svix-signature": "v2," + sign()["svix-signature"][3:]}, BODY),
        ({**sign(), "svix-timestamp": ""}, BODY),
        ({**sign(), "svix-timestamp": "\uff11\uff12"}, BODY),
        ({**sign(), "svix-timestamp": "9" * 40}, BODY),
        (sign(message_id=""), BODY),
        ({}, BODY),
    ],
)
def test_whatever_was_altered_or_left_out_is_refused(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(NotAuthentic):
        verify(headers, body)


@pytest.mark.parametrize("hours", [0, 28, 28.9])
def test_a_repeat_within_the_vendor_s_schedule_is_taken(hours: float) -> None:
    verify(sign(at=NOW - timedelta(hours=hours)))


@pytest.mark.parametrize("age", [timedelta(hours=29, minutes=1), -timedelta(minutes=11)])
def test_a_stamp_beyond_the_schedule_or_in_the_future_is_refused(age: timedelta) -> None:
    with pytest.raises(NotAuthentic):
        verify(sign(at=NOW - age))


@pytest.mark.parametrize("settings", [{"name": "x"}, {"webhook_secret": "whsec_%%%"}])
def test_an_account_without_a_readable_secret_takes_nothing(settings: dict[str, str]) -> None:
    with pytest.raises(NotAuthentic, match="webhook_secret"):
        verify(sign(), settings=settings)
