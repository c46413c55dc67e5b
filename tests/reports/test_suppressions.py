"""Suppressions by HTTP: seen, added, lifted with a reason, and kept apart by kind."""

import json
from typing import Any

import pytest

from tests.ledger import busy, making
from tests.reports.reading import problem, reader


def test_suppressions_do_not_name_another_applications_delivery(ledger: None) -> None:
    busy.busy_ledger()
    shown = {one["address"]: one for one in reader("stranger").get("/v1/suppressions")["items"]}
    assert shown["bounced@example.com"]["delivery_id"] is None
    own = {one["address"]: one for one in reader().get("/v1/suppressions")["items"]}
    assert own["bounced@example.com"]["delivery_id"] is not None


def test_a_suppression_is_added_seen_and_lifted_with_a_reason(ledger: None) -> None:
    manager = reader("shop", "read", "manage")
    added = manager.client.post(
        "/v1/suppressions",
        {"address": "Ann@Example.com", "reason": "by phone"},
        content_type="application/json",
    )
    assert added.status_code == 201
    number = added.json()["id"]
    assert manager.get("/v1/suppressions", address="ann@example.COM")["items"] == [added.json()]
    problem(manager.client.delete(f"/v1/suppressions/{number}"), 422)
    problem(manager.client.delete(f"/v1/suppressions/{number}?reason=%20"), 422)
    lifted = manager.client.delete(f"/v1/suppressions/{number}?reason=a+mistake")
    assert lifted.json()["lifted_reason"] == "a mistake"
    again = manager.client.delete(
        f"/v1/suppressions/{number}", {"reason": "twice"}, content_type="application/json"
    )
    assert again.json() == lifted.json()


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "address", "is missing"),
        ({"address": "nobody"}, "address", "has no @"),
        ({"address": "a@b.example", "reason": ""}, "reason", "is missing or empty"),
        ({"address": "a@b.example", "reason": "\x00"}, "reason", "NUL"),
        ({"address": "a@b.example", "reason": "x" * 1001}, "reason", "is longer than 1000"),
        ({"address": "a@b.example", "scope": "all"}, "scope", "is not a field of this call"),
        ({"address": 7}, "address", "is not text"),
        ({"address": None}, "address", "is not text"),
        ([], "body", "is not an object"),
        (None, "body", "is not an object"),
    ],
)
def test_a_wrong_suppression_is_a_422_that_names_the_field_and_says_why(
    ledger: None, body: Any, field: str, words: str
) -> None:
    manager = reader("shop", "read", "manage")
    answer = manager.client.post(
        "/v1/suppressions", json.dumps(body), content_type="application/json"
    )
    told = problem(answer, 422)
    assert told["detail"].startswith(f"{field}: ")
    (error,) = told["errors"]
    assert error["field"] == field
    assert words in error["detail"]


def test_a_suppression_that_cannot_be_read_is_a_400_that_says_why(ledger: None) -> None:
    manager = reader("shop", "read", "manage")
    for raw, words in (("{", "no JSON"), ('{"address": 1, "address": 2}', "'address' twice")):
        answer = manager.client.post("/v1/suppressions", raw, content_type="application/json")
        assert words in problem(answer, 400)["detail"]


def test_only_the_scope_manage_changes_suppressions(ledger: None) -> None:
    own = reader()
    body = {"address": "ann@example.com"}
    problem(own.client.post("/v1/suppressions", body, content_type="application/json"), 403)
    problem(own.client.delete("/v1/suppressions/1?reason=why"), 403)


def test_a_suppression_of_one_kind_or_application_says_so_and_is_not_the_others(
    ledger: None,
) -> None:
    shop, payroll = (reader(name, "read", "manage") for name in ("shop", "payroll"))
    body = {"address": "ann@example.com", "kind": "marketing", "applies_to": "application"}
    added = shop.client.post("/v1/suppressions", body, content_type="application/json").json()
    assert (added["kind"], added["applies_to"], added["state"]) == (
        "marketing",
        "application",
        "in_force",
    )
    assert shop.get("/v1/suppressions")["items"] == [added | {"not_sent": None}]
    assert payroll.get("/v1/suppressions")["items"] == []
    problem(payroll.client.delete(f"/v1/suppressions/{added['id']}?reason=why"), 404)


def test_an_address_is_explained_with_its_evidence_and_what_was_not_sent(ledger: None) -> None:
    made = busy.busy_ledger()
    stopped = making.accept(making.new_message(made.application_id, ["bounced@example.com"]))
    [(id, _, _)] = stopped.deliveries
    [one] = reader().get("/v1/suppressions", address="bounced@example.com")["items"]
    assert one["not_sent"] == {"count": 1, "newest": [str(id)]}
    assert one["delivery_id"] == str(made.deliveries["bounced"])
    assert (one["reason"], one["state"], one["ends_at"]) == ("address_unknown", "in_force", None)
    [others] = reader("stranger").get("/v1/suppressions", address="bounced@example.com")["items"]
    assert others["not_sent"] == {"count": 1, "newest": []}
    assert (others["delivery_id"], others["event"], others["receipt_id"]) == (None, None, None)
    link = reader().get(f"/v1/deliveries/{id}")["suppression"]
    assert link["effect"] == "stopped"
    assert link["text"] == "550 5.1.1 <bounced@example.com>: user unknown"
    assert (link["event"], link["receipt_id"]) == (one["event"], one["receipt_id"])
    assert len(one["event"]) == 32


def test_a_delivery_says_what_it_caused_and_what_it_went_in_spite_of(ledger: None) -> None:
    made = busy.busy_ledger()
    caused = reader().get(f"/v1/deliveries/{made.deliveries['complained']}")["suppression"]
    critical = making.new_message(made.application_id, ["complained@example.com"], critical=True)
    [(id, _, _)] = making.accept(critical).deliveries
    making.claim()
    gone = reader().get(f"/v1/deliveries/{id}")
    assert (caused["effect"], gone["suppression"]["effect"]) == ("caused", "overridden")
    assert gone["suppression"]["id"] == caused["id"]
    assert "the mail is critical" in [line["text"] for line in gone["timeline"]][-1]


def test_a_test_key_neither_sees_nor_lifts_live_suppressions(ledger: None) -> None:
    live = reader("shop", "read", "manage", kind="live")
    body = {"address": "ann@example.com"}
    added = live.client.post("/v1/suppressions", body, content_type="application/json").json()
    tester = reader("shop", "read", "manage")
    assert tester.get("/v1/suppressions")["items"] == []
    problem(tester.client.delete(f"/v1/suppressions/{added['id']}?reason=why"), 404)
    problem(tester.client.delete(f"/v1/suppressions/{1 << 70}?reason=why"), 404)
