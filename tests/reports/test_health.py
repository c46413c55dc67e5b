"""Liveness, readiness and metrics: who may see them, and what they show."""

from datetime import timedelta

import psycopg_pool
import pytest
from django.test import Client

from postroom.domain.lane import Lane
from postroom.ledger import gauges, keys, queue, shares
from postroom.ledger.db import transaction
from postroom.ledger.pauses import pause_communication
from postroom.ledger.tallies import count
from postroom.ledger.writer import accept_message
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


def test_metrics_show_the_lanes_what_is_paused_and_the_urgent_quotas(ledger: None) -> None:
    app = making.application("shop")
    for lane, communication in ((Lane.URGENT, None), (Lane.BULK, "news"), (Lane.BULK, None)):
        people = ["a@b.example", "c@d.example"]
        mail = making.new_message(
            app, people, lane=lane, communication=communication, simulated=False
        )
        making.accept(mail)
    pause_communication(app, "news", True)
    text = Client().get("/metrics").content.decode()
    for shown in (
        'postroom_waiting{place="queue",kind="live",lane="urgent"} 2',
        'postroom_waiting{place="queue",kind="live",lane="normal"} 0',
        'postroom_waiting{place="queue",kind="live",lane="bulk"} 2',
        'postroom_waiting{place="paused",kind="live",lane="bulk"} 2',
        'postroom_waiting{place="paused",kind="live",lane="urgent"} 0',
        'postroom_waiting_seconds{place="queue",kind="live",lane="normal"} 0',
        'postroom_urgent_used{application="shop"} 2',
        'postroom_urgent_quota{application="shop"} 10000',
    ):
        assert f"{shown}\n" in text or f"{shown}.0\n" in text, shown


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
    assert waiting["queue", True, Lane.NORMAL] == 2


def test_what_is_held_waits_in_a_place_of_its_own(ledger: None) -> None:
    app = making.application()
    accepted = making.accept(making.new_message(app, ["a@b.example", "c@b.example"]))
    queue.hold(accepted.message_id, app)
    waiting = {one.place: one.count for one in gauges.waiting() if one.lane is None}
    assert waiting["held"] == 2


def test_the_oldest_and_the_number_are_those_of_all_communications(
    ledger: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, several = making.application(), shares.GROUPS_MAX + 3
    first = making.accept(making.new_message(app, communication="zzz"))
    making.accept(making.new_message(app, send_at=making.now() + timedelta(hours=1)))
    mails = [making.new_message(app, communication=f"c{number}") for number in range(several)]
    for future in [accept_message(mail) for mail in mails]:
        future.result(10)
    (oldest,) = making.row(first.deliveries[0][0], "due_at")
    for bound, expected in ((1_000, several + 1), (3, 3)):
        monkeypatch.setattr(gauges, "COUNTED_MAX", bound)
        waiting = {(one.place, one.lane): one for one in gauges.waiting() if one.simulated}
        assert waiting["queue", Lane.NORMAL].count == expected
        assert waiting["queue", Lane.NORMAL].oldest_at == oldest
