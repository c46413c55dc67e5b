"""Mails without a final word are asked about one after another, and none twice in a pull."""

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from operator import itemgetter
from uuid import UUID

import pytest

from postroom.domain.delivery import EventType, Outcome
from postroom.feedback import history
from postroom.feedback.reading import read_receipt
from postroom.ledger import accounts, pulls, receipts
from postroom.ledger.db import connection
from postroom.ledger.intake import NewReceipt
from postroom.ledger.silent import next_silent
from postroom.ledger.writer import store_receipt
from postroom.providers.resend import ResendLookUp
from tests.ledger import making
from tests.ledger.making import now, row
from tests.scripted_api import ScriptedApi, scripted_api


@pytest.fixture
def api(ledger: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedApi]:
    """Resend, asked for two mails at a time and without a pause, however short the silence."""
    for name, value in (("pause_s", 0.0), ("mails_max", 2), ("silent_for", timedelta(0))):
        monkeypatch.setattr(ResendLookUp, name, value)
    with scripted_api({}) as running:
        accounts.add("resend", "resend", False, {"api_key": "k", "endpoint": running.url})
        yield running


def account_id() -> int:
    found = accounts.by_name("resend")
    assert found is not None
    return found.id


def handed_over(count: int, outcome: Outcome = Outcome.TAKEN) -> list[tuple[UUID, UUID]]:
    """Deliveries and hand-overs of one call by the account, each with the provider's id."""
    people = [f"p{number}@example.com" for number in range(count)]
    making.accept(making.new_message(making.application(), people))
    attempt = making.begin(making.claim())
    making.settle(attempt, outcome)
    with connection() as conn:
        conn.execute(
            "UPDATE handover SET account_id = %s, provider_message_id = id::text"
            " WHERE attempt_id = %s",
            (account_id(), attempt.id),
        )
    return sorted(((one.delivery_id, one.id) for one in attempt.handovers), key=itemgetter(1))


def want(why: str = "gap") -> int:
    id = pulls.want(account_id(), now() - timedelta(hours=1), now(), why)
    assert id is not None
    return id


def step(only: int | None = None) -> bool:
    async def once() -> bool:
        histories = history.make_histories()
        try:
            return await history.step(histories, only)
        finally:
            for one in histories.values():
                await one.close()

    return asyncio.run(once())


def read_all() -> None:
    while receipts.interpret_new(10, read_receipt):
        pass


def silent(
    since_min_ago: int = 60,
    silent_for: timedelta = timedelta(0),
    *,
    after: UUID | None = None,
    only_in_doubt: bool = False,
) -> list[UUID]:
    since = now() - timedelta(minutes=since_min_ago)
    found = next_silent(account_id(), since, now(), silent_for, after, 100,
                        only_in_doubt=only_in_doubt)  # fmt: skip
    return [one.handover_id for one in found]


def test_a_pull_asks_about_the_next_mails_until_there_are_no_more(api: ScriptedApi) -> None:
    known = handed_over(3)
    for _, handover_id in known:
        path = f"GET /emails/{handover_id}"
        api.script[path] = {"id": str(handover_id), "last_event": "delivered"}
    id = want()
    assert step()
    assert (len(api.asked), pulls.progress(id).finished) == (2, False)
    while step():
        pass
    assert sorted(api.asked) == sorted(api.script), "each is asked for once"
    assert pulls.progress(id) == pulls.Progress(3, True, None)
    read_all()
    assert {row(one, "verdict") for one, _ in known} == {("delivered",)}


def test_a_mail_that_is_forgotten_there_holds_nothing_up(api: ScriptedApi) -> None:
    (_, first), (delivery_id, second) = handed_over(2)
    api.script[f"GET /emails/{second}"] = {"id": str(second), "last_event": "bounced"}
    id = want()
    while step():
        pass
    assert pulls.progress(id).finished
    assert f"GET /emails/{first}" in api.asked
    read_all()
    assert row(delivery_id, "verdict") == ("bounced",)


def test_what_was_heard_of_meanwhile_is_not_asked_for(api: ScriptedApi) -> None:
    (delivery_id, handover_id), (_, other) = handed_over(2)
    assert silent() == [handover_id, other]
    api.script[f"GET /emails/{handover_id}"] = {"id": "x", "last_event": "delivered"}
    want()
    step()
    read_all()
    assert row(delivery_id, "verdict") == (str(EventType.DELIVERED),)
    assert silent() == [other]


def test_a_mail_has_to_be_silent_for_long_enough(api: ScriptedApi) -> None:
    assert len(handed_over(1)) == 1
    assert silent(silent_for=timedelta(minutes=5)) == []
    with connection() as conn:
        conn.execute("UPDATE delivery SET silent_since = silent_since - interval '6 minutes'")
        conn.execute("UPDATE handover SET begun_at = begun_at - interval '6 minutes'")
    assert len(silent(silent_for=timedelta(minutes=5))) == 1
    assert silent(since_min_ago=4) == [], "it began before"


def test_of_a_call_in_doubt_one_mail_is_asked_for(api: ScriptedApi) -> None:
    waiting = handed_over(1)
    (_, first), (_, second), _ = handed_over(3, Outcome.UNKNOWN)
    assert silent() == [waiting[0][1], first]
    assert silent(only_in_doubt=True) == [first], "what only waits does not hold up a proof"
    body = json.dumps({"emails": [{"last_event": "delivered", "handover_id": str(first)}]})
    told = NewReceipt(account_id(), now(), {"x-postroom-pulled": "1"}, body.encode())
    store_receipt(told).result(10)
    read_all()
    assert silent(after=first) == [second], "it was taken, so the others are asked for too"


def test_a_pull_for_doubt_goes_before_older_ones(api: ScriptedApi) -> None:
    handed_over(1)
    gap = want("gap")
    with connection() as conn:
        conn.execute("UPDATE pull SET until = until - interval '1 second'")
    doubt = want("doubt")
    assert step()
    assert (pulls.progress(gap).pages, pulls.progress(doubt).pages) == (0, 1)
