"""What all senders and interpreters met with is added up, and judged once."""

from datetime import timedelta
from threading import Thread
from uuid import uuid4

import pytest

from postroom.domain.delivery import EventType
from postroom.domain.health import State
from postroom.ledger import account_health, accounts, events
from postroom.ledger.account_health import Calls, Change
from postroom.ledger.db import connection, transaction
from tests.ledger.making import (
    accept,
    account,
    application,
    begin,
    claim,
    event,
    new_message,
    scalar,
    settle,
)

pytestmark = pytest.mark.usefixtures("ledger")

REST = timedelta(minutes=10)


@pytest.fixture
def id() -> int:
    """An account that has carried mail for long."""
    made = account()
    with connection() as conn:
        conn.execute("UPDATE account SET created_at = now() - interval '1 day'")
    assert [one.after.state for one in account_health.judge(REST)] == [State.SOUND]
    with connection() as conn:
        conn.execute("UPDATE account_health SET since = now() - interval '1 day'")
    return made


def state(id: int) -> State:
    return account_health.standing()[id][0].state


def test_an_account_is_cold_when_it_is_made() -> None:
    made = account()
    assert account_health.judge(REST) == []
    health, now = account_health.standing()[made]
    assert (health.state, health.why) == (State.RETURNING, "new")
    assert health.share(now, REST) < 0.06


def test_what_several_senders_met_with_adds_up(id: int) -> None:
    for _ in range(3):
        account_health.note_calls([Calls(id, 2, 1, 0, 0)])
    assert [one.after.why for one in account_health.judge(REST)] == ["errors: 3 of 6 in 10 s"]
    assert account_health.judge(REST) == []


def test_of_many_senders_one_alone_tells_of_a_change(id: int) -> None:
    account_health.note_calls([Calls(id, 10, 10, 0, 0)])
    told: list[Change] = []
    senders = [Thread(target=lambda: told.extend(account_health.judge(REST))) for _ in range(6)]
    for one in senders:
        one.start()
    for one in senders:
        one.join()
    assert [(one.account, one.before.state, one.after.state) for one in told] == [
        ("simulator", State.SOUND, State.OPEN)
    ]


def test_a_stopped_account_is_open_until_somebody_uses_it_again(id: int) -> None:
    accounts.stop(id, "401")
    account_health.judge(REST)
    assert state(id) is State.OPEN
    accounts.restart(id)
    account_health.judge(REST)
    assert state(id) is State.RETURNING


def test_final_words_about_its_mails_tell_how_an_account_does(id: int) -> None:
    accept(new_message(application(), [f"p{number}@example.org" for number in range(60)]))
    attempt = begin(claim())
    settle(attempt)
    heard = [
        event(uuid4(), one.id, EventType.BOUNCED, reason=why, verdict="bounced")
        for number, one in enumerate(attempt.handovers)
        for why in ("reputation_block" if number < 20 else "address_unknown",)
    ]
    for _ in range(2):
        with transaction() as conn:
            events.record(conn, heard)
    assert scalar("SELECT sum(told) FROM account_words") == 60
    assert [one.after.why for one in account_health.judge(REST)] == [
        "bounce mix: 20 of 60 in 600 s"
    ]
    assert state(id) is State.STRAINED


def test_an_account_whose_words_are_missing_is_under_strain(id: int) -> None:
    with connection() as conn:
        conn.execute(
            "INSERT INTO incident (account_id, kind, began_at, said) VALUES (%s, 'silence',"
            " now(), '')",
            (id,),
        )
    account_health.judge(REST)
    assert state(id) is State.STRAINED


def test_counts_are_dropped_when_no_window_looks_back_to_them(id: int) -> None:
    account_health.note_calls([Calls(id, 1, 0, 0, 0)])
    assert account_health.forget_old() == 0
    with connection() as conn:
        conn.execute("UPDATE account_pulse SET slot_at = slot_at - interval '21 min'")
    assert account_health.forget_old() == 1
