"""Suppressions by HTTP: seen, added, lifted with a reason, and kept apart by kind."""

import json
from typing import Any

import pytest

from tests.ledger import busy
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


def test_a_test_key_neither_sees_nor_lifts_live_suppressions(ledger: None) -> None:
    live = reader("shop", "read", "manage", kind="live")
    body = {"address": "ann@example.com"}
    added = live.client.post("/v1/suppressions", body, content_type="application/json").json()
    tester = reader("shop", "read", "manage")
    assert tester.get("/v1/suppressions")["items"] == []
    problem(tester.client.delete(f"/v1/suppressions/{added['id']}?reason=why"), 404)
    problem(tester.client.delete(f"/v1/suppressions/{1 << 70}?reason=why"), 404)
