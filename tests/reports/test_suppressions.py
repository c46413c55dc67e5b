"""Suppressions by HTTP: seen, added, lifted with a reason, and kept apart by kind."""

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
    "body",
    [
        {},
        {"address": "nobody"},
        {"address": "a@b.example", "reason": ""},
        {"address": "a@b.example", "reason": "\x00"},
        {"address": "a@b.example", "reason": "x" * 1001},
        {"address": "a@b.example", "scope": "all"},
        {"address": 7},
    ],
)
def test_a_wrong_suppression_is_a_422(ledger: None, body: dict[str, Any]) -> None:
    manager = reader("shop", "read", "manage")
    answer = manager.client.post("/v1/suppressions", body, content_type="application/json")
    problem(answer, 422)


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
