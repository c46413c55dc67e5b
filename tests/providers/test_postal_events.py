"""Postal's events in the normal form, and its signatures by RSA."""

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import POSTAL
from postroom.domain.reason import read
from postroom.providers.base import Account, Heard, NotAuthentic, Unreadable
from postroom.providers.postal.events import DETAILS, TYPES, PostalReceiver
from tests.providers.event_checks import UNREADABLE, VALUES, check, heard_in, objects

FIXTURES = Path(__file__).parent / "fixtures" / "postal"
HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BODY = b'{"event":"MessageSent"}'
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SHA1 = hashes.SHA1()  # noqa: S303 - the scheme of older servers
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def fixture(name: str) -> list[Heard]:
    return list(PostalReceiver().parse({}, (FIXTURES / f"{name}.json").read_bytes()))


@pytest.mark.parametrize(
    ("name", "type", "reason", "suppress"),
    [
        ("sent", "delivered", None, "no"),
        ("delayed", "deferred", "mailbox_full", "no"),
        ("failed", "bounced", "address_unknown", "now"),
        ("given_up", "bounced", "gave_up", "on_repeat"),
        ("failed_as_spam", "rejected", "provider_refused", "no"),
        ("held", "deferred", "unclassified", "no"),
        ("held_by_limit", "deferred", "provider_quota", "no"),
        ("held_by_list", "suppressed", "suppressed_by_provider", "no"),
        ("bounced", "bounced", "unclassified", "no"),
        ("clicked", "clicked", None, "no"),
        ("loaded", "opened", None, "no"),
    ],
)
def test_every_event_of_the_vendor_s_page_has_its_meaning(
    name: str, type: str, reason: str | None, suppress: str
) -> None:
    (heard,) = fixture(name)
    reading = read(heard, "postal")
    assert (heard.type, reading.reason, reading.suppress) == (type, reason, suppress)
    assert (heard.recipient, heard.handover_id) == ("jo@example.com", HANDOVER)


def test_a_failure_keeps_everything_that_was_told() -> None:
    (heard,) = fixture("failed")
    assert heard.occurred_raw == "1763626530.25"
    assert heard.occurred_at == datetime(2025, 11, 20, 8, 15, 30, 250_000, tzinfo=UTC)
    assert (heard.reply_code, heard.enhanced_code) == (550, "5.1.1")
    assert heard.diagnostic == "550 5.1.1 <jo@example.com>: no such user here"
    assert heard.remote_host == "mx.example.com"
    assert heard.provider_message_id == "7b095c0e@rp.postal.example.com"
    assert heard.event_id == "0fcc831f-92b9-4e2b-97f2-000000000006"
    assert (heard.asynchronous, heard.given_up) == (False, False)


def test_what_came_back_as_a_mail_came_after_the_acceptance() -> None:
    assert [fixture(name)[0].asynchronous for name in ("bounced", "sent")] == [True, None]


def test_the_last_of_many_attempts_is_given_up() -> None:
    assert fixture("given_up")[0].given_up


@pytest.mark.parametrize("name", ["incoming", "dns_error", "send_limit"])
def test_what_says_nothing_about_a_delivery_of_ours_gives_no_event(name: str) -> None:
    assert fixture(name) == []


def test_the_vendor_s_failing_events_have_exactly_one_row_each() -> None:
    failing = {EventType.DEFERRED, EventType.BOUNCED}
    words = {name for name, type in TYPES.items() if type in failing}
    assert set(POSTAL) == words | {row for *_, row in DETAILS}


def sign(
    body: bytes = BODY, key: rsa.RSAPrivateKey = KEY, by: hashes.HashAlgorithm | None = None
) -> str:
    return base64.b64encode(key.sign(body, padding.PKCS1v15(), by or hashes.SHA256())).decode()


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    public = key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def jwk(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()

    def text(number: int) -> str:
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()

    return {"kty": "RSA", "n": text(numbers.n), "e": text(numbers.e)}


def verify(headers: dict[str, str], **settings: str) -> None:
    account = Account(1, "p", "postal", False, settings or {"webhook_public_key": pem(KEY)})
    PostalReceiver().verify(account, headers, BODY, NOW)


@pytest.mark.parametrize(
    "key",
    [
        pem(KEY),
        "".join(pem(KEY).split("\n")[1:-2]),
        json.dumps(jwk(KEY)),
        json.dumps({"keys": [jwk(KEY)]}),
    ],
)
def test_the_key_is_taken_in_every_form_in_which_a_server_shows_it(key: str) -> None:
    verify({"x-postal-signature-256": sign()}, webhook_public_key=key)


def test_an_older_server_s_signature_over_sha_1_is_taken() -> None:
    verify({"x-postal-signature": sign(by=SHA1)})


def test_the_key_before_counts_while_a_rotation_goes_on() -> None:
    headers = {"x-postal-signature-256": sign()}
    verify(headers, webhook_public_key=pem(OTHER), webhook_public_key_previous=pem(KEY))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-postal-signature-256": ""},
        {"x-postal-signature-256": "###"},
        {"x-postal-signature-256": sign(BODY + b" ")},
        {"x-postal-signature-256": sign(key=OTHER)},
        {"x-postal-signature-256": sign(key=OTHER), "x-postal-signature": sign(by=SHA1)},
        {"x-postal-signature-256": sign(by=SHA1)},
        {"x-postal-signature": sign()},
    ],
)
def test_any_other_post_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(NotAuthentic):
        verify(headers)


@pytest.mark.parametrize(
    "settings",
    [
        {"name": "x"},
        {"webhook_public_key": "no key"},
        {"webhook_public_key": "{"},
        {"webhook_public_key": '{"keys":[]}'},
        {"webhook_public_key": pem(ec.generate_private_key(ec.SECP256R1()))},
    ],
)
def test_an_account_without_a_readable_key_takes_nothing(settings: dict[str, str]) -> None:
    with pytest.raises(NotAuthentic, match="webhook_public_key"):
        verify({"x-postal-signature-256": sign()}, **settings)


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_no_json_is_unreadable_before_the_first_event(body: bytes) -> None:
    with pytest.raises(Unreadable):
        PostalReceiver().parse({}, body)


@pytest.mark.parametrize("entry", [7, "sent", None, [], {}, {"event": "MessageTeleported"}])
def test_what_is_no_event_of_the_page_is_unknown(entry: Any) -> None:
    (heard,) = heard_in(PostalReceiver(), entry)
    assert heard.type is EventType.UNKNOWN


OWN = ["message", "original_message", "details", "output", "timestamp", "url", "user_agent"]
MAIL = ["to", "tag", "message_id", "direction"]


@given(objects(["event", "payload", "uuid"], TYPES), objects(OWN, TYPES), objects(MAIL, TYPES))
def test_any_object_gives_events_that_can_be_stored(
    event: dict[str, Any], own: dict[str, Any], mail: dict[str, Any]
) -> None:
    bodies = [event, {**event, "payload": own}, {**event, "payload": {**own, "message": mail}}]
    for heard in (heard for body in bodies for heard in heard_in(PostalReceiver(), body)):
        check(heard, "postal")


@given(VALUES)
def test_any_json_is_no_traceback(value: Any) -> None:
    for heard in heard_in(PostalReceiver(), value):
        check(heard, "postal")
