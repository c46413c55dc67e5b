"""Mailtrap's events in the normal form, and hostile bodies that never end in a traceback."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import MAILTRAP
from postroom.domain.reason import read
from postroom.providers.base import Account, Heard, NotAuthentic, Unreadable
from postroom.providers.mailtrap.events import CAUSES, TYPES, MailtrapReceiver
from tests.providers.event_checks import UNREADABLE, VALUES, check, heard_in, objects, slices

FIXTURES = Path(__file__).parent / "fixtures" / "mailtrap"
HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def fixture(name: str) -> list[Heard]:
    return list(MailtrapReceiver().parse({}, (FIXTURES / name).read_bytes()))


def told(**fields: Any) -> Heard:
    (heard,) = heard_in(MailtrapReceiver(), {"events": [fields]})
    return heard


def test_every_event_of_the_vendor_s_page_has_its_meaning() -> None:
    heards = fixture("all.json")
    readings = [(heard.type, read(heard, "mailtrap")) for heard in heards]
    assert [(type, one.reason, one.suppress) for type, one in readings] == [
        ("delivered", None, "no"),
        ("deferred", "mailbox_full", "no"),
        ("deferred", "provider_refused", "no"),
        ("bounced", "address_unknown", "now"),
        ("bounced", "reputation_block", "no"),
        ("bounced", "address_ambiguous", "no"),
        ("suppressed", "suppressed_by_provider", "no"),
        ("suppressed", "suppressed_by_provider", "no"),
        ("suppressed", "suppressed_by_provider", "now"),
        ("rejected", "provider_refused", "no"),
        ("complained", "complained_before", "now"),
        ("unsubscribed", "unsubscribed", "no"),
        ("opened", None, "no"),
        ("clicked", None, "no"),
    ]
    causes = [one.cause for _, one in readings if one.cause]
    assert causes == ["unsubscribed", "bounced", "complained_before"]
    assert {heard.handover_id for heard in heards} == {HANDOVER}
    assert {heard.recipient for heard in heards} == {"jo@example.com"}


def test_a_bounce_keeps_everything_that_was_told() -> None:
    heard = fixture("all.json")[3]
    assert heard.occurred_raw == "1763626530"
    assert heard.occurred_at == datetime(2025, 11, 20, 8, 15, 30, tzinfo=UTC)
    assert (heard.reply_code, heard.enhanced_code) == (550, "5.1.1")
    assert heard.diagnostic == "550 5.1.1 <jo@example.com>: no such user here"
    assert (heard.provider_type, heard.provider_class) == ("bounce", "generalfail")
    assert heard.provider_message_id == "1f2d37d1-0286-4d8b-8edf-bc4ec5be86e6"
    assert heard.event_id == "bounce-1"


def test_a_bounce_with_a_code_of_class_4_is_given_up() -> None:
    assert told(event="bounce", response="mailbox busy", response_code=450).given_up
    assert not told(event="soft bounce", response_code=450).given_up


@pytest.mark.parametrize("name", ["all.json", "lines.jsonl"])
def test_every_event_names_its_own_bytes_of_the_body(name: str) -> None:
    found = slices(MailtrapReceiver(), (FIXTURES / name).read_bytes())
    assert [entry["event"] for entry in found] == [one.provider_type for one in fixture(name)]


def test_one_event_a_line_and_one_event_alone_are_read() -> None:
    assert [one.type for one in fixture("lines.jsonl")] == ["delivered", "clicked", "opened"]
    (heard,) = heard_in(MailtrapReceiver(), {"event": "delivery", "email": "jo@example.com"})
    assert heard.type is EventType.DELIVERED


def test_the_place_of_an_event_does_not_depend_on_what_stands_around_the_array() -> None:
    event = b'{"event": "open", "email": "\xc3\xa5@example.com"}'
    body = b'\xef\xbb\xbf { "x" : [{"events": 1}], "events":\n[ ' + event + b' ] , "y": "\xc3\xa5"}'
    (heard,) = MailtrapReceiver().parse({}, body)
    assert body[heard.start : heard.start + (heard.length or 0)] == event


@pytest.mark.parametrize("name", ["others.json"])
def test_what_says_nothing_about_a_delivery_gives_no_event(name: str) -> None:
    assert fixture(name) == []


def test_a_batch_without_events_gives_none() -> None:
    assert heard_in(MailtrapReceiver(), {"events": []}) == []


def test_the_vendor_s_categories_have_exactly_one_row_each() -> None:
    categories = {
        "transientfail", "greylisting", "badsender", "block", "content", "spam", "dnsFail",
        "generalfail",
    }  # fmt: skip
    failing = {EventType.DEFERRED, EventType.BOUNCED, EventType.REJECTED}
    events = {name for name, type in TYPES.items() if type in failing}
    kept_back = {row for _, row in CAUSES} | {"reject/suppression list"}
    assert set(MAILTRAP) == categories | events | kept_back


def sign(body: bytes, secret: str) -> dict[str, str]:
    return {"mailtrap-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def test_a_signed_post_is_authentic_under_the_secret_and_the_one_before() -> None:
    account = Account(1, "m", "mailtrap", False, {"webhook_secret": "a"})
    rotated = Account(
        1, "m", "mailtrap", False, {"webhook_secret": "b", "webhook_secret_previous": "a"}
    )
    for one in (account, rotated):
        MailtrapReceiver().verify(one, sign(b"{}", "a"), b"{}", NOW)


@pytest.mark.parametrize(
    ("headers", "settings"),
    [
        (sign(b"{} ", "a"), {"webhook_secret": "a"}),
        (sign(b"{}", "other"), {"webhook_secret": "a"}),
        ({"mailtrap-signature": "å"}, {"webhook_secret": "a"}),
        ({}, {"webhook_secret": "a"}),
        (sign(b"{}", ""), {}),
    ],
)
def test_any_other_post_is_refused(headers: dict[str, str], settings: dict[str, str]) -> None:
    account = Account(1, "m", "mailtrap", False, settings)
    with pytest.raises(NotAuthentic):
        MailtrapReceiver().verify(account, headers, b"{}", NOW)


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_no_json_is_unreadable_before_the_first_event(body: bytes) -> None:
    with pytest.raises(Unreadable):
        MailtrapReceiver().parse({}, body)


@pytest.mark.parametrize("entry", [7, "sent", None, [], {}, {"event": "teleported"}])
def test_what_is_no_event_of_the_page_is_unknown(entry: Any) -> None:
    (heard,) = heard_in(MailtrapReceiver(), {"events": [entry]})
    assert heard.type is EventType.UNKNOWN


def test_ten_megabytes_of_events_are_read_in_either_form() -> None:
    entry = {"event": "bounce", "response": "x" * 1000}
    assert len(heard_in(MailtrapReceiver(), {"events": [entry] * 9_000})) == 9_000
    lines = "\n".join([json.dumps(entry)] * 9_000).encode()
    assert sum(1 for _ in MailtrapReceiver().parse({}, lines)) == 9_000


NAMES = [
    "event", "email", "response", "response_code", "bounce_category", "reason", "timestamp",
    "custom_variables", "message_id", "event_id", "url",
]  # fmt: skip


@given(st.lists(objects(NAMES, TYPES) | VALUES, max_size=4), st.booleans())
def test_any_batch_gives_events_that_can_be_stored(array: list[Any], wrapped: bool) -> None:
    value: Any = {"events": array} if wrapped else array
    for heard in heard_in(MailtrapReceiver(), value):
        check(heard, "mailtrap")
