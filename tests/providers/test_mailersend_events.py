"""MailerSend's events in the normal form, its signature, and the test that anybody can sign."""

import hashlib
import hmac
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import MAILERSEND
from postroom.domain.reason import read
from postroom.providers.base import Account, Heard, NotAuthentic, Unreadable
from postroom.providers.mailersend.events import TYPES, MailerSendReceiver
from tests.providers.event_checks import UNREADABLE, VALUES, check, heard_in, objects

FIXTURES = Path(__file__).parent / "fixtures" / "mailersend"
HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PUBLIC_SECRET = "test_Am3L1GuOIc4blLUuHqAPxxwkZaJyEk8G"
PING = (FIXTURES / "ping.json").read_bytes()


def fixture(name: str) -> list[Heard]:
    return list(MailerSendReceiver().parse({}, (FIXTURES / f"{name}.json").read_bytes()))


@pytest.mark.parametrize(
    ("name", "type", "reason", "suppress"),
    [
        ("sent", "accepted", None, "no"),
        ("delivered", "delivered", None, "no"),
        ("deferred", "deferred", "unclassified", "no"),
        ("soft_bounced", "bounced", "mailbox_full", "on_repeat"),
        ("hard_bounced", "bounced", "address_unknown", "now"),
        ("nested_hard_bounced", "bounced", "address_unknown", "now"),
        ("hard_bounced_domain", "bounced", "domain_unknown", "on_repeat"),
        ("suppressed", "suppressed", "suppressed_by_provider", "no"),
        ("opened", "opened", None, "no"),
        ("opened_unique", "opened", None, "no"),
        ("survey_opened", "opened", None, "no"),
        ("clicked", "clicked", None, "no"),
        ("clicked_unique", "clicked", None, "no"),
        ("unsubscribed", "unsubscribed", "unsubscribed", "no"),
        ("spam_complaint", "complained", "complained_before", "now"),
        ("survey_submitted", "unknown", None, "no"),
    ],
)
def test_every_activity_of_the_vendor_s_page_has_its_meaning(
    name: str, type: str, reason: str | None, suppress: str
) -> None:
    (heard,) = fixture(name)
    reading = read(heard, "mailersend")
    assert (heard.type, reading.reason, reading.suppress) == (type, reason, suppress)
    assert (heard.recipient, heard.handover_id) == ("jo@example.com", HANDOVER)


def test_both_forms_of_a_bounce_keep_everything_that_was_told() -> None:
    (flat,), (nested,) = fixture("hard_bounced"), fixture("nested_hard_bounced")
    for heard in (flat, nested):
        assert heard.occurred_raw == "2026-11-20T08:15:30.000000Z"
        assert heard.occurred_at == datetime(2026, 11, 20, 8, 15, 30, tzinfo=UTC)
        assert (heard.reply_code, heard.enhanced_code) == (550, "5.1.1")
        assert heard.diagnostic == "550 5.1.1 no such user here"
        assert (heard.provider_type, heard.given_up) == ("activity.hard_bounced", False)
        assert heard.provider_class == "hard_bounced"
    assert flat.provider_message_id == "6aa59d2fbf35297925087058"
    assert nested.provider_message_id == "62fb66bef54a112e920b5400"
    assert nested.event_id == "62f114f8165fe0d8db028800"


def test_a_soft_bounce_is_given_up() -> None:
    assert fixture("soft_bounced")[0].given_up


def test_clicks_and_opens_keep_link_and_agent() -> None:
    (click,) = fixture("clicked")
    assert (click.url, click.user_agent) == ("https://example.com/?c=1", "Mozilla/5.0")


@pytest.mark.parametrize("name", ["maintenance", "ping"])
def test_what_says_nothing_about_a_delivery_gives_no_event(name: str) -> None:
    assert fixture(name) == []


def test_the_vendor_s_failing_activities_have_exactly_one_row_each() -> None:
    failing = {EventType.DEFERRED, EventType.BOUNCED, EventType.SUPPRESSED}
    words = {name.removeprefix("activity.") for name, type in TYPES.items() if type in failing}
    assert set(MAILERSEND) == words | {"suppressed/on_hold"}


def sign(body: bytes, secret: str) -> dict[str, str]:
    return {"signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def verify(headers: dict[str, str], body: bytes, **settings: str) -> None:
    MailerSendReceiver().verify(Account(1, "m", "mailersend", False, settings), headers, body, NOW)


def test_a_signed_post_is_authentic_under_the_secret_and_the_one_before() -> None:
    verify(sign(b"{}", "a"), b"{}", webhook_secret="a")
    verify(sign(b"{}", "a"), b"{}", webhook_secret="b", webhook_secret_previous="a")


@pytest.mark.parametrize("headers", [sign(b"{} ", "a"), sign(b"{}", "b"), {"signature": "å"}, {}])
def test_any_other_post_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(NotAuthentic):
        verify(headers, b"{}", webhook_secret="a")


@pytest.mark.parametrize("settings", [{}, {"webhook_secret": "a"}, {"webhook_ping": "no"}])
def test_the_public_secret_proves_nothing(settings: dict[str, str]) -> None:
    with pytest.raises(NotAuthentic):
        verify(sign(PING, PUBLIC_SECRET), PING, **settings)


@pytest.mark.parametrize(
    "body",
    [
        (FIXTURES / "hard_bounced.json").read_bytes(),
        b'{"type":"webhook.test","data":{"id":"x"}}',
        b'{"type":"activity.sent"}',
        b"[]",
        b"{",
        PING,
    ],
)
def test_while_a_webhook_is_set_up_the_test_alone_is_let_through(body: bytes) -> None:
    def knock() -> None:
        verify(sign(body, PUBLIC_SECRET), body, webhook_ping="yes", webhook_secret="a")

    if body == PING:
        knock()
        assert list(MailerSendReceiver().parse({}, body)) == []
    else:
        with pytest.raises(NotAuthentic):
            knock()


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_no_json_is_unreadable_before_the_first_event(body: bytes) -> None:
    with pytest.raises(Unreadable):
        MailerSendReceiver().parse({}, body)


@pytest.mark.parametrize("entry", [7, "sent", None, [], {}, {"type": "activity.teleported"}])
def test_what_is_no_event_of_the_page_is_unknown(entry: Any) -> None:
    (heard,) = heard_in(MailerSendReceiver(), entry)
    assert heard.type is EventType.UNKNOWN


DATA = ["id", "email", "recipient", "message_id", "tags", "meta", "morph", "created_at"]
INSIDE = ["recipient", "message", "email", "id", "bounce_code", "bounce_reason", "reason", "tags"]


@given(objects(["type", "created_at", "data"], TYPES), objects(DATA, TYPES), objects(INSIDE, TYPES))
def test_any_object_gives_events_that_can_be_stored(
    event: dict[str, Any], data: dict[str, Any], inside: dict[str, Any]
) -> None:
    bodies = [event, {**event, "data": data}, {**event, "data": dict.fromkeys(DATA, inside)}]
    for heard in (heard for body in bodies for heard in heard_in(MailerSendReceiver(), body)):
        check(heard, "mailersend")


@given(VALUES)
def test_any_json_is_no_traceback(value: Any) -> None:
    for heard in heard_in(MailerSendReceiver(), value):
        check(heard, "mailersend")
