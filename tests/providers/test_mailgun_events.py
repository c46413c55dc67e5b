"""Mailgun's events in the normal form, and hostile bodies that never end in a traceback."""

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import MAILGUN
from postroom.domain.reason import Suppress, read
from postroom.providers.base import Heard, Unreadable
from postroom.providers.mailgun.events import SUPPRESSED, TYPES
from postroom.providers.mailgun.receiver import MailgunReceiver
from tests.providers.event_checks import UNREADABLE, VALUES, check, heard_in, objects

FIXTURES = Path(__file__).parent / "fixtures" / "mailgun"
HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")


def parsed(body: bytes) -> Heard:
    (heard,) = MailgunReceiver().parse({}, body)
    return heard


def fixture(name: str) -> Heard:
    return parsed((FIXTURES / f"{name}.json").read_bytes())


def event(**fields: Any) -> Heard:
    (heard,) = heard_in(MailgunReceiver(), {"signature": {}, "event-data": fields})
    return heard


@pytest.mark.parametrize(
    ("name", "type", "reason", "said"),
    [
        ("accepted", "accepted", None, "no"),
        ("delivered", "delivered", None, "no"),
        ("bounced", "bounced", "address_unknown", "now"),
        ("late_bounce", "bounced", "mailbox_full", "on_repeat"),
        ("deferred", "deferred", "greylisted", "no"),
        ("no_mx", "deferred", "routing_or_network", "no"),
        ("given_up", "bounced", "gave_up", "on_repeat"),
        ("blocked", "bounced", "reputation_block", "no"),
        ("suppressed_bounce", "suppressed", "suppressed_by_provider", "no"),
        ("suppressed_unsubscribe", "suppressed", "suppressed_by_provider", "no"),
        ("suppressed_complaint", "suppressed", "suppressed_by_provider", "now"),
        ("rejected", "rejected", "provider_refused", "no"),
        ("opened", "opened", None, "no"),
        ("opened_by_machine", "opened", None, "no"),
        ("clicked", "clicked", None, "no"),
        ("complained", "complained", "complained_before", "now"),
        ("unsubscribed", "unsubscribed", "unsubscribed", "no"),
        ("stored", "unknown", None, "no"),
        ("legacy_bounced", "bounced", "address_unknown", "now"),
        ("legacy_dropped", "suppressed", "suppressed_by_provider", "no"),
        ("legacy_old", "bounced", "gave_up", "on_repeat"),
        ("legacy_clicked", "clicked", None, "no"),
    ],
)
def test_every_event_of_the_vendor_s_pages_has_its_meaning(
    name: str, type: str, reason: str | None, said: str
) -> None:
    heard = fixture(name)
    reading = read(heard, "mailgun")
    assert (heard.type, reading.reason, reading.suppress) == (type, reason, said)


def test_a_bounce_keeps_everything_that_was_told() -> None:
    heard = fixture("bounced")
    assert heard.recipient == "jo@example.com"
    assert heard.occurred_raw == "1770918175.592369"
    assert heard.occurred_at is not None
    assert heard.occurred_at.isoformat() == "2026-02-12T17:42:55.592369+00:00"
    assert (heard.reply_code, heard.enhanced_code) == (550, "5.1.1")
    assert heard.diagnostic == "5.1.1 <jo@example.com>: Recipient address rejected: User unknown"
    assert heard.remote_host == "mx1.example.com"
    assert heard.handover_id == HANDOVER
    assert heard.provider_message_id == "20260212174255.1.AB@mg.example.org"
    assert heard.event_id == "Ev-failed-1"
    assert (heard.provider_type, heard.provider_class) == ("permanent_fail", "bounce/hard")
    assert not heard.given_up


def test_numbers_of_mailgun_s_own_are_no_replies() -> None:
    assert fixture("no_mx").reply_code is None
    assert fixture("suppressed_bounce").reply_code is None
    assert fixture("given_up").reply_code == 451


def test_the_end_of_deferrals_tells_the_last_words_of_the_receiver() -> None:
    heard = fixture("given_up")
    assert heard.given_up
    assert heard.diagnostic == "Too old\n4.3.2 system not accepting mail"


def test_a_permanent_failure_without_an_answer_never_suppresses_at_once() -> None:
    status = {"code": 498, "message": "No MX for example.com"}
    heard = event(
        event="failed", severity="permanent", reason="generic", **{"delivery-status": status}
    )
    assert heard.given_up
    assert read(heard, "mailgun").suppress is not Suppress.NOW


def test_bounces_after_acceptance_are_told_from_those_in_the_talk() -> None:
    assert fixture("late_bounce").asynchronous is True
    flags = {"is-delayed-bounce": False}
    assert event(event="failed", severity="permanent", flags=flags).asynchronous is False
    assert fixture("bounced").asynchronous is None


def test_bots_are_told_from_people_where_mailgun_says_so() -> None:
    found = [fixture(name).machine for name in ("opened", "opened_by_machine", "clicked")]
    assert found == [False, True, None]


def test_a_form_says_the_same_url_encoded_and_in_parts() -> None:
    fields = json.loads((FIXTURES / "legacy_bounced.json").read_bytes())
    expected = fixture("legacy_bounced")
    assert parsed(urlencode(fields).encode()) == expected
    assert parsed(multipart(fields)) == expected


def multipart(fields: Mapping[str, str]) -> bytes:
    file = (
        'Content-Disposition: form-data; name="attachment-1"; filename="message.mime"\r\n'
        "Content-Type: message/rfc822\r\n\r\nevent=delivered\r\n"
    )
    named = (
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return "".join(f"--edge-7\r\n{part}" for part in [file, *named]).encode() + b"--edge-7--\r\n"


def test_the_vendor_s_classes_have_exactly_one_row_each() -> None:
    reasons = {"bounce", "delayed-bounce", "generic", "greylisted", "espblock", "old", "hardfail"}
    stats = {"webhook"}
    kinds = {"bounce/hard", "bounce/soft"}
    assert set(MAILGUN) == reasons | stats | kinds | SUPPRESSED


@pytest.mark.parametrize(
    "body", [*UNREADABLE, b"{}", b"[]", b"null", b"a=b", b"--x\r\n", b"\xe9=1"]
)
def test_what_is_no_notification_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        MailgunReceiver().parse({}, body)


def test_a_new_word_is_unknown_and_kept() -> None:
    heard = event(event="brand_new", recipient="jo@example.com")
    assert (heard.type, heard.provider_type) == (EventType.UNKNOWN, "brand_new")


def test_ten_megabytes_are_read() -> None:
    assert event(event="failed", reason="x" * 10_000_000).type is EventType.BOUNCED
    with pytest.raises(Unreadable):
        MailgunReceiver().parse({}, b"--x\r\n" * 2_000_000)


STATUS = objects(
    ["code", "message", "description", "enhanced-code", "last-code", "last-message", "bounce-type"],
    ["605", "602", "498", "550", "5.1.1"],
)
ENTRIES = st.fixed_dictionaries(
    {"event": st.sampled_from(sorted(TYPES)) | VALUES},
    optional={
        "delivery-status": STATUS | VALUES,
        "reason": st.sampled_from(sorted(MAILGUN)) | VALUES,
        "severity": st.sampled_from(["permanent", "temporary"]) | VALUES,
        "client-info": objects(["bot", "user-agent"], ["apple"]) | VALUES,
        "user-variables": objects(["postroom_handover"], [str(HANDOVER)]) | VALUES,
        **dict.fromkeys(["timestamp", "recipient", "message", "flags", "reject", "url"], VALUES),
    },
)


@given(ENTRIES)
def test_any_event_can_be_stored_and_read(fields: dict[str, Any]) -> None:
    check(event(**fields), "mailgun")


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_unreadable(body: bytes) -> None:
    with suppress(Unreadable):
        check(parsed(body), "mailgun")
