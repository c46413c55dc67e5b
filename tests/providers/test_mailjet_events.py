"""Mailjet's events in the normal form, and hostile bodies that never end in a traceback."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import MAILJET
from postroom.domain.reason import read
from postroom.providers.base import Heard, Unreadable
from postroom.providers.mailjet.events import DEFERRED, KEPT_BACK, TYPES, MailjetReceiver
from tests.providers.event_checks import UNREADABLE, VALUES, check, heard_in, objects, slices

FIXTURES = Path(__file__).parent / "fixtures" / "mailjet"
HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")
ERRORS = {
    "user unknown", "mailbox inactive", "quota exceeded", "blacklisted", "spam reporter",
    "invalid domain", "no mail host", "relay/access denied", "greylisted", "typofix",
    "bad or empty template", "error in template language", "sender blocked", "content blocked",
    "policy issue", "system issue", "protocol issue", "connection issue", "preblocked",
    "spam preblocked", "duplicate in campaign",
}  # fmt: skip
"""The vendor's table of errors, and the states of a message."""


def fixture(name: str) -> list[Heard]:
    return list(MailjetReceiver().parse({}, (FIXTURES / f"{name}.json").read_bytes()))


def told(**fields: Any) -> Heard:
    (heard,) = heard_in(MailjetReceiver(), [fields])
    return heard


@pytest.mark.parametrize(
    ("name", "meanings"),
    [
        ("sent", [("delivered", None, "no")]),
        (
            "engagement",
            [
                ("opened", None, "no"),
                ("clicked", None, "no"),
                ("unsubscribed", "unsubscribed", "no"),
                ("complained", "complained_before", "now"),
            ],
        ),
        (
            "bounces",
            [
                ("bounced", "address_unknown", "now"),
                ("bounced", "mailbox_full", "on_repeat"),
                ("deferred", "greylisted", "no"),
                ("bounced", "gave_up", "on_repeat"),
            ],
        ),
        (
            "blocked",
            [
                ("suppressed", "suppressed_by_provider", "no"),
                ("suppressed", "suppressed_by_provider", "now"),
                ("suppressed", "suppressed_by_provider", "no"),
                ("rejected", "render_failed", "no"),
                ("rejected", "provider_refused", "no"),
            ],
        ),
    ],
)
def test_every_event_of_the_vendor_s_page_has_its_meaning(
    name: str, meanings: list[tuple[str, str | None, str]]
) -> None:
    readings = [(heard.type, read(heard, "mailjet")) for heard in fixture(name)]
    assert [(type, r.reason, r.suppress) for type, r in readings] == meanings


def test_a_bounce_keeps_everything_that_was_told() -> None:
    heard, full, _, later = fixture("bounces")
    assert heard.recipient == "jo@example.com"
    assert heard.occurred_raw == "1770918175"
    assert (heard.reply_code, heard.enhanced_code) == (550, "5.1.1")
    assert heard.diagnostic == "550 5.1.1 <jo@example.com>: no such user here"
    assert (heard.handover_id, heard.provider_message_id) == (HANDOVER, "288230376151711744")
    assert (heard.provider_type, heard.provider_class) == ("bounce", "user unknown")
    assert [heard.given_up, full.given_up, later.given_up] == [False, True, True]
    assert (full.diagnostic, later.provider_class) == ("quota exceeded", "policy issue")


def test_the_reply_of_a_taken_mail_is_read() -> None:
    (heard,) = fixture("sent")
    assert (heard.reply_code, heard.enhanced_code) == (250, "2.0.0")


def test_the_vendor_s_errors_have_exactly_one_row_each_for_bounces_and_for_blocked() -> None:
    assert set(MAILJET) == ERRORS | {f"blocked/{error}" for error in ERRORS}
    assert ERRORS > KEPT_BACK | DEFERRED


@pytest.mark.parametrize("error", sorted(ERRORS))
def test_what_was_kept_back_suppresses_for_a_complaint_only(error: str) -> None:
    reading = read(told(event="blocked", email="jo@example.com", error=error), "mailjet")
    assert (reading.suppress == "now") is (error == "spam reporter")


@pytest.mark.parametrize("error", sorted(ERRORS))
def test_a_soft_bounce_never_suppresses_at_once(error: str) -> None:
    fields = {"event": "bounce", "email": "jo@example.com", "hard_bounce": False, "error": error}
    assert error == "spam reporter" or read(told(**fields), "mailjet").suppress != "now"


@pytest.mark.parametrize("name", ["sent", "engagement", "bounces", "blocked"])
def test_every_event_names_its_own_bytes_of_the_body(name: str) -> None:
    body = (FIXTURES / f"{name}.json").read_bytes()
    found = slices(MailjetReceiver(), body)
    assert [entry["event"] for entry in found] == [one.provider_type for one in fixture(name)]


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_no_json_is_unreadable_before_the_first_event(body: bytes) -> None:
    with pytest.raises(Unreadable):
        MailjetReceiver().parse({}, body)


@pytest.mark.parametrize("entry", [7, "sent", None, [], {}, {"event": "brand_new"}])
def test_what_is_no_event_known_here_is_unknown(entry: Any) -> None:
    (heard,) = heard_in(MailjetReceiver(), [entry])
    assert heard.type is EventType.UNKNOWN


def test_ten_megabytes_of_events_are_read() -> None:
    entries = [{"event": "sent", "smtp_reply": "x" * 1000}] * 9_000
    assert len(heard_in(MailjetReceiver(), entries)) == 9_000


NAMES = [
    "event", "time", "email", "error", "error_related_to", "comment", "smtp_reply", "hard_bounce",
    "CustomID", "MessageID", "mj_message_id", "url", "agent",
]  # fmt: skip


@given(st.lists(objects(NAMES, {*TYPES, *ERRORS}) | VALUES, max_size=4))
def test_any_array_gives_one_event_for_each_entry(array: list[Any]) -> None:
    heards = heard_in(MailjetReceiver(), array)
    assert len(heards) == len(array)
    for heard in heards:
        check(heard, "mailjet")
