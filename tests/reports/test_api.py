"""The reading routes: what they answer, to whom, and how they refuse."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from postroom.domain.delivery import ANSWERS, EventType
from postroom.ledger.ids import uuid7
from tests.ledger import busy, making
from tests.ledger.busy import Busy
from tests.reports.reading import problem, reader

LISTS = ("/v1/deliveries", "/v1/communications", "/v1/suppressions")


def paths_of(made: Busy) -> list[str]:
    """Every reading route that names something of this application."""
    delivery = made.deliveries["bounced"]
    message = made.attempt.message_id
    return [
        f"/v1/messages/{message}",
        f"/v1/messages/{message}/deliveries",
        f"/v1/deliveries/{delivery}",
        f"/v1/deliveries/{delivery}/evidence",
        f"/v1/communications/{busy.COMMUNICATION}/report",
    ]


def test_every_reading_route_answers_its_own_application(ledger: None) -> None:
    made = busy.busy_ledger()
    own = reader()
    for path in (*paths_of(made), *LISTS):
        own.get(path)


def test_another_applications_key_finds_nothing_of_it(ledger: None) -> None:
    made = busy.busy_ledger()
    stranger = reader("stranger")
    for path in paths_of(made):
        told = stranger.refused(path, 404)
        missing = re.sub(r"[0-9a-f-]{36}|news", lambda _: str(uuid4()), path)
        assert told == stranger.refused(missing, 404)
    assert stranger.get("/v1/deliveries")["items"] == []
    assert stranger.get("/v1/deliveries", recipient="bounced@example.com")["items"] == []
    assert stranger.get("/v1/deliveries", communication=busy.COMMUNICATION)["items"] == []
    assert stranger.get("/v1/communications")["items"] == []


def test_without_a_key_or_with_a_wrong_one_every_route_is_401(ledger: None) -> None:
    made = busy.busy_ledger()
    for headers in ({}, {"Authorization": "Bearer postroom_test_nobody_nothing"}):
        for path in (*paths_of(made), *LISTS):
            problem(Client(headers=headers).get(path), 401)


def test_a_key_without_the_scope_read_is_403_on_every_route(ledger: None) -> None:
    made = busy.busy_ledger()
    sender = reader("shop", "send")
    for path in (*paths_of(made), *LISTS):
        sender.refused(path, 403)


WRONG = [
    ("/v1/deliveries", {"cursor": "x"}),
    ("/v1/deliveries", {"cursor": "\x00"}),
    ("/v1/deliveries", {"cursor": "ä"}),
    ("/v1/deliveries", {"since": "yesterday"}),
    ("/v1/deliveries", {"until": "2026-13-01"}),
    ("/v1/deliveries", {"as_of": "0001-01-01T00:00:00Z"}),
    ("/v1/deliveries", {"as_of": "9999-12-31T23:59:59-23:59"}),
    ("/v1/deliveries", {"since": "2026-11-24T10:00:00"}),
    ("/v1/deliveries", {"until": "2026-11-24"}),
    ("/v1/deliveries", {"as_of": "2026-11-24T10:00"}),
    ("/v1/communications/news/report", {"as_of": "2026-11-24T10:00:00"}),
    ("/v1/deliveries", {"recipient": "nobody"}),
    ("/v1/deliveries", {"recipient": "a\x00@example.com"}),
    ("/v1/deliveries", {"communication": "No Such"}),
    ("/v1/deliveries", {"communication": ".."}),
    ("/v1/deliveries", {"header_message_id": "\x00"}),
    ("/v1/deliveries", {"mail_from": "\x00"}),
    ("/v1/deliveries", {"limit": "0"}),
    ("/v1/deliveries", {"limit": "1001"}),
    ("/v1/deliveries", {"limit": "many"}),
    ("/v1/communications", {"cursor": "_____________________w"}),
    ("/v1/suppressions", {"address": "nobody"}),
    ("/v1/suppressions", {"cursor": "x"}),
    ("/v1/communications/news/report", {"as_of": "soon"}),
    ("/v1/communications/news/report", {"simulated": "perhaps"}),
]


@pytest.mark.parametrize(("path", "query"), WRONG)
def test_a_wrong_parameter_is_a_422_that_names_it(
    ledger: None, path: str, query: dict[str, str]
) -> None:
    busy.busy_ledger()
    told = reader().refused(path, 422, **query)
    assert [error["field"] for error in told["errors"]] == list(query)


@pytest.mark.parametrize("name", ["since", "until", "as_of"])
def test_an_instant_without_an_offset_is_a_422_that_says_so(ledger: None, name: str) -> None:
    told = reader().refused("/v1/deliveries", 422, **{name: "2026-11-24T10:00:00"})
    assert told["detail"] == f"{name}: has no offset from UTC; end it with Z or +hh:mm"


def test_an_unknown_state_is_a_422_and_a_nul_in_a_reason_too(ledger: None) -> None:
    path = f"/v1/messages/{busy.busy_ledger().attempt.message_id}/deliveries"
    reader().refused(path, 422, state="gone")
    reader().refused(path, 422, reason="\x00")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/messages/1",
        "/v1/deliveries/x",
        "/v1/communications/No%20Such/report",
        "/v1/communications/%00/report",
        "/v1/nothing",
    ],
)
def test_what_cannot_be_there_is_404(ledger: None, path: str) -> None:
    reader().refused(path, 404)


def test_a_delivery_has_its_answer_reason_advice_and_who_said_so(ledger: None) -> None:
    made = busy.busy_ledger()
    (one,) = reader().get("/v1/deliveries", recipient="BOUNCED@Example.COM")["items"]
    assert one["id"] == str(made.deliveries["bounced"])
    expected = {
        "state": "bounced",
        "answer": "not_delivered",
        "reason": "address_unknown",
        "fault": "recipient",
        "reply_code": 550,
        "enhanced_code": "5.1.1",
        "reason_text": "550 5.1.1 <bounced@example.com>: user unknown",
        "said_by": "simulator",
        "simulated": True,
        "lane": "normal",
        "communication": busy.COMMUNICATION,
    }
    assert {name: one[name] for name in expected} == expected
    assert one["advice"]
    assert one["sentence"].startswith("Not delivered. ")
    assert one["suppression"]["reason"] == "address_unknown"


def test_every_state_has_its_answer_and_a_sentence(ledger: None) -> None:
    busy.busy_ledger()
    for one in reader().get("/v1/deliveries")["items"]:
        assert one["answer"] == ANSWERS[one["state"]]
        words = one["answer"].replace("_", " ")
        assert one["sentence"].lower().startswith(words), one["sentence"]


def test_a_message_counts_its_deliveries(ledger: None) -> None:
    made = busy.busy_ledger()
    one = reader().get(f"/v1/messages/{made.attempt.message_id}")
    assert sum(one["states"].values()) == sum(one["answers"].values()) == one["recipients"]


def test_deliveries_of_a_message_are_chosen_by_state_and_reason(ledger: None) -> None:
    made = busy.busy_ledger()
    path = f"/v1/messages/{made.attempt.message_id}/deliveries"
    bounced = reader().get(path, state="bounced")["items"]
    assert {one["recipient"].partition("@")[0] for one in bounced} == {
        "bounced", "late", "contradicted",
    }  # fmt: skip
    (late,) = reader().get(path, state="bounced", reason="mailbox_full")["items"]
    assert late["after_acceptance"]
    assert reader().get(path, state="held")["items"] == []


def test_the_timeline_shows_both_words_and_every_hearing(ledger: None) -> None:
    made = busy.busy_ledger()
    told = reader().get(f"/v1/deliveries/{made.deliveries['delivered']}")["timeline"]
    steps = [(entry["kind"], entry["type"], entry["state"]) for entry in told]
    assert steps == [
        ("acceptance", "accepted", "queued"),
        ("attempt_begun", "begun", "submitting"),
        ("attempt_ended", "taken", "submitted"),
        ("event", "accepted", "submitted"),
        ("event", "delivered", "delivered"),
    ]
    last = told[-1]
    assert last["hearings"] == 2
    assert all(last[clock] for clock in ("occurred_at", "received_at", "recorded_at"))


def test_the_timeline_shows_our_own_events_as_ours(ledger: None) -> None:
    made = busy.busy_ledger()
    told = reader().get(f"/v1/deliveries/{made.deliveries['raw']}")["timeline"]
    assert [(entry["type"], entry["said_by"], entry["reason"]) for entry in told] == [
        ("accepted", "postroom", None),
        ("held", "postroom", "needs_raw_carrier"),
    ]


def test_a_report_is_the_balanced_one(ledger: None) -> None:
    made = busy.busy_ledger()
    known = reader().get(f"/v1/communications/{busy.COMMUNICATION}/report")
    assert set(known) >= {
        "communication", "as_of", "rules", "recipients", "duplicates", "answers", "states",
        "reasons", "people", "completeness", "balanced",
    }  # fmt: skip
    assert known["balanced"]
    assert known["recipients"] == len(made.deliveries)


def test_an_as_of_that_a_report_names_can_be_asked_for_again(ledger: None) -> None:
    busy.busy_ledger()
    path = f"/v1/communications/{busy.COMMUNICATION}/report"
    first = reader().get(path, as_of="2100-01-01T00:00:00Z")
    assert reader().get(path, as_of=first["as_of"]) == first


def test_deliveries_as_of_before_acceptance_are_none(ledger: None) -> None:
    busy.busy_ledger()
    found = reader().get("/v1/deliveries", as_of=(making.now() - timedelta(hours=1)).isoformat())
    assert found["items"] == []
    assert found["as_of"] is not None


def test_since_and_until_are_times_of_acceptance(ledger: None) -> None:
    application_id = making.application()
    making.accept(making.new_message(application_id, ["one@example.com"]))
    between = making.now().isoformat()
    making.accept(making.new_message(application_id, ["two@example.com"]))
    (later,) = reader().get("/v1/deliveries", since=between)["items"]
    (earlier,) = reader().get("/v1/deliveries", until=between)["items"]
    assert (earlier["recipient"], later["recipient"]) == ("one@example.com", "two@example.com")


def test_a_plus_that_arrives_as_a_space_is_still_an_offset(ledger: None) -> None:
    application_id = making.application()
    making.accept(making.new_message(application_id))
    found = reader().client.get("/v1/deliveries?since=2026-01-01T00:00:00+00:00")
    assert len(found.json()["items"]) == 1


def test_mail_by_smtp_is_found_by_its_message_id_and_its_sender(ledger: None) -> None:
    application_id = making.application()
    making.accept(
        making.new_message(
            application_id, header_message_id="<1@old.example>", mail_from="app@old.example"
        )
    )
    making.accept(making.new_message(application_id))
    for query in ({"header_message_id": "<1@old.example>"}, {"mail_from": "app@old.example"}):
        assert len(reader().get("/v1/deliveries", **query)["items"]) == 1


def test_pages_hold_still_while_new_deliveries_come(ledger: None) -> None:
    application_id = making.application()
    first = [f"old{number}@example.com" for number in range(7)]
    making.accept(making.new_message(application_id, first))
    own, seen, cursor = reader(), [], None
    while True:
        page = own.get("/v1/deliveries", limit="3", **({"cursor": cursor} if cursor else {}))
        seen += [one["recipient"] for one in page["items"]]
        making.accept(making.new_message(application_id, [f"new{len(seen)}@example.com"]))
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == first


def test_all_lists_page_without_loss_or_repetition(ledger: None) -> None:
    busy.busy_ledger()
    making.accept(making.new_message(making.application(), communication="other"))
    own = reader()
    for path in LISTS:
        whole = own.get(path, limit="1000")["items"]
        assert len(whole) > 1
        paged, query = [], {"limit": "1"}
        while True:
            page = own.get(path, **query)
            paged += page["items"]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
        assert paged == whole


def test_every_route_is_described_with_its_answer_and_its_problems(ledger: None) -> None:
    document = Client().get("/v1/openapi.json").json()
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, described in methods.items():
            answers = described["responses"]
            good = next(answers[status] for status in answers if status.startswith("2"))
            assert good["content"]["application/json"]["schema"], (path, method)
            for status in answers:
                if status >= "4":
                    assert "application/problem+json" in answers[status]["content"], (path, status)
    assert "Problem" in schemas


def test_a_late_event_changes_the_answer_now_and_not_the_one_before(ledger: None) -> None:
    made = busy.busy_ledger()
    before = making.now().isoformat()
    address = "taken@example.com"
    first = reader().get("/v1/deliveries", recipient=address, as_of=before)
    busy.tell(busy.heard_of(made, uuid7(making.now()), "taken", EventType.DELIVERED))
    assert reader().get("/v1/deliveries", recipient=address)["items"][0]["state"] == "delivered"
    assert reader().get("/v1/deliveries", recipient=address, as_of=before) == first
