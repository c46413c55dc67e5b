"""SparkPost's events in the normal form, and hostile bodies that never end in a traceback."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import SPARKPOST
from postroom.domain.reason import read
from postroom.providers.base import Heard, Unreadable
from postroom.providers.sparkpost.events import TYPES, SparkPostReceiver
from tests.providers.event_checks import UNREADABLE, VALUES, check, heard_in, objects, slices

FIXTURES = Path(__file__).parent / "fixtures" / "sparkpost"
HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")
CLASSES = {
    "1", "10", "20", "21", "22", "23", "24", "25", "26", "30", "40", "50", "51", "52", "53", "54",
    "60", "70", "80", "90", "100",
}  # fmt: skip
"""The vendor's table of bounce classes, and 26, which its events have beside 25."""
OWN_CLASSES = {"suppressed", "25/suppressed", "26/suppressed", "generation_failure"}
SUPPRESSED = "554 5.7.1 recipient address was suppressed due to customer policy"


def fixture(name: str) -> list[Heard]:
    return list(SparkPostReceiver().parse({}, (FIXTURES / f"{name}.json").read_bytes()))


def told(type: str, **fields: Any) -> Heard:
    event = {"type": type, "rcpt_to": "jo@example.com", **fields}
    (heard,) = heard_in(SparkPostReceiver(), [{"msys": {"message_event": event}}])
    return heard


@pytest.mark.parametrize(
    ("name", "meanings"),
    [
        (
            "sent",
            [
                ("accepted", None, "no"),
                ("deferred", "mailbox_full", "no"),
                ("delivered", None, "no"),
            ],
        ),
        (
            "bounces",
            [
                ("bounced", "address_unknown", "now"),
                ("bounced", "gave_up", "on_repeat"),
                ("bounced", "policy_refused", "no"),
                ("bounced", "address_unknown", "now"),
                ("auto_replied", "auto_reply", "no"),
            ],
        ),
        (
            "not_sent",
            [
                ("suppressed", "suppressed_by_provider", "no"),
                ("suppressed", "suppressed_by_provider", "no"),
                ("rejected", "render_failed", "no"),
                ("rejected", "provider_refused", "no"),
            ],
        ),
        (
            "engagement",
            [
                ("opened", None, "no"),
                ("opened", None, "no"),
                ("clicked", None, "no"),
                ("unsubscribed", "unsubscribed", "no"),
                ("unsubscribed", "unsubscribed", "no"),
                ("complained", "complained_before", "now"),
            ],
        ),
        ("others", [("unknown", None, "no"), ("unknown", None, "no")]),
    ],
)
def test_every_event_of_the_vendor_s_pages_has_its_meaning(
    name: str, meanings: list[tuple[str, str | None, str]]
) -> None:
    readings = [(heard.type, read(heard, "sparkpost")) for heard in fixture(name)]
    assert [(type, r.reason, r.suppress) for type, r in readings] == meanings


def test_a_bounce_keeps_everything_that_was_told() -> None:
    heard, expired, _, late, _ = fixture("bounces")
    assert heard.recipient == "Jo@example.com"
    assert heard.occurred_at == datetime(2025, 11, 20, 10, 21, 12, tzinfo=UTC)
    assert heard.occurred_raw == "1763634072"
    assert (heard.reply_code, heard.enhanced_code) == (550, "5.1.1")
    assert heard.diagnostic == "550 5.1.1 <jo@example.com>: no such user here"
    assert (heard.handover_id, heard.provider_message_id) == (HANDOVER, "65832150921904138")
    assert (heard.provider_type, heard.provider_class) == ("bounce", "10")
    assert (heard.event_id, heard.remote_host) == ("92356927693813856", "192.0.2.7")
    assert (heard.asynchronous, late.asynchronous) == (False, True)
    assert (heard.given_up, expired.given_up) == (False, True)


def test_a_stamp_may_be_a_date() -> None:
    heard = fixture("sent")[2]
    assert heard.occurred_at == datetime(2026, 11, 20, 10, 21, 12, tzinfo=UTC)


def test_what_was_fetched_ahead_is_a_machine_s_and_the_rest_nobody_knows() -> None:
    ahead, opened, clicked, *_ = fixture("engagement")
    assert [ahead.machine, opened.machine, clicked.machine] == [True, None, None]
    assert clicked.url == "https://example.com/prices"


def test_the_empty_event_that_a_new_webhook_is_tried_with_is_none() -> None:
    assert heard_in(SparkPostReceiver(), [{"msys": {}}]) == []


def test_the_vendor_s_classes_have_exactly_one_row_each() -> None:
    assert set(SPARKPOST) == CLASSES | OWN_CLASSES


@pytest.mark.parametrize("code", sorted(CLASSES))
def test_without_words_only_an_unknown_address_suppresses_at_once(code: str) -> None:
    reading = read(told("bounce", bounce_class=code), "sparkpost")
    assert (reading.suppress == "now") is (code == "10")


@pytest.mark.parametrize("code", ["25", "26"])
def test_admin_failures_are_read_by_their_words(code: str) -> None:
    listed = told("bounce", bounce_class=code, raw_reason=SUPPRESSED)
    assert listed.type is EventType.SUPPRESSED
    assert read(listed, "sparkpost").reason == "suppressed_by_provider"
    other = told("bounce", bounce_class=code, raw_reason="550 [internal] no")
    assert other.type is EventType.BOUNCED
    assert read(other, "sparkpost").reason in {"policy_refused", "provider_refused"}


@pytest.mark.parametrize("event", ["bounce", "out_of_band"])
@pytest.mark.parametrize("code", ["60", "100"])
def test_an_automatic_answer_is_no_failure(event: str, code: str) -> None:
    assert told(event, bounce_class=code).type is EventType.AUTO_REPLIED


def test_a_request_that_came_back_by_mail_is_no_bounce() -> None:
    assert told("out_of_band", bounce_class="90").type is EventType.UNSUBSCRIBED
    assert told("out_of_band", bounce_class="80").type is EventType.UNKNOWN
    assert told("bounce", bounce_class="90").type is EventType.BOUNCED


@pytest.mark.parametrize(
    ("feedback", "type"),
    [
        ("abuse", "complained"),
        ("fraud", "complained"),
        (None, "complained"),
        ("opt-out", "unsubscribed"),
        ("not-spam", "resubscribed"),
        ("auth-failure", "unknown"),
        ("brand-new", "unknown"),
    ],
)
def test_a_feedback_report_means_what_its_type_says(feedback: str | None, type: str) -> None:
    assert told("spam_complaint", fbtype=feedback).type == type


@pytest.mark.parametrize(
    ("fields", "reason", "suppress"),
    [
        ({"bounce_class": "10", "raw_reason": "451 4.1.1 unknown user"}, "gave_up", "on_repeat"),
        ({"bounce_class": "22", "raw_reason": "552 5.2.2 full"}, "mailbox_full", "on_repeat"),
        ({"bounce_class": "10", "error_code": "450"}, "gave_up", "on_repeat"),
        ({"bounce_class": "20", "error_code": "550"}, "receiver_down", "no"),
        ({"bounce_class": "21"}, "gave_up", "on_repeat"),
    ],
)
def test_four_is_not_five(fields: dict[str, str], reason: str, suppress: str) -> None:
    reading = read(told("bounce", **fields), "sparkpost")
    assert (reading.reason, reading.suppress) == (reason, suppress)


@pytest.mark.parametrize("name", ["sent", "bounces", "not_sent", "engagement"])
def test_every_event_names_its_own_bytes_of_the_body(name: str) -> None:
    body = (FIXTURES / f"{name}.json").read_bytes()
    found = slices(SparkPostReceiver(), body)
    types = [event["type"] for one in found for event in one["msys"].values()]
    assert types == [heard.provider_type for heard in fixture(name)]


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_no_json_is_unreadable_before_the_first_event(body: bytes) -> None:
    with pytest.raises(Unreadable):
        SparkPostReceiver().parse({}, body)


@pytest.mark.parametrize(
    "entry",
    [7, "bounce", None, [], {}, {"msys": 7}, {"msys": {"new_event": {"type": "brand_new"}}}],
)
def test_what_is_no_event_known_here_is_unknown(entry: Any) -> None:
    (heard,) = heard_in(SparkPostReceiver(), [entry])
    assert heard.type is EventType.UNKNOWN


def test_ten_megabytes_of_events_are_read() -> None:
    event = {"msys": {"message_event": {"type": "bounce", "raw_reason": "x" * 1000}}}
    assert len(heard_in(SparkPostReceiver(), [event] * 9_000)) == 9_000


NAMES = [
    "type", "bounce_class", "error_code", "raw_reason", "reason", "rcpt_to", "raw_rcpt_to",
    "rcpt_meta", "timestamp", "event_id", "transmission_id", "fbtype", "target_link_url",
    "user_agent", "user_agent_parsed", "ip_address",
]  # fmt: skip


@given(st.lists(objects(NAMES, {*TYPES, *CLASSES, SUPPRESSED}) | VALUES, max_size=4))
def test_any_array_gives_one_event_for_each_entry(array: list[Any]) -> None:
    heards = heard_in(SparkPostReceiver(), [{"msys": {"message_event": one}} for one in array])
    assert len(heards) == len(array)
    for heard in heards:
        check(heard, "sparkpost")
