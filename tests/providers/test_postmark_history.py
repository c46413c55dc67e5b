"""Postmark is asked in stretches: which messages it took, what came of each, and the bounces."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.providers.history import HistoryFailed
from postroom.providers.postmark import PostmarkHistory, PostmarkReceiver
from postroom.providers.postmark.history import _eastern, _utc
from tests.providers.event_checks import VALUES, check
from tests.providers.test_history import SINCE, ask, fact
from tests.scripted_api import scripted_api

FIXTURES = Path(__file__).parent / "fixtures" / "postmark"
STRETCH = "fromdate=2026-11-23T17:00:00&todate=2026-11-23T17:05:00&messagestream=outbound"
"""Ten at night in UTC is five in the afternoon in New York."""
START = int(SINCE.timestamp())
POST = json.loads((FIXTURES / "delivery.json").read_bytes())
ID = POST["MessageID"]


def details(**changes: Any) -> dict[str, Any]:
    described: dict[str, Any] = {
        "MessageID": ID,
        "Recipients": [POST["Recipient"]],
        "Metadata": POST["Metadata"],
        "ReceivedAt": "2026-11-20T05:21:05.5-05:00",
        "TextBody": "Dear Jo, your salary is ...",
        "MessageEvents": [
            {
                "Recipient": POST["Recipient"],
                "Type": "Delivered",
                "ReceivedAt": "2026-11-20T05:21:07-05:00",
                "Details": {"DeliveryMessage": POST["Details"], "DestinationIP": "192.0.2.1"},
            },
            {"Recipient": POST["Recipient"], "Type": "Opened", "Details": {"Summary": "x"}},
        ],
    }
    return described | changes


def messages(count: int = 50, offset: int = 0) -> str:
    return f"GET /messages/outbound?count={count}&offset={offset}&{STRETCH}"


def bounces(offset: int = 0) -> str:
    return f"GET /bounces?count=500&offset={offset}&{STRETCH}"


def test_a_listed_message_was_taken_and_its_delivery_is_the_fact_that_was_pushed() -> None:
    with scripted_api(
        {
            messages(): {"TotalCount": 1, "Messages": [{"MessageID": ID}]},
            f"GET /messages/outbound/{ID}/details": details(),
        }
    ) as api:
        (page,) = ask("postmark", api, None)
    assert api.headers[0]["X-Postmark-Server-Token"] == "t"
    taken, delivered = PostmarkHistory().parse(page.body)
    (pushed,) = PostmarkReceiver().parse({}, json.dumps(POST).encode())
    assert (taken.type, taken.recipient) == (EventType.ACCEPTED, POST["Recipient"])
    assert taken.occurred_raw == "2026-11-20T10:21:05.5Z"
    assert taken.handover_id == delivered.handover_id == pushed.handover_id
    assert fact(delivered) == fact(pushed)
    assert b"salary" not in page.body, "the mail itself is not kept"


def test_each_stretch_gives_its_messages_then_its_bounces_then_the_next_follows() -> None:
    full = [{"MessageID": ID}] * 50
    with scripted_api(
        {
            messages(): {"Messages": full},
            messages(offset=50): {"Messages": []},
            f"GET /messages/outbound/{ID}/details": details(),
            bounces(): {"TotalCount": 1, "Bounces": [{"Type": "HardBounce"}]},
        }
    ) as api:
        places = [f"messages@{START}+50", f"bounces@{START}+0"]
        pages = ask("postmark", api, None, *places)
    assert [page.place for page in pages] == [*places, f"messages@{START + 300}+0"]
    assert [bool(page.body) for page in pages] == [True, False, True]


def test_the_last_stretch_ends_the_pull() -> None:
    last = datetime(2026, 11, 24, 9, 27, tzinfo=UTC)
    asked = "fromdate=2026-11-24T04:27:00&todate=2026-11-24T04:32:00&messagestream=outbound"
    with scripted_api({f"GET /bounces?count=500&offset=0&{asked}": {"Bounces": []}}) as api:
        (page,) = ask("postmark", api, f"bounces@{int(last.timestamp())}+0")
    assert page.place is None


def test_a_message_that_cannot_be_had_fails_the_page() -> None:
    with (
        scripted_api({messages(): {"Messages": [{"MessageID": ID}]}}) as api,
        pytest.raises(HistoryFailed, match="404"),
    ):
        ask("postmark", api, None)


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("2026-03-08T06:59:59", "2026-03-08T01:59:59"),
        ("2026-03-08T07:00:00", "2026-03-08T03:00:00"),
        ("2026-07-01T00:00:00", "2026-06-30T20:00:00"),
        ("2026-11-01T05:59:59", "2026-11-01T01:59:59"),
        ("2026-11-01T06:00:00", "2026-11-01T01:00:00"),
        ("2027-01-01T00:00:00", "2026-12-31T19:00:00"),
    ],
)
def test_instants_are_asked_for_on_the_clocks_of_new_york(at: str, shown: str) -> None:
    assert _eastern(datetime.fromisoformat(at).replace(tzinfo=UTC)) == shown


def test_an_instant_keeps_all_its_digits_on_its_way_to_utc() -> None:
    assert _utc("2026-11-20T05:21:12.1234567-05:00") == "2026-11-20T10:21:12.1234567Z"
    assert _utc("2026-11-20T10:21:07Z") == "2026-11-20T10:21:07Z"
    assert _utc("yesterday") == "yesterday"
    assert _utc("2026-13-20T10:21:07Z") == "2026-13-20T10:21:07Z"


@given(
    items=st.lists(
        VALUES
        | st.dictionaries(
            st.sampled_from(["MessageID", "Recipients", "Metadata", "ReceivedAt"]), VALUES
        )
        | st.builds(
            lambda told: {"MessageEvents": [{"Type": "Delivered", "Details": told}]}, VALUES
        ),
        max_size=4,
    )
)
def test_whatever_a_message_holds_can_be_stored_and_read(items: list[Any]) -> None:
    for heard in PostmarkHistory().parse(json.dumps({"Messages": items}).encode()):
        check(heard, "postmark")


def test_stretches_cover_a_window_without_a_gap() -> None:
    place: str | None = None
    starts = []
    with scripted_api({}) as api:
        api.otherwise = {"Messages": [], "Bounces": []}
        for _ in range(300):
            (page,) = ask("postmark", api, place)
            place = page.place
            if place is None:
                break
            starts.append(int(place.partition("@")[2].partition("+")[0]))
    assert place is None
    assert sorted(set(starts)) == list(range(START, starts[-1] + 1, 300))
    assert timedelta(seconds=starts[-1] + 300 - START) >= timedelta(hours=11, minutes=30)
