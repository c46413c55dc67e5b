"""Resend's events in the normal form, and hostile bodies that never end in a traceback."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import RESEND
from postroom.domain.reason import read
from postroom.providers.base import Heard, Unreadable
from postroom.providers.resend.events import KEPT_BACK, OLD_MESSAGES, TYPES, ResendReceiver
from tests.providers.event_checks import UNREADABLE, VALUES, check, heard_in, objects

FIXTURES = Path(__file__).parent / "fixtures" / "resend"
HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")


def fixture(name: str) -> list[Heard]:
    body = (FIXTURES / f"{name}.json").read_bytes()
    return list(ResendReceiver().parse({"svix-id": "msg_1"}, body))


def told(event: str, **data: Any) -> list[Heard]:
    return heard_in(ResendReceiver(), {"type": f"email.{event}", "data": data})


@pytest.mark.parametrize(
    ("name", "type", "reason", "suppress"),
    [
        ("scheduled", "accepted", None, "no"),
        ("sent", "accepted", None, "no"),
        ("delivered", "delivered", None, "no"),
        ("delayed", "deferred", "unclassified", "no"),
        ("bounced", "bounced", "address_unknown", "now"),
        ("bounced_without_code", "bounced", "address_unknown", "now"),
        ("bounced_soft", "bounced", "mailbox_full", "on_repeat"),
        ("bounced_undetermined", "bounced", "unclassified", "no"),
        ("bounced_listed", "suppressed", "suppressed_by_provider", "no"),
        ("suppressed", "suppressed", "suppressed_by_provider", "no"),
        ("failed", "rejected", "provider_quota", "no"),
        ("complained", "complained", "complained_before", "now"),
        ("opened", "opened", None, "no"),
        ("clicked", "clicked", None, "no"),
    ],
)
def test_every_event_of_the_vendor_s_page_has_its_meaning(
    name: str, type: str, reason: str | None, suppress: str
) -> None:
    (heard,) = fixture(name)
    reading = read(heard, "resend")
    assert (heard.type, reading.reason, reading.suppress) == (type, reason, suppress)
    assert heard.handover_id == HANDOVER
    assert heard.recipient == "jo@example.com"


def test_a_bounce_keeps_everything_that_was_told() -> None:
    (heard,) = fixture("bounced")
    assert heard.occurred_raw == "2026-11-20T08:15:30.250Z"
    assert heard.occurred_at == datetime(2026, 11, 20, 8, 15, 30, 250_000, tzinfo=UTC)
    assert (heard.reply_code, heard.enhanced_code) == (550, "5.1.1")
    assert heard.diagnostic == "smtp; 550 5.1.1 <jo@example.com>: no such user here"
    assert (heard.provider_type, heard.provider_class) == ("email.bounced", "Permanent/General")
    assert heard.provider_message_id == "0d3a1a52-9a6e-4a5a-8f35-6a0f5f6d1c11"
    assert (heard.event_id, heard.given_up) == ("msg_1", False)


def test_a_soft_bounce_is_given_up_and_a_list_is_no_bounce() -> None:
    assert [fixture(name)[0].given_up for name in ("bounced_soft", "bounced_listed")] == [
        True,
        False,
    ]


def test_a_click_has_its_own_instant_and_link() -> None:
    (heard,) = fixture("clicked")
    assert heard.occurred_raw == "2026-11-20T08:20:01.500Z"
    assert (heard.url, heard.user_agent) == ("https://example.com/?c=1", "Mozilla/5.0")


def test_a_bounce_in_the_older_form_is_known_by_the_vendor_s_sentence() -> None:
    sentence = "The recipient's email provider sent a hard bounce message, but gave no reason."
    (heard,) = told("bounced", to=["jo@example.com"], bounce={"message": sentence})
    assert heard.provider_class == "Permanent/General"
    assert read(heard, "resend").reason == "address_unknown"


@pytest.mark.parametrize("name", ["received", "list_changed"])
def test_what_says_nothing_about_a_delivery_gives_no_event(name: str) -> None:
    assert fixture(name) == []


def test_an_event_for_several_recipients_is_one_for_each() -> None:
    heards = told("delivered", to=["a@example.com", "B <b@example.com>"], email_id="e1")
    assert [heard.recipient for heard in heards] == ["a@example.com", "b@example.com"]


@pytest.mark.parametrize(
    "data",
    [
        {"tags": [{"name": "postroom_handover", "value": str(HANDOVER)}]},
        {"headers": [{"name": "X-Postroom-Handover", "value": str(HANDOVER)}]},
    ],
)
def test_the_hand_over_is_found_in_every_place_where_it_can_stand(data: dict[str, Any]) -> None:
    assert told("opened", **data)[0].handover_id == HANDOVER


@pytest.mark.parametrize("value", ["", "x", 7, None, [], {}])
def test_a_foreign_tag_names_no_hand_over(value: Any) -> None:
    assert told("opened", tags={"postroom_handover": value})[0].handover_id is None


def test_the_vendor_s_classes_have_exactly_one_row_each() -> None:
    permanent = {"General", "NoEmail", "Suppressed", "OnAccountSuppressionList", "MessageRejected"}
    transient = {
        "General", "MailboxFull", "MessageTooLarge", "ContentRejected", "AttachmentRejected",
    }  # fmt: skip
    assert set(RESEND) == (
        {f"Permanent/{name}" for name in permanent}
        | {f"Transient/{name}" for name in transient}
        | {"Undetermined/Undetermined", "OnAccountSuppressionList", "failed/reached_daily_quota"}
    )
    assert {row for _, row in OLD_MESSAGES} | KEPT_BACK <= set(RESEND)


@pytest.mark.parametrize("body", [*UNREADABLE])
def test_what_is_no_json_is_unreadable_before_the_first_event(body: bytes) -> None:
    with pytest.raises(Unreadable):
        ResendReceiver().parse({}, body)


@pytest.mark.parametrize("entry", [7, "sent", None, [], {}, {"type": "email.teleported"}])
def test_what_is_no_event_of_the_page_is_unknown(entry: Any) -> None:
    (heard,) = heard_in(ResendReceiver(), entry)
    assert heard.type is EventType.UNKNOWN


def test_ten_megabytes_of_recipients_are_read() -> None:
    body = json.dumps({"type": "email.sent", "data": {"to": ["jo@example.com"] * 500_000}})
    assert sum(1 for _ in ResendReceiver().parse({}, body.encode())) == 500_000


DATA = ["to", "bounce", "suppressed", "failed", "click", "tags", "headers", "email_id"]
INSIDE = ["type", "subType", "message", "diagnosticCode", "reason", "link", "name", "value"]


@given(objects(["type", "created_at", "data"], TYPES), objects(DATA, TYPES), objects(INSIDE, TYPES))
def test_any_object_gives_events_that_can_be_stored(
    event: dict[str, Any], data: dict[str, Any], inside: dict[str, Any]
) -> None:
    bodies = [event, {**event, "data": data}, {**event, "data": dict.fromkeys(DATA, inside)}]
    for heard in (heard for body in bodies for heard in heard_in(ResendReceiver(), body)):
        check(heard, "resend")


@given(VALUES)
def test_any_json_is_no_traceback(value: Any) -> None:
    for heard in heard_in(ResendReceiver(), value):
        check(heard, "resend")
