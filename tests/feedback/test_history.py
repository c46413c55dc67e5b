"""Pulls go on where they were, are stored before they are read, and tell no fact twice."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from postroom.cli import main
from postroom.feedback import history
from postroom.feedback.reading import read_receipt
from postroom.ledger import accounts, pulls, receipts
from postroom.ledger.db import connection
from postroom.ledger.intake import NewReceipt
from postroom.ledger.writer import store_receipt
from tests.helpers import eventually
from tests.ledger import making
from tests.ledger.making import accept, application, claim, new_message, now, row, scalar
from tests.scripted_api import InTurn, ScriptedApi, scripted_api

PATH = "GET /v3/mg.example.org/events"


@pytest.fixture
def api(ledger: None) -> Iterator[ScriptedApi]:
    """Mailgun, with two pages of events."""
    with scripted_api({}) as running:
        settings = {"api_key": "k", "domain": "mg.example.org", "endpoint": running.url}
        accounts.add("mailgun", "mailgun", False, settings)
        running.script[f"{PATH}/two"] = page(running, "three")
        running.script[f"{PATH}/three"] = page(running, "four", items=[])
        yield running


def page(api: ScriptedApi, following: str, items: list[Any] | None = None) -> dict[str, Any]:
    told = [{"event": "stored", "timestamp": 1.5}] if items is None else items
    return {"items": told, "paging": {"next": f"{api.url}/v3/mg.example.org/events/{following}"}}


def account_id() -> int:
    found = accounts.by_name("mailgun")
    assert found is not None
    return found.id


def want(api: ScriptedApi, first: Any) -> int:
    """A pull of the last hour, whose first page is this."""
    until = now()
    since = until - timedelta(hours=1)
    id = pulls.want(account_id(), since, until, "gap")
    assert id is not None
    begin, end = int(since.timestamp()), int(until.timestamp()) + 1
    api.script[f"{PATH}?begin={begin}&end={end}&ascending=yes&limit=300"] = first
    return id


def step() -> bool:
    async def once() -> bool:
        histories = history.make_histories()
        try:
            return await history.step(histories)
        finally:
            for one in histories.values():
                await one.close()

    return asyncio.run(once())


def make_due() -> None:
    with connection() as conn:
        conn.execute("UPDATE pull SET next_at = now()")


def pull_all() -> None:
    while step():
        make_due()


def handed_over() -> tuple[UUID, UUID]:
    """Delivery and hand-over of a mail by the account."""
    accept(new_message(application()))
    attempt = making.begin(claim())
    making.settle(attempt)
    with connection() as conn:
        conn.execute("UPDATE handover SET account_id = %s", (account_id(),))
    return attempt.handovers[0].delivery_id, attempt.handovers[0].id


def delivered(handover_id: UUID) -> dict[str, Any]:
    return {
        "event": "delivered",
        "id": "one",
        "timestamp": 1770918175.592369,
        "recipient": "ann@example.com",
        "user-variables": {"postroom_handover": str(handover_id)},
        "delivery-status": {"code": 250, "message": "OK", "mx-host": "mx.example.com"},
    }


def read_all() -> None:
    while receipts.interpret_new(10, read_receipt):
        pass


def test_a_pull_goes_page_by_page_with_a_pause_between(api: ScriptedApi) -> None:
    id = want(api, page(api, "two"))
    assert step()
    assert pulls.progress(id) == pulls.Progress(1, False, None)
    assert not step(), "the pause is kept"
    make_due()
    pull_all()
    assert pulls.progress(id) == pulls.Progress(3, True, None)
    assert scalar("SELECT count(*) FROM receipt") == 2, "an empty page is no receipt"
    assert scalar("SELECT headers FROM receipt LIMIT 1") == {"x-postroom-pulled": "1"}


def test_a_pulled_event_moves_a_delivery_and_its_evidence_is_the_page(api: ScriptedApi) -> None:
    delivery_id, handover_id = handed_over()
    want(api, page(api, "three", [{"event": "stored", "timestamp": 1}, delivered(handover_id)]))
    pull_all()
    read_all()
    assert row(delivery_id, "verdict") == ("delivered",)
    start, length = (
        scalar(f"SELECT receipt_{name} FROM event WHERE type = 'delivered'")
        for name in ("start", "length")
    )
    with connection() as conn:
        told = receipts._select(conn, [scalar("SELECT id FROM receipt")])[0]
    assert json.loads(told.body[start : start + length]) == delivered(handover_id)


@pytest.mark.parametrize("pulled_first", [True, False])
def test_an_event_both_pushed_and_pulled_is_one_fact(api: ScriptedApi, pulled_first: bool) -> None:
    _, handover_id = handed_over()
    event = delivered(handover_id)
    post = json.dumps({"signature": {}, "event-data": event}).encode()
    want(api, page(api, "three", [event]))
    for pulls_now in (pulled_first, not pulled_first):
        if pulls_now:
            pull_all()
        else:
            store_receipt(NewReceipt(account_id(), now(), {}, post)).result(10)
        read_all()
    assert scalar("SELECT count(*) FROM event WHERE type = 'delivered'") == 1
    assert scalar("SELECT count(*) FROM hearing") == 1


def test_what_cannot_be_had_is_asked_for_again_later(
    api: ScriptedApi, caplog: pytest.LogCaptureFixture
) -> None:
    id = want(api, InTurn((500, {}), page(api, "three")))
    assert step()
    assert pulls.progress(id).failed == "the provider answered 500: {}"
    assert not step()
    assert "events cannot be pulled now" in caplog.text
    make_due()
    pull_all()
    assert pulls.progress(id) == pulls.Progress(2, True, None)


def test_a_pull_that_fails_again_and_again_is_given_up_with_an_alarm(
    api: ScriptedApi, caplog: pytest.LogCaptureFixture
) -> None:
    id = want(api, (401, {"message": "Forbidden"}))
    caplog.set_level(logging.WARNING)
    pull_all()
    assert pulls.progress(id).finished
    assert "ALARM account mailgun: its events cannot be pulled" in caplog.text
    ((name, why),) = pulls.given_up()
    assert name == "mailgun"
    assert why.startswith("the provider refuses the credentials (401)")


def test_one_who_was_lost_with_a_page_leaves_it_to_the_next(api: ScriptedApi) -> None:
    id = want(api, page(api, "two"))
    lost = pulls.claim()
    assert lost is not None
    assert pulls.claim() is None
    make_due()
    pull_all()
    pulls.advance(lost, "two", 0)
    assert pulls.progress(id) == pulls.Progress(3, True, None), "the lost one changes nothing"


def test_pulls_of_one_account_take_turns(api: ScriptedApi) -> None:
    first = pulls.want(account_id(), now() - timedelta(hours=2), now(), "gap")
    assert pulls.want(account_id(), now() - timedelta(hours=3), now(), "gap") is not None
    assert pulls.want(account_id(), now() - timedelta(hours=1), now(), "gap") is not None
    claimed = pulls.claim()
    assert claimed is not None
    assert claimed.id == first
    assert pulls.claim() is None


def test_an_operators_pull_waits_for_no_other(api: ScriptedApi) -> None:
    pulls.want(account_id(), now() - timedelta(hours=2), now(), "gap")
    id = pulls.want(account_id(), now() - timedelta(hours=3), now(), "operator")
    claimed = pulls.claim(id)
    assert claimed is not None
    assert claimed.id == id


def test_what_the_provider_keeps_no_more_is_not_asked_for(api: ScriptedApi) -> None:
    id = pulls.want(account_id(), now() - timedelta(days=5), now() - timedelta(days=4), "operator")
    assert id is not None
    assert step()
    assert pulls.progress(id).finished
    assert api.asked == []


def test_what_a_waiting_pull_holds_is_not_wanted_twice(api: ScriptedApi) -> None:
    until = now()
    assert pulls.want(account_id(), until - timedelta(hours=2), until, "gap") is not None
    assert pulls.want(account_id(), until - timedelta(hours=1), until, "gap") is None


def test_a_webhook_cannot_pass_for_a_pull(api: ScriptedApi) -> None:
    from postroom.feedback.webhook import _storable

    assert _storable({"x-postroom-pulled": "1", "content-type": "text/json"}) == {
        "content-type": "text/json"
    }


def test_the_role_pulls_what_is_wanted_and_ends_soon(api: ScriptedApi) -> None:
    id = want(api, page(api, "three"))
    stop = threading.Event()
    role = threading.Thread(target=lambda: asyncio.run(history.serve(stop)))
    role.start()
    try:
        eventually(lambda: pulls.progress(id).finished)
    finally:
        stop.set()
        role.join(5)
    assert not role.is_alive()


def test_an_operator_pulls_by_command(api: ScriptedApi, capsys: pytest.CaptureFixture[str]) -> None:
    since, until = "2026-11-24T09:00Z", "2026-11-24T10:00Z"
    window = "begin=1795510800&end=1795514401"
    api.script[f"{PATH}?{window}&ascending=yes&limit=300"] = page(api, "three")
    assert main(["pull", "mailgun", "--since", since, "--until", until, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"account": "mailgun", "pages": 2}
    assert scalar("SELECT count(*) FROM receipt") == 1


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["nobody", "--since", "2026-11-24"], "no account 'nobody'"),
        (["relay", "--since", "2026-11-24"], "smtp does not tell of past events"),
        (["mailgun", "--since", "2026-11-24", "--until", "2026-11-23"], "after the beginning"),
        (["mailgun", "--since", "2026-11-23"], "refuses the credentials"),
    ],
)
def test_a_pull_that_cannot_be_is_refused_in_one_sentence(
    api: ScriptedApi, capsys: pytest.CaptureFixture[str], words: list[str], why: str
) -> None:
    accounts.add("relay", "smtp", False, {"smtp_host": "x"})
    api.otherwise = (401, {})
    assert main(["pull", *words]) == 1
    assert why in capsys.readouterr().err
