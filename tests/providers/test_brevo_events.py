"""Brevo's events in the normal form, and hostile bodies that never end in a traceback."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import BREVO
from postroom.domain.reason import read
from postroom.providers.base import Account, Heard, NotAuthentic, Unreadable
from postroom.providers.brevo.events import TYPES, BrevoReceiver
from tests.providers.event_checks import UNREADABLE, VALUES, check, heard_in, objects, slices

FIXTURES = Path(__file__).parent / "fixtures" / "brevo"
HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")


def fixture(name: str) -> list[Heard]:
    return list(BrevoReceiver().parse({}, (FIXTURES / f"{name}.json").read_bytes()))


def told(**fields: Any) -> Heard:
    (heard,) = heard_in(BrevoReceiver(), fields)
    return heard


@pytest.mark.parametrize(
    ("name", "meanings"),
    [
        ("request", [("accepted", None, "no")]),
        ("delivered", [("delivered", None, "no")]),
        (
            "failures",
            [
                ("deferred", "mailbox_full", "no"),
                ("bounced", "gave_up", "on_repeat"),
                ("bounced", "address_unknown", "now"),
                ("bounced", "address_unknown", "now"),
                ("bounced", "address_unknown", "now"),
                ("rejected", "provider_refused", "no"),
            ],
        ),
        ("blocked", [("suppressed", "suppressed_by_provider", "no")] * 2),
        (
            "engagement",
            [("opened", None, "no")] * 4
            + [("clicked", None, "no")]
            + [("complained", "complained_before", "now")] * 2
            + [("unsubscribed", "unsubscribed", "no")] * 2,
        ),
    ],
)
def test_every_event_of_the_vendor_s_page_has_its_meaning(
    name: str, meanings: list[tuple[str, str | None, str]]
) -> None:
    readings = [(heard.type, read(heard, "brevo")) for heard in fixture(name)]
    assert [(type, r.reason, r.suppress) for type, r in readings] == meanings


def test_a_bounce_keeps_everything_that_was_told() -> None:
    heard = fixture("failures")[2]
    assert heard.recipient == "jo@example.com"
    assert heard.occurred_raw == "1770918176"
    assert (heard.reply_code, heard.enhanced_code) == (550, "5.1.1")
    assert heard.diagnostic == "550 5.1.1 no such user here"
    assert heard.handover_id == HANDOVER
    assert heard.provider_message_id == "202602121742.4711@smtp-relay.example.org"
    assert (heard.provider_type, heard.provider_class) == ("hard_bounce", "hard_bounce")
    assert (heard.event_id, heard.given_up) == (None, False)


def test_a_soft_bounce_is_given_up_whatever_its_text_says() -> None:
    assert fixture("failures")[1].given_up


def test_the_cause_of_a_block_is_told_for_unsubscribes_only() -> None:
    causes = [read(heard, "brevo").cause for heard in fixture("blocked")]
    assert causes == [None, "unsubscribed"]


def test_opens_by_a_proxy_are_by_a_machine_and_of_others_nobody_knows() -> None:
    found = [heard.machine for heard in fixture("engagement")[:5]]
    assert found == [None, None, True, True, None]


def test_the_first_opening_and_every_opening_are_one_fact() -> None:
    first, every, *_ = fixture("engagement")
    assert (first.type, first.occurred_raw) == (every.type, every.occurred_raw)


@pytest.mark.parametrize(
    ("stamps", "second"),
    [
        ({"ts_epoch": 1770918176123}, 56),
        ({"ts_epoch": 1770918176}, 56),
        ({"ts": 1770918175}, 55),
        ({"ts_event": 1770918176, "ts": 1770918175}, 56),
    ],
)
def test_stamps_in_seconds_and_milliseconds_are_told_apart(
    stamps: dict[str, int], second: int
) -> None:
    at = told(event="delivered", **stamps).occurred_at
    assert at is not None
    assert (at.year, at.second) == (2026, second)


def test_the_vendor_s_failing_events_have_exactly_one_row_each() -> None:
    words = {name for name, type in TYPES.items() if type in _FAILING}
    assert set(BREVO) == words | {"blocked/unsubscribed"}


_FAILING = {EventType.DEFERRED, EventType.BOUNCED, EventType.SUPPRESSED, EventType.REJECTED}


@pytest.mark.parametrize(
    "value", ["", "postroom_handover", "postroom_handover:", "other:" + str(HANDOVER), "{}", 7]
)
def test_a_foreign_custom_header_names_no_hand_over(value: Any) -> None:
    assert told(event="opened", **{"X-Mailin-custom": value}).handover_id is None


def test_a_wrong_token_is_refused() -> None:
    account = Account(1, "main", "brevo", False, {"webhook_token": "t0ken"})
    now = fixture("delivered")[0].occurred_at
    assert now is not None
    BrevoReceiver().verify(account, {"authorization": "Bearer t0ken"}, b"{}", now)
    with pytest.raises(NotAuthentic):
        BrevoReceiver().verify(account, {}, b"{}", now)


@pytest.mark.parametrize("name", ["request", "failures", "blocked", "engagement"])
def test_every_event_names_its_own_bytes_of_the_body(name: str) -> None:
    body = (FIXTURES / f"{name}.json").read_bytes()
    found = slices(BrevoReceiver(), body)
    assert [entry["event"] for entry in found] == [one.provider_type for one in fixture(name)]


@pytest.mark.parametrize("body", UNREADABLE)
def test_what_is_no_json_is_unreadable_before_the_first_event(body: bytes) -> None:
    with pytest.raises(Unreadable):
        BrevoReceiver().parse({}, body)


@pytest.mark.parametrize("entry", [7, "sent", None, [], {}, {"event": "inboundEmailProcessed"}])
def test_what_is_no_event_of_a_mail_is_unknown(entry: Any) -> None:
    (heard,) = heard_in(BrevoReceiver(), [entry])
    assert heard.type is EventType.UNKNOWN


def test_ten_megabytes_of_events_are_read() -> None:
    entries = [{"event": "deferred", "reason": "x" * 1000}] * 9_000
    assert len(heard_in(BrevoReceiver(), entries)) == 9_000


NAMES = [
    "event", "email", "reason", "ts", "ts_event", "ts_epoch", "message-id", "X-Mailin-custom",
    "link", "user_agent",
]  # fmt: skip


@given(st.lists(objects(NAMES, TYPES) | VALUES, max_size=4))
def test_any_array_gives_one_event_for_each_entry(array: list[Any]) -> None:
    heards = heard_in(BrevoReceiver(), array)
    assert len(heards) == len(array)
    for heard in heards:
        check(heard, "brevo")
