"""Postmark's events in the normal form, and hostile bodies that never end in a traceback."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import POSTMARK
from postroom.domain.reason import read
from postroom.providers.base import Heard, Unreadable
from postroom.providers.postmark.events import BOUNCES, RECORDS, PostmarkReceiver
from tests.providers.event_checks import UNREADABLE, VALUES, check, heard_in, objects

FIXTURES = Path(__file__).parent / "fixtures" / "postmark"
HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")
MESSAGE_ID = "883953f4-6105-42a2-a16a-77a8eac79483"
TYPES = {
    "HardBounce", "Transient", "Unsubscribe", "Subscribe", "AutoResponder", "AddressChange",
    "DnsError", "SpamNotification", "OpenRelayTest", "Unknown", "SoftBounce", "VirusNotification",
    "ChallengeVerification", "BadEmailAddress", "SpamComplaint", "ManuallyDeactivated",
    "Unconfirmed", "Blocked", "SMTPApiError", "InboundError", "DMARCPolicy",
    "TemplateRenderingFailed",
}  # fmt: skip
"""The vendor's table of bounce types."""


def fixture(name: str) -> Heard:
    (heard,) = PostmarkReceiver().parse({}, (FIXTURES / f"{name}.json").read_bytes())
    return heard


def bounce(type: str, details: str = "") -> Heard:
    fields = {"RecordType": "Bounce", "Type": type, "Email": "jo@example.com", "Details": details}
    (heard,) = heard_in(PostmarkReceiver(), fields)
    return heard


@pytest.mark.parametrize(
    ("name", "type", "reason", "suppress"),
    [
        ("delivery", "delivered", None, "no"),
        ("hard_bounce", "bounced", "address_unknown", "now"),
        ("soft_bounce", "bounced", "mailbox_full", "on_repeat"),
        ("transient", "deferred", "greylisted", "no"),
        ("blocked", "bounced", "reputation_block", "no"),
        ("auto_responder", "auto_replied", "auto_reply", "no"),
        ("inactive_by_smtp", "suppressed", "suppressed_by_provider", "no"),
        ("spam_complaint", "complained", "complained_before", "now"),
        ("open", "opened", None, "no"),
        ("click", "clicked", None, "no"),
        ("unsubscribed", "unsubscribed", "unsubscribed", "no"),
        ("listed_by_bounce", "suppressed", "suppressed_by_provider", "no"),
        ("listed_by_hand", "suppressed", "suppressed_by_provider", "no"),
        ("lifted", "resubscribed", None, "no"),
    ],
)
def test_every_event_of_the_vendor_s_pages_has_its_meaning(
    name: str, type: str, reason: str | None, suppress: str
) -> None:
    heard = fixture(name)
    reading = read(heard, "postmark")
    assert (heard.type, reading.reason, reading.suppress) == (type, reason, suppress)
    assert heard.recipient == "jo@example.com"


def test_a_bounce_keeps_everything_that_was_told() -> None:
    heard = fixture("hard_bounce")
    assert heard.occurred_at == datetime(2026, 11, 20, 10, 21, 12, 123456, UTC)
    assert heard.occurred_raw == "2026-11-20T10:21:12.1234567Z"
    assert (heard.reply_code, heard.enhanced_code) == (550, "5.1.1")
    assert heard.diagnostic == "smtp;550 5.1.1 <jo@example.com>: no such user here"
    assert (heard.handover_id, heard.provider_message_id) == (HANDOVER, MESSAGE_ID)
    assert (heard.provider_type, heard.provider_class) == ("Bounce", "HardBounce")
    assert heard.event_id == "4323372036854775807"


def test_a_stamp_of_another_zone_is_read_and_kept_as_given() -> None:
    heard = fixture("open")
    assert heard.occurred_at == datetime(2026, 11, 20, 10, 0, 0, 500_000, UTC)
    assert heard.occurred_raw == "2026-11-20T11:00:00.5+01:00"
    assert fixture("click").url == "https://example.com/prices"
    assert fixture("click").machine is None


def test_mail_received_is_no_event() -> None:
    body = (FIXTURES / "inbound.json").read_bytes()
    assert list(PostmarkReceiver().parse({}, body)) == []
    assert heard_in(PostmarkReceiver(), {"FromFull": {"Email": "jo@example.com"}}) == []


def test_the_cause_of_a_place_on_the_list_is_told() -> None:
    assert read(fixture("listed_by_bounce"), "postmark").cause == "bounced"
    assert read(fixture("listed_by_hand"), "postmark").cause is None
    assert fixture("listed_by_hand").handover_id is None


def test_a_post_as_before_record_types_is_read() -> None:
    old = {"Type": "HardBounce", "Email": "jo@example.com", "BouncedAt": "2014-08-01T13:28:10Z"}
    assert heard_in(PostmarkReceiver(), old)[0].type is EventType.BOUNCED


def test_the_vendor_s_types_have_exactly_one_row_each() -> None:
    assert set(BOUNCES) == TYPES
    reasons = {"HardBounce", "SpamComplaint", "ManualSuppression"}
    changes = {f"SubscriptionChange/{why}" for why in reasons}
    assert set(POSTMARK) == TYPES | changes | {"SMTPApiError/inactive"}


@pytest.mark.parametrize("type", sorted(TYPES))
def test_without_words_only_a_dead_address_and_a_complaint_suppress(type: str) -> None:
    now = read(bounce(type), "postmark").suppress == "now"
    assert now is (type in {"HardBounce", "SpamComplaint"})


@pytest.mark.parametrize(
    ("details", "reason", "suppress"),
    [
        ("smtp;550 5.2.2 mailbox full", "mailbox_full", "on_repeat"),
        ("smtp;550 5.1.1 user unknown", "address_unknown", "now"),
        ("smtp;450 4.1.1 user unknown", "gave_up", "on_repeat"),
        ("", "gave_up", "on_repeat"),
    ],
)
def test_the_receiver_s_words_go_before_the_type_of_a_bounce(
    details: str, reason: str, suppress: str
) -> None:
    reading = read(bounce("SoftBounce", details), "postmark")
    assert (reading.reason, reading.suppress) == (reason, suppress)


@pytest.mark.parametrize("origin", ["Recipient", "Customer", "Admin", 7, None])
def test_only_the_recipient_unsubscribes(origin: Any) -> None:
    fields = {
        "RecordType": "SubscriptionChange",
        "SuppressSending": True,
        "SuppressionReason": "ManualSuppression",
        "Origin": origin,
    }
    (heard,) = heard_in(PostmarkReceiver(), fields)
    assert (heard.type is EventType.UNSUBSCRIBED) is (origin == "Recipient")


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_no_json_is_unreadable_before_the_first_event(body: bytes) -> None:
    with pytest.raises(Unreadable):
        PostmarkReceiver().parse({}, body)


@pytest.mark.parametrize(
    "told",
    [7, "Open", None, {}, {"RecordType": "New"}, {"RecordType": "Bounce", "Type": "New"},
     {"RecordType": "SubscriptionChange"}],
)  # fmt: skip
def test_what_is_no_event_known_here_is_unknown(told: Any) -> None:
    (heard,) = heard_in(PostmarkReceiver(), told)
    assert heard.type is EventType.UNKNOWN


def test_ten_megabytes_are_read() -> None:
    assert bounce("HardBounce", "5.1.1 " * 1_700_000).type is EventType.BOUNCED


NAMES = [
    "RecordType", "Type", "Email", "Recipient", "Details", "Description", "MessageID", "Metadata",
    "ID", "DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt", "SuppressSending", "Origin",
    "SuppressionReason", "OriginalLink", "UserAgent",
]  # fmt: skip


@given(objects(NAMES, {*RECORDS, *TYPES}) | VALUES.filter(lambda told: not isinstance(told, list)))
def test_whatever_is_told_gives_one_event_that_can_be_stored(told: Any) -> None:
    (heard,) = heard_in(PostmarkReceiver(), told)
    check(heard, "postmark")


@given(st.lists(objects(NAMES, {*RECORDS, *TYPES}), max_size=3))
def test_an_array_gives_one_event_for_each_entry(array: list[Any]) -> None:
    assert len(heard_in(PostmarkReceiver(), array)) == len(array)
