"""Senders that die, freeze, stop or lose the database: nothing is lost, nothing sent twice."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event
from typing import Any
from uuid import UUID

import psycopg
import pytest

from postroom.domain.lane import Lane
from postroom.ledger import attempts as ledger_attempts
from postroom.ledger import blobs, leases, queue, settlements
from postroom.ledger.attempts import NewAttempt
from postroom.ledger.db import connection
from postroom.ledger.queue import Claimed
from postroom.sending.accounts import Accounts
from postroom.sending.backoff import BackOff
from postroom.sending.beginner import Beginner
from postroom.sending.berths import AllBerths
from postroom.sending.compose import Planned
from postroom.sending.handing import Groups, Handing
from postroom.sending.messages import RecentMessages
from postroom.sending.meter import Meters
from postroom.sending.planning import Planner
from postroom.sending.roads import Carriers
from postroom.sending.settler import Settler
from postroom.sending.slots import Slots
from postroom.sending.slow_receivers import SlowReceivers
from postroom.sending.watch import Watch
from tests.fake_provider import TAKEN, Asked, Says, fake_provider
from tests.helpers import eventually
from tests.sending.posting import (
    PACE,
    add_account,
    attempts,
    people,
    post_http,
    reasons,
    rows,
    sending,
    stages,
)

pytestmark = pytest.mark.usefixtures("ledger")


async def _make_call(claimed: list[Claimed]) -> list[Groups]:
    """Make the calls for claims of one message, as the sender does."""
    carriers, back_off, meters, berths = Carriers(5), BackOff(), Meters(), AllBerths()
    accounts = Accounts(carriers, back_off, meters, berths)
    await accounts.refresh()
    messages = RecentMessages(blobs.load_submissions, lambda: datetime.now(UTC), 10**6)
    plans = await asyncio.to_thread(Planner(messages, accounts.road_map, None).plan, claimed)
    handing = Handing(
        PACE,
        Beginner(ledger_attempts.begin),
        Settler(settlements.settle),
        back_off,
        meters,
        berths,
        Watch(),
        SlowReceivers(PACE.lease_s),
        accounts.is_left,
    )
    try:
        return [await _made(handing, call) for call in plans.calls]
    finally:
        await carriers.close()


async def _made(handing: Handing, call: Planned) -> Groups:
    async with Slots(1, 60).one(lambda: False) as place:
        return await handing.make(call, place)


def test_claims_of_a_sender_that_died_before_the_attempt_are_sent_by_another() -> None:
    with fake_provider() as provider:
        add_account(provider)
        post_http(people(3))
        assert len(queue.claim([True], 10, 0.05)) == 3
        eventually(lambda: leases.sweep(100) == 3)
        with sending():
            eventually(lambda: stages() == {"submitted": 3})
    assert sorted(provider.taken) == people(3)


def test_a_sender_that_lost_its_claim_makes_no_call() -> None:
    with fake_provider() as provider:
        add_account(provider)
        post_http(people(3))
        lost = queue.claim([True], 10, 0.05)
        eventually(lambda: leases.sweep(100) == 3)
        held = queue.claim([True], 10, 60)
        assert {one.delivery_id for one in held} == {one.delivery_id for one in lost}
        assert asyncio.run(_make_call(lost)) == [()]
        assert provider.asked == []
        assert attempts() == []
        assert asyncio.run(_make_call(held)) == [()]
        assert sorted(provider.taken) == people(3)


def test_a_call_that_lost_some_of_its_claims_is_made_anew_for_the_others() -> None:
    with fake_provider() as provider:
        add_account(provider)
        post_http(people(3))
        claimed = queue.claim([True], 10, 60)
        queue.give_back(claimed[:1], 60)
        ((group,),) = asyncio.run(_make_call(claimed))
        assert provider.asked == []
        assert list(group) == claimed[1:]
        assert asyncio.run(_make_call(list(group))) == [()]
    assert sorted(provider.taken) == sorted(one.recipient for one in claimed[1:])
    assert [outcome for _, _, outcome, _, _ in attempts()] == ["not_taken", "taken"]


def test_a_sender_frozen_beyond_its_lease_does_not_make_the_call() -> None:
    with fake_provider() as provider:
        add_account(provider)
        pace = replace(PACE, lease_s=1.0, call_timeout_s=0.5)
        # What holds up the commit of the attempt stands for any freeze of the sender.
        with connection() as conn, sending(pace):
            conn.execute("BEGIN")
            conn.execute("LOCK TABLE handover IN SHARE ROW EXCLUSIVE MODE")
            post_http(people(1))
            eventually(_waits_for_a_lock)
            thawed_at = time.monotonic() + 1.2
            eventually(lambda: time.monotonic() > thawed_at)
            conn.execute("COMMIT")
            eventually(lambda: stages() == {"submitted": 1})
    assert len(provider.asked) == 1
    assert [one[2:] for one in attempts()] == [
        ("not_taken", None, "the lease was about to end"),
        ("taken", 202, None),
    ]


def _waits_for_a_lock() -> bool:
    ((waiting,),) = rows(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE wait_event_type = 'Lock' AND application_name = 'postroom'"
    )
    return bool(waiting)


def test_a_sender_that_stops_finishes_its_calls_and_gives_back_the_rest() -> None:
    with fake_provider(lambda _asked: Says(after_s=0.5)) as provider:
        add_account(provider)
        for person in people(6):
            post_http([person], made={"lane": Lane.BULK})
        with sending(replace(PACE, calls_max=2)) as stop:
            eventually(lambda: provider.asked)
            stop.set()
    assert stages() == {"submitted": 2, "queued": 4}
    assert rows("SELECT count(*) FROM delivery WHERE lease_until IS NOT NULL") == [(0,)]
    ended = [(outcome, error) for _, _, outcome, _, error in attempts()]
    assert ended.count(("taken", None)) == 2
    assert set(ended) <= {("taken", None), ("not_taken", "the sender was stopped")}


def test_connections_lost_during_a_call_cost_nothing() -> None:
    def cut(asked: Asked) -> Says:
        if asked.number == 1:
            rows(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'postroom' AND pid <> pg_backend_pid()"
            )
        return TAKEN

    with fake_provider(cut) as provider:
        add_account(provider)
        post_http(people(2))
        with sending():
            # Before that, what this test asks the ledger could be cut off too.
            eventually(lambda: provider.taken, within_s=20)
            eventually(lambda: stages() == {"submitted": 2}, within_s=20)
            post_http(["next@example.org"])
            eventually(lambda: stages() == {"submitted": 3}, within_s=20)
    assert len(provider.taken) == 3


def test_a_mail_whose_attempt_cannot_be_recorded_is_held_and_the_others_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin = ledger_attempts.begin

    def all_but_one(news: Sequence[NewAttempt]) -> Sequence[set[UUID]]:
        if any(b"unwritable" in segment for new in news for segment in new.shared.values()):
            raise psycopg.DataError
        return begin(news)

    monkeypatch.setattr(ledger_attempts, "begin", all_but_one)
    with fake_provider() as provider, sending():
        add_account(provider)
        post_http(["a@example.org"], text="unwritable")
        post_http(["b@example.org"])
        eventually(lambda: stages() == {"held": 1, "submitted": 1})
    assert provider.taken == ["b@example.org"]
    assert reasons() == {"a@example.org": "render_failed"}


def test_a_queue_that_cannot_be_claimed_from_costs_no_call_in_flight(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claim, asked = queue.claim, Event()

    def fail_once_asked(*args: Any) -> list[Claimed]:
        if asked.is_set():
            asked.clear()
            raise psycopg.InternalError
        return claim(*args)

    def slow(_asked: Asked) -> Says:
        asked.set()
        return Says(headers=TAKEN.headers, after_s=0.5)

    monkeypatch.setattr(queue, "claim", fail_once_asked)
    with fake_provider(slow) as provider, sending():
        add_account(provider)
        post_http(people(1))
        eventually(lambda: stages() == {"submitted": 1})
        post_http(people(1))
        eventually(lambda: stages() == {"submitted": 2})


def test_two_senders_share_the_work_and_nobody_gets_it_twice() -> None:
    with fake_provider() as provider:
        add_account(provider)
        for number in range(20):
            post_http(people(30), subject=str(number))
        pace = replace(PACE, batch_max=5)
        with sending(pace), sending(pace):
            eventually(lambda: stages() == {"submitted": 600}, within_s=30)
    assert len(provider.taken) == 600
    assert max(provider.taken.count(one) for one in people(30)) == 20
