"""Amazon SES's events in the normal form, and hostile bodies that never end in a traceback."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import SES
from postroom.domain.reason import REASONS, Suppress, read
from postroom.providers.base import Heard, Unreadable
from postroom.providers.ses import SesReceiver
from postroom.providers.ses.events import KINDS, SUPPRESSED

FIXTURES = Path(__file__).parent / "fixtures" / "ses"
HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")

BOUNCES = {
    "Undetermined": ["Undetermined"],
    "Permanent": ["General", "NoEmail", "Suppressed", "OnAccountSuppressionList"],
    "Transient": [
        "General",
        "MailboxFull",
        "MessageTooLarge",
        "CustomTimeoutExceeded",
        "ContentRejected",
        "AttachmentRejected",
    ],
}
DELAYS = [
    "InternalFailure",
    "General",
    "MailboxFull",
    "SpamDetected",
    "RecipientServerError",
    "IPFailure",
    "TransientCommunicationFailure",
    "BYOIPHostNameLookupUnavailable",
    "Undetermined",
    "SendingDeferral",
]
EVENT_TYPES = {
    "Bounce",
    "Complaint",
    "Delivery",
    "Send",
    "Reject",
    "Open",
    "Click",
    "Rendering Failure",
    "DeliveryDelay",
    "Subscription",
}


def parsed(body: bytes) -> list[Heard]:
    return list(SesReceiver().parse({}, body))


def event(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FIXTURES / f"{name}.json").read_bytes())
    return found


def fixture(name: str) -> list[Heard]:
    return parsed((FIXTURES / f"{name}.json").read_bytes())


def in_envelope(message: str, **fields: Any) -> bytes:
    envelope = {"Type": "Notification", "MessageId": "sns-1", "Message": message, **fields}
    return json.dumps(envelope).encode()


@pytest.mark.parametrize(
    ("name", "type", "reason", "suppress"),
    [
        ("send", EventType.ACCEPTED, None, Suppress.NO),
        ("delivery", EventType.DELIVERED, None, Suppress.NO),
        ("delay", EventType.DEFERRED, "mailbox_full", Suppress.NO),
        ("delay_silent", EventType.DEFERRED, "reputation_block", Suppress.NO),
        ("bounce", EventType.BOUNCED, "address_unknown", Suppress.NOW),
        ("late_bounce", EventType.BOUNCED, "address_unknown", Suppress.NOW),
        ("mailbox_full", EventType.BOUNCED, "mailbox_full", Suppress.ON_REPEAT),
        ("content", EventType.BOUNCED, "content_refused", Suppress.NO),
        ("given_up", EventType.BOUNCED, "gave_up", Suppress.ON_REPEAT),
        ("undetermined", EventType.BOUNCED, "unclassified", Suppress.NO),
        ("auto_reply", EventType.AUTO_REPLIED, "auto_reply", Suppress.NO),
        ("suppressed", EventType.SUPPRESSED, "suppressed_by_provider", Suppress.NO),
        ("account_list", EventType.SUPPRESSED, "suppressed_by_provider", Suppress.NO),
        ("complaint", EventType.COMPLAINED, "complained_before", Suppress.NOW),
        ("complaint_bare", EventType.COMPLAINED, "complained_before", Suppress.NOW),
        ("complaint_listed", EventType.SUPPRESSED, "suppressed_by_provider", Suppress.NO),
        ("not_spam", EventType.RESUBSCRIBED, None, Suppress.NO),
        ("auth_failure", EventType.UNKNOWN, None, Suppress.NO),
        ("reject", EventType.REJECTED, "provider_refused", Suppress.NO),
        ("rendering_failure", EventType.REJECTED, "render_failed", Suppress.NO),
        ("open", EventType.OPENED, None, Suppress.NO),
        ("click", EventType.CLICKED, None, Suppress.NO),
        ("unsubscribed", EventType.UNSUBSCRIBED, "unsubscribed", Suppress.NO),
        ("resubscribed", EventType.RESUBSCRIBED, None, Suppress.NO),
        ("new_type", EventType.UNKNOWN, None, Suppress.NO),
    ],
)
def test_every_event_of_the_vendors_pages_leads_to_its_meaning(
    name: str, type: EventType, reason: str | None, suppress: Suppress
) -> None:
    (heard,) = fixture(name)
    reading = read(heard, "ses")
    assert (heard.type, reading.reason, reading.suppress) == (type, reason, suppress)
    assert heard.recipient == "kim@example.org"
    assert heard.handover_id == HANDOVER
    assert heard.provider_message_id == event(name)["mail"]["messageId"]


def test_a_bounce_keeps_everything_that_was_told() -> None:
    (heard,) = fixture("bounce")
    assert heard.diagnostic == "smtp; 550 5.1.1 <kim@example.org>: user unknown"
    assert (heard.reply_code, heard.enhanced_code) == (550, "5.1.1")
    assert heard.provider_class == "Permanent/General"
    assert heard.occurred_raw == "2026-11-24T08:15:02.441Z"
    assert heard.occurred_at == datetime(2026, 11, 24, 8, 15, 2, 441000, UTC)
    assert heard.event_id == "0100019ab3c0870a-2b6d9f10-aaaa-bbbb-cccc-0123456789ab-000000"
    assert (heard.asynchronous, heard.given_up) == (False, False)


def test_a_report_of_another_server_came_after_acceptance() -> None:
    (heard,) = fixture("late_bounce")
    assert (heard.asynchronous, heard.remote_host) == (True, "mx1.example.org")


def test_a_transient_bounce_is_one_that_the_service_has_given_up() -> None:
    assert all(fixture(name)[0].given_up for name in ("given_up", "mailbox_full", "content"))


def test_a_click_keeps_its_link_and_its_browser() -> None:
    (heard,) = fixture("click")
    assert heard.url == "https://postroom.example/prices?year=2027"
    assert heard.user_agent == "Mozilla/5.0 (X11; Linux x86_64)"
    assert heard.machine is None


def test_a_delivery_keeps_the_receivers_answer_and_address() -> None:
    (heard,) = fixture("delivery")
    assert (heard.diagnostic, heard.reply_code) == ("250 2.6.0 Message received", 250)
    assert heard.remote_host == "192.0.2.17"


def test_one_notification_of_several_recipients_is_several_events_with_places_of_their_own() -> (
    None
):
    body = (FIXTURES / "several.json").read_bytes()
    kim, lee = parsed(body)
    assert (kim.recipient, lee.recipient) == ("kim@example.org", "lee@example.org")
    for heard in (kim, lee):
        assert heard.recipient is not None
        assert body[heard.start : heard.start + (heard.length or 0)] == heard.recipient.encode()


def test_nobody_can_say_which_of_several_recipients_opened_a_mail() -> None:
    opened = event("open")
    opened["mail"]["destination"] = ["kim@example.org", "lee@example.org"]
    (heard,) = parsed(json.dumps(opened).encode())
    assert heard.recipient is None


def test_the_envelope_of_sns_and_raw_delivery_say_the_same() -> None:
    (plain,) = fixture("bounce")
    (wrapped,) = parsed(in_envelope(json.dumps(event("bounce"))))
    assert wrapped == plain


def test_an_event_without_an_id_of_its_own_is_known_by_the_notifications() -> None:
    (heard,) = parsed(in_envelope(json.dumps(event("delivery"))))
    assert heard.event_id == "sns-1"


@pytest.mark.parametrize(
    "body",
    [
        in_envelope("Successfully validated SNS topic for Amazon SES event publishing."),
        in_envelope('{"notificationType":"AmazonSnsSubscriptionSucceeded","message":"..."}'),
        in_envelope('{"notificationType":"Received","mail":{"messageId":"in"},"receipt":{}}'),
        in_envelope("You have chosen ...", Type="SubscriptionConfirmation"),
        in_envelope("You have chosen ...", Type="UnsubscribeConfirmation"),
        in_envelope("[1,2]"),
        b"{}",
    ],
)
def test_what_says_nothing_about_a_delivery_is_no_event(body: bytes) -> None:
    assert parsed(body) == []


def test_every_documented_type_and_class_has_exactly_one_row() -> None:
    classes = {f"{kind}/{sub}" for kind, subs in BOUNCES.items() for sub in subs}
    classes |= {f"DeliveryDelay/{kind}" for kind in DELAYS}
    classes |= {"Complaint/OnAccountSuppressionList", "Reject/Bad content", "Rendering Failure"}
    assert KINDS.keys() == EVENT_TYPES
    assert classes <= SES.keys()
    assert all(row.reason in REASONS for row in SES.values())


@pytest.mark.parametrize("sub_type", sorted(SUPPRESSED))
def test_what_a_list_kept_back_was_never_attempted(sub_type: str) -> None:
    told = event("bounce")
    told["bounce"]["bounceSubType"] = sub_type
    (heard,) = parsed(json.dumps(told).encode())
    assert heard.type is EventType.SUPPRESSED
    assert read(heard, "ses").suppress is Suppress.NO


@pytest.mark.parametrize("sub_type", BOUNCES["Transient"])
def test_no_transient_bounce_suppresses_at_once_whatever_its_code(sub_type: str) -> None:
    told = event("bounce")
    told["bounce"] |= {"bounceType": "Transient", "bounceSubType": sub_type}
    (heard,) = parsed(json.dumps(told).encode())
    assert read(heard, "ses").suppress is not Suppress.NOW


@pytest.mark.parametrize("kind", DELAYS)
def test_every_delay_goes_on_being_tried(kind: str) -> None:
    told = event("delay_silent")
    told["deliveryDelay"]["delayType"] = kind
    (heard,) = parsed(json.dumps(told).encode())
    assert heard.type is EventType.DEFERRED
    assert read(heard, "ses").reason == SES[f"DeliveryDelay/{kind}"].reason


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"7", b"{", b"\xff\xfe", b'{"a":' * 50_000, in_envelope('{"eventType":"Bounce')],
)
def test_what_is_no_notification_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        parsed(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(sorted(EVENT_TYPES)),
    st.sampled_from(sorted({kind.own for kind in KINDS.values()})),
    json_values,
    json_values,
)
def test_values_of_any_type_in_any_place_are_read_without_a_surprise(
    name: str, own: str, told: object, mail: object
) -> None:
    body = json.dumps({"eventType": name, own: told, "mail": mail}).encode()
    for heard in parsed(body):
        read(heard, "ses")


@given(st.sampled_from([path.name for path in FIXTURES.iterdir()]), st.data())
def test_a_body_with_a_changed_byte_is_read_or_unreadable(name: str, data: st.DataObject) -> None:
    body = bytearray((FIXTURES / name).read_bytes())
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] = data.draw(st.integers(0, 255))
    try:
        heard = parsed(bytes(body))
    except Unreadable:
        return
    for one in heard:
        read(one, "ses")


@pytest.mark.parametrize("address", ["kim@example.org", "\u20ac@example.org"])
def test_sixty_thousand_recipients_take_no_more_than_linear_time(address: str) -> None:
    told = event("several")
    told["bounce"]["bouncedRecipients"] = [{"emailAddress": address}] * 60_000
    body = json.dumps(told).encode()
    began = time.process_time()
    assert len(parsed(body)) == 60_000
    assert time.process_time() - began < 15
