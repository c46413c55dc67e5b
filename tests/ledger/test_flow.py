"""What an account was handed and told is counted once for each hand-over, by the minute."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from postroom.domain.delivery import EventType, Outcome
from postroom.ledger import flow, leases
from postroom.ledger.attempts import NewAttempt
from postroom.ledger.db import connection, transaction
from postroom.ledger.events import record
from postroom.ledger.settlements import Then
from tests.ledger import making
from tests.ledger.making import accept, application, claim, new_message, now, scalar

pytestmark = pytest.mark.usefixtures("ledger")


def begun(recipients: Sequence[str] = ("ann@example.com",)) -> NewAttempt:
    accept(new_message(application(), recipients))
    return making.begin(claim())


def tell(attempt: NewAttempt, type: EventType, which: int = 0, **changes: Any) -> None:
    with transaction() as conn:
        record(conn, [making.event(uuid4(), attempt.handovers[which].id, type, **changes)])


def counted() -> tuple[int, int, int]:
    """Taken, heard and acknowledged of the account, over all minutes."""
    with connection() as conn:
        known = flow.minutes(conn, making.account(), now() - timedelta(hours=1))
    return (
        sum(one.taken for one in known),
        sum(one.heard for one in known),
        sum(one.acknowledged for one in known),
    )


def test_a_hand_over_counts_once_as_taken_heard_and_acknowledged() -> None:
    attempt = begun()
    making.settle(attempt)
    assert counted() == (1, 0, 0)
    tell(attempt, EventType.DELIVERED)
    assert counted() == (1, 1, 0)
    tell(attempt, EventType.ACCEPTED)
    tell(attempt, EventType.ACCEPTED)
    tell(attempt, EventType.OPENED)
    assert counted() == (1, 1, 1)


def test_words_of_one_transaction_count_as_one_first_word() -> None:
    attempt = begun(["ann@example.com", "bob@example.com"])
    making.settle(attempt)
    with transaction() as conn:
        record(
            conn,
            [
                making.event(uuid4(), handover.id, type)
                for handover in attempt.handovers
                for type in (EventType.ACCEPTED, EventType.DELIVERED)
            ],
        )
    assert counted() == (2, 2, 2)


def test_late_words_are_no_part_of_the_flow() -> None:
    attempt = begun()
    making.settle(attempt)
    tell(attempt, EventType.ACCEPTED, received_at=now() + timedelta(minutes=2))
    assert counted() == (1, 1, 0)
    late = begun(["bob@example.com"])
    making.settle(late)
    tell(late, EventType.ACCEPTED, received_at=now() + timedelta(minutes=6))
    assert counted() == (2, 1, 0)


def test_refused_and_doubtful_hand_overs_are_not_taken() -> None:
    making.settle(begun(), Outcome.REFUSED, reason="provider_refused")
    making.settle(begun(["bob@example.com"]), Outcome.NOT_TAKEN, Then.QUEUED, retry_at=now())
    doubtful = begun(["cat@example.com"])
    making.settle(doubtful, Outcome.UNKNOWN)
    tell(doubtful, EventType.ACCEPTED)
    assert counted() == (0, 0, 0)


def test_a_word_before_the_answer_counts_and_a_doubtful_answer_does_not_take_it_back() -> None:
    attempt = begun(["ann@example.com", "bob@example.com"])
    tell(attempt, EventType.ACCEPTED)
    assert counted() == (0, 1, 1)
    making.settle(attempt, Outcome.UNKNOWN)
    assert counted() == (1, 1, 1), "the one that was heard of was taken"


def test_what_a_lost_sender_left_counts_as_far_as_it_was_heard_of() -> None:
    attempt = begun(["ann@example.com", "bob@example.com"])
    tell(attempt, EventType.ACCEPTED)
    with connection() as conn:
        conn.execute("UPDATE delivery SET lease_until = now() - interval '1 second'")
    assert leases.sweep(1) == 1
    assert leases.sweep(1) == 1
    assert counted() == (1, 1, 1)


def test_old_minutes_are_forgotten() -> None:
    making.settle(begun())
    with connection() as conn:
        conn.execute("UPDATE account_flow SET minute = minute - interval '8 days'")
    making.settle(begun(["bob@example.com"]))
    assert flow.forget_old(10) == 1
    assert scalar("SELECT sum(taken) FROM account_flow") == 1
