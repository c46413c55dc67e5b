"""Liveness, readiness and metrics: who may see them, and what they show."""

import psycopg_pool
import pytest
from django.test import Client

from postroom.ledger import gauges, keys
from postroom.ledger.db import transaction
from postroom.ledger.tallies import count
from postroom.reports.metrics import Sample, rendered
from tests.ledger import busy, making


def test_alive_and_ready_need_no_key(ledger: None) -> None:
    assert Client().get("/healthz").json() == {"status": "alive"}
    assert Client().get("/readyz").json() == {"status": "ready"}


def test_without_a_database_this_is_alive_but_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = psycopg_pool.ConnectionPool(
        "host=127.0.0.1 port=1",
        min_size=0,
        max_size=1,
        timeout=0.1,
        reconnect_timeout=0.1,
        open=True,
    )
    with nowhere:
        monkeypatch.setattr("postroom.ledger.db._pool", lambda: nowhere)
        assert Client().get("/healthz").status_code == 200
        for path in ("/readyz", "/metrics"):
            answer = Client().get(path)
            assert answer.status_code == 503
            assert answer["Content-Type"] == "application/problem+json"


def test_metrics_show_the_queue_and_what_happened(ledger: None) -> None:
    busy.busy_ledger()
    with transaction() as conn:
        count(conn, "events_new", "", 7_000_001)
    text = Client().get("/metrics").content.decode()
    due = 'postroom_waiting{place="queue",kind="simulated",lane="normal"} 2\n'
    assert due in text
    assert 'postroom_happened_total{name="events_new",label=""} 7000001\n' in text
    assert 'postroom_account_stopped{account="simulator"} 0\n' in text


def test_metrics_are_not_there_for_strangers(ledger: None) -> None:
    for client in (
        Client(REMOTE_ADDR="192.0.2.1"),
        Client(REMOTE_ADDR=""),
        Client(headers={"X-Forwarded-For": "192.0.2.1"}),
        Client(headers={"Forwarded": "for=192.0.2.1"}),
        Client(REMOTE_ADDR="192.0.2.1", headers={"Authorization": "Bearer nonsense"}),
        Client(REMOTE_ADDR="192.0.2.1", headers=bearer("read")),
    ):
        answer = client.get("/metrics")
        assert answer.status_code == 404
        assert answer["Content-Type"] == "application/problem+json"


def test_metrics_are_there_for_this_machine_and_for_a_key_that_manages(ledger: None) -> None:
    for client in (
        Client(REMOTE_ADDR="::1"),
        Client(REMOTE_ADDR="::ffff:127.0.0.1"),
        Client(REMOTE_ADDR="192.0.2.1", headers=bearer("manage")),
    ):
        assert client.get("/metrics").status_code == 200


def bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {keys.create_key('shop', 'test', [scope]).key}"}


def test_a_label_cannot_break_out_of_its_quotes() -> None:
    sample = Sample("postroom_happened_total", {"name": 'a"} 1\n\\'}, 1)
    assert 'postroom_happened_total{name="a\\"} 1\\n\\\\"} 1\n' in rendered([sample])


def test_what_is_due_is_counted_by_kind_and_lane(ledger: None) -> None:
    making.accept(making.new_message(making.application(), ["a@b.example", "c@b.example"]))
    waiting = {(one.place, one.simulated, one.lane): one.count for one in gauges.waiting()}
    assert sum(waiting.values()) == 2
