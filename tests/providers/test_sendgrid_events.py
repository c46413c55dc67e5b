"""SendGrid's events in the normal form, and hostile bodies that never end in a traceback."""

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import SENDGRID
from postroom.domain.reason import read
from postroom.providers.base import Heard, Unreadable
from postroom.providers.sendgrid.events import SUPPRESSED, TYPES, SendGridReceiver

FIXTURES = Path(__file__).parent / "fixtures" / "sendgrid"
HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")


def parsed(body: bytes) -> list[Heard]:
    return list(SendGridReceiver().parse({}, body))


def fixture(name: str) -> list[Heard]:
    return parsed((FIXTURES / f"{name}.json").read_bytes())


def told(**fields: Any) -> Heard:
    (heard,) = parsed(json.dumps([fields]).encode())
    return heard


@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("processed", ["accepted"]),
        ("deferred", ["deferred"]),
        ("delivered", ["delivered"]),
        ("bounce", ["bounced"]),
        ("blocked", ["bounced"]),
        ("given_up", ["bounced"]),
        ("late_bounce", ["bounced"]),
        ("dropped", ["suppressed"] * 3 + ["rejected"] * 4),
        (
            "engagement",
            ["opened"] * 2 + ["clicked", "complained"] + ["unsubscribed"] * 2 + ["resubscribed"],
        ),
        ("account", ["unknown"]),
    ],
)
def test_every_event_of_the_vendor_s_page_has_its_type(name: str, types: list[str]) -> None:
    assert [heard.type for heard in fixture(name)] == types


@pytest.mark.parametrize(
    ("name", "reasons"),
    [
        ("deferred", ["rate_limited"]),
        ("delivered", [None]),
        ("bounce", ["address_unknown"]),
        ("blocked", ["reputation_block"]),
        ("given_up", ["gave_up"]),
        (
            "dropped",
            ["suppressed_by_provider"] * 3
            + ["provider_quota", "provider_refused", "provider_refused", "address_syntax"],
        ),
    ],
)
def test_events_lead_to_their_reasons(name: str, reasons: list[str | None]) -> None:
    assert [read(heard, "sendgrid").reason for heard in fixture(name)] == reasons


def test_a_bounce_keeps_everything_that_was_told() -> None:
    (heard,) = fixture("bounce")
    assert heard.recipient == "jo@example.com"
    assert heard.occurred_at == datetime(2025, 11, 24, 8, 1, 3, tzinfo=UTC)
    assert heard.occurred_raw == "1763971263"
    assert (heard.reply_code, heard.enhanced_code) == (550, "5.1.1")
    assert heard.diagnostic == (
        "550 5.1.1 <jo@example.com>: Recipient address rejected: User unknown"
    )
    assert heard.handover_id == HANDOVER
    assert heard.provider_message_id == "a1b2.recvd-6f-1-6923-0.0"
    assert heard.event_id == "Ym91bmNlLTE"
    assert (heard.provider_type, heard.provider_class) == ("bounce", "Invalid Address")
    assert not heard.given_up


def test_a_bounce_with_a_temporary_status_was_given_up() -> None:
    (heard,) = fixture("given_up")
    assert heard.given_up
    assert heard.provider_type == "blocked"


def test_opens_tell_machines_from_people_and_clicks_do_not() -> None:
    person, machine, click, *_ = fixture("engagement")
    assert [person.machine, machine.machine, click.machine] == [False, True, None]
    assert click.url == "https://example.com/søk?q=grüße"


def test_the_vendor_s_classes_have_exactly_one_row_each() -> None:
    dropped = {
        "Bounced Address", "Spam Reporting Address", "Unsubscribed Address", "Invalid",
        "Spam Content", "Invalid SMTPAPI header", "Recipient List over Package Quota",
    }  # fmt: skip
    bounced = {
        "Invalid Address", "Technical", "Content", "Reputation", "Frequency or Volume Too High",
        "Mailbox Unavailable", "Unclassified",
    }  # fmt: skip
    spellings = {"Technical Failure", "Frequency/Volume Too High"}
    assert set(SENDGRID) == dropped | bounced | spellings
    assert dropped > SUPPRESSED


@pytest.mark.parametrize("name", sorted(path.stem for path in FIXTURES.glob("*.json")))
def test_every_event_names_its_own_bytes_of_the_body(name: str) -> None:
    body = (FIXTURES / f"{name}.json").read_bytes()
    entries = json.loads(body)
    slices = [
        json.loads(body[h.start : h.start + h.length]) for h in parsed(body) if h.length is not None
    ]
    assert slices == entries


@pytest.mark.parametrize("lead", ["", "\ufeff", " \r\n\t"])
def test_bytes_are_counted_and_not_characters(lead: str) -> None:
    entries = [{"event": "click", "url": "https://example.com/grüße 🦉"}, 7, {"event": "日本"}]
    body = (lead + json.dumps(entries, ensure_ascii=False, indent=1)).encode()
    found = [json.loads(body[h.start : h.start + (h.length or 0)]) for h in parsed(body)]
    assert found == entries


def test_repeated_entries_are_all_yielded_and_the_same_fact() -> None:
    entry = {"event": "delivered", "email": "jo@example.com", "timestamp": 1}
    first, second = parsed(json.dumps([entry, entry]).encode())
    assert first.start != second.start
    assert (first.type, first.occurred_raw) == (second.type, second.occurred_raw)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{}",
        b"null",
        b"7",
        b'"x"',
        b"[",
        b"[1",
        b"[1,",
        b"[1,]",
        b"[,]",
        b"[1 2]",
        b"[]]",
        b"[] x",
        b"[{]",
        b'[{"a":1}',
        b"\xff\xfe[]",
        b"[\xff]",
        b"event=delivered",
        b"[" * 100_000,
        b'[{"a":' * 50_000,
        b'["\x00"]',
        b"[01]",
        b"[+1]",
        b"['a']",
    ],
)
def test_what_is_no_array_is_unreadable_before_the_first_event(body: bytes) -> None:
    with pytest.raises(Unreadable):
        SendGridReceiver().parse({}, body)


def test_an_empty_array_says_nothing() -> None:
    assert parsed(b" [ ] ") == []


@pytest.mark.parametrize("item", ["7", '"delivered"', "null", "[]", "{}", "NaN", "-Infinity"])
def test_an_entry_that_is_no_event_is_unknown(item: str) -> None:
    (heard,) = parsed(f"[{item}]".encode())
    assert heard.type is EventType.UNKNOWN


def test_a_new_word_is_unknown_and_kept() -> None:
    heard = told(event="brand_new", email="jo@example.com")
    assert (heard.type, heard.provider_type) == (EventType.UNKNOWN, "brand_new")


@pytest.mark.parametrize(
    "stamp",
    ["null", '""', '"soon"', "[]", "{}", "true", "1e300", "-1e300", "NaN", "9" * 5_000],
)
def test_an_impossible_stamp_is_no_instant(stamp: str) -> None:
    (heard,) = parsed(f'[{{"event":"delivered","timestamp":{stamp}}}]'.encode())
    assert heard.occurred_at is None


def test_text_that_cannot_be_stored_is_replaced() -> None:
    heard = parsed(b'[{"event":"bounce","reason":"550 \\u0000 \\ud800 no","email":"\\ud83d@x"}]')[0]
    assert heard.diagnostic == "550 � � no"
    assert heard.recipient == "�@x"


def test_of_a_repeated_name_the_last_one_counts() -> None:
    heard = parsed(b'[{"event":"bounce","event":"delivered"}]')[0]
    assert heard.type is EventType.DELIVERED


def test_a_foreign_hand_over_id_is_none() -> None:
    assert told(event="open", postroom_handover="not ours").handover_id is None
    assert told(event="open", postroom_handover=7).handover_id is None
    underscore = "019ab3c0-7d10-7a_c-8def-0123456789ab"
    assert told(event="open", postroom_handover=underscore).handover_id is None


def test_ten_megabytes_of_events_are_read() -> None:
    entry = b'{"event":"delivered","email":"jo@example.com","response":"' + b"x" * 1000 + b'"}'
    assert len(parsed(b"[" + b",".join([entry] * 9_000) + b"]")) == 9_000


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
names = st.sampled_from(
    [
        "event",
        "email",
        "timestamp",
        "reason",
        "response",
        "status",
        "type",
        "sg_event_id",
        "sg_message_id",
        "url",
        "useragent",
        "bounce_classification",
        "sg_machine_open",
        "postroom_handover",
    ]
)
entries = st.dictionaries(names, values | st.sampled_from(sorted(TYPES)), max_size=12)


@given(st.lists(entries | values, max_size=4))
def test_any_json_array_gives_one_event_for_each_entry(array: list[Any]) -> None:
    heards = parsed(json.dumps(array).encode())
    assert len(heards) == len(array)
    for heard in heards:
        _is_storable(heard)
        read(heard, "sendgrid")


@given(st.binary(max_size=200))
def test_any_bytes_are_events_or_unreadable(body: bytes) -> None:
    with suppress(Unreadable):
        parsed(body)


def _is_storable(heard: Heard) -> None:
    texts: Mapping[str, Any] = {name: getattr(heard, name) for name in Heard.__slots__}
    for value in texts.values():
        if isinstance(value, str):
            assert "\x00" not in value
            value.encode()
