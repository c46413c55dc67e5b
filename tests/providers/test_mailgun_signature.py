"""What Mailgun's signature keeps out."""

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from postroom.providers.base import Account, NotAuthentic
from postroom.providers.mailgun.receiver import MailgunReceiver

NOW = datetime(2026, 2, 12, 18, 0, tzinfo=UTC)
SETTINGS = {"webhook_signing_key": "now", "webhook_signing_key_previous": "before"}


def signature(key: str = "now", at: datetime = NOW, nonce: str = "ab12") -> dict[str, str]:
    stamp = str(int(at.timestamp()))
    proof = hmac.new(key.encode(), f"{stamp}{nonce}".encode(), "sha256").hexdigest()
    return {"timestamp": stamp, "token": nonce, "signature": proof}


def verify(body: bytes, settings: dict[str, str] | None = None, **headers: str) -> None:
    account = Account(1, "main", "mailgun", False, SETTINGS if settings is None else settings)
    MailgunReceiver().verify(account, headers, body, NOW)


def post(**signed: Any) -> bytes:
    return json.dumps({"signature": signed, "event-data": {"event": "delivered"}}).encode()


@pytest.mark.parametrize(
    "signed",
    [
        signature(),
        signature("before"),
        signature(at=NOW - timedelta(hours=8, minutes=50)),
        signature(at=NOW + timedelta(minutes=9)),
    ],
)
def test_a_post_under_one_of_the_keys_is_believed_in_the_time_of_repeats(
    signed: dict[str, str],
) -> None:
    verify(post(**signed))
    verify(urlencode({**signed, "event": "delivered"}).encode())


@pytest.mark.parametrize(
    "signed",
    [
        {},
        signature("stranger"),
        signature() | {"token": "other"},
        signature() | {"timestamp": str(int(NOW.timestamp()) + 1)},
        signature() | {"signature": ""},
        signature() | {"signature": "é"},
        signature() | {"timestamp": "٣"},
        signature(nonce=""),
        signature(at=NOW - timedelta(hours=9, minutes=1)),
        signature(at=NOW + timedelta(minutes=11)),
    ],
)
def test_any_other_signature_is_refused(signed: dict[str, str]) -> None:
    with pytest.raises(NotAuthentic):
        verify(post(**signed))


def test_an_account_without_a_key_believes_nobody() -> None:
    with pytest.raises(NotAuthentic, match="webhook_signing_key"):
        verify(post(**signature("")), {})


def test_a_body_that_is_no_post_is_refused() -> None:
    with pytest.raises(NotAuthentic):
        verify(b"[")


def test_a_login_is_asked_for_beside_the_signature_where_the_account_has_one() -> None:
    settings = SETTINGS | {"webhook_user": "u", "webhook_password": "p"}
    verify(post(**signature()), settings, authorization="Basic dTpw")
    with pytest.raises(NotAuthentic):
        verify(post(**signature()), settings)


def test_the_signature_does_not_cover_the_event_and_nobody_pretends_that_it_did() -> None:
    assert MailgunReceiver.signed is False
