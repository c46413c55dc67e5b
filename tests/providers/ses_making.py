"""Accounts and finished mails for the tests of Amazon SES."""

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from uuid import UUID

from postroom.providers.base import Account, Copy, RawMail, Segment, Stored

HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")
KIM = Copy(HANDOVER, "kim@example.org")
KEYS = {
    "access_key_id": "AKIDEXAMPLE",
    "secret_access_key": "a secret of the account",
    "region": "eu-west-1",
}
MAIL = (
    b"From: News <news@postroom.example>\r\nTo: all@example.org, =?utf-8?q?L=C3=A9a?="
    b" <lea@example.org>\r\nSubject: Prices\r\nMessage-ID: <mine@postroom.example>\r\n"
    b"\r\nPrices in \xe2\x82\xac change.\r\n"
)


def account(
    settings: Mapping[str, str] = MappingProxyType({}), *, simulated: bool = False
) -> Account:
    """An account with keys."""
    return Account(1, "amazon", "ses", simulated, {**KEYS, **settings})


def raw(*segments: Segment, blob: bytes = MAIL, track_clicks: bool = False) -> RawMail:
    """A finished mail of these segments; without any, the whole blob."""
    digest = sha256(blob).digest()
    whole = segments or (Stored(digest, 0, len(blob)),)
    copies = {HANDOVER: whole}
    return RawMail("news@postroom.example", copies, {digest: blob}, track_clicks=track_clicks)


def run_of(blob: bytes, start: int, length: int) -> Stored:
    """A run of a blob."""
    return Stored(sha256(blob).digest(), start, length)
