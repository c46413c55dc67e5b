"""What SQL says was known at an instant is what the fold says of the facts recorded by then."""

import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from postroom.domain.delivery import ANSWERS, Answer
from postroom.ledger import figures, reading
from postroom.ledger.db import transaction
from postroom.ledger.wanted import Wanted
from tests.ledger.chance import MINUTES, NOON, Occasion, State, expected, instants, occasion


@pytest.mark.parametrize("seed", range(4))
def test_each_delivery_is_known_as_the_fold_of_what_was_recorded_by_then(
    ledger: None, seed: int
) -> None:
    made = occasion(seed)
    for at in instants():
        found = reading.find(Wanted(communication="news"), limit=1000, as_of=at)
        assert found.as_of == at
        got = {
            one.id: State(
                one.state,
                one.reason,
                one.reason_text,
                one.after_acceptance,
                one.conflicting_evidence,
            )
            for one in found.items
        }
        assert got == {one.id: expected(one, at, made.send_at) for one in made.deliveries}


@pytest.mark.parametrize("seed", range(4))
def test_a_report_as_of_an_instant_counts_the_same_states(ledger: None, seed: int) -> None:
    made = occasion(seed)
    for at in instants():
        report = figures.report(made.application_id, "news", as_of=at)
        assert report is not None
        states = {one.id: expected(one, at, made.send_at) for one in made.deliveries}
        assert +Counter(report.states) == Counter(one.state for one in states.values())
        assert Counter(report.reasons) == Counter(
            one.reason for one in states.values() if one.reason is not None
        )
        assert +Counter(report.people) == best_answers(
            made, {i: s.state for i, s in states.items()}
        )
        assert report.recipients == len(made.deliveries)
        assert report.balanced


def best_answers(made: Occasion, states: dict[UUID, str]) -> Counter[str]:
    ranks = list(Answer)
    people: dict[str, int] = {}
    for one in made.deliveries:
        rank = ranks.index(ANSWERS[states[one.id]])
        people[one.key] = min(rank, people.get(one.key, rank))
    return Counter(str(ranks[rank]) for rank in people.values())


def test_before_acceptance_nothing_is_known_and_the_report_is_empty(ledger: None) -> None:
    made = occasion(1, 10)
    before = NOON - timedelta(minutes=1)
    assert reading.find(Wanted(communication="news"), limit=10, as_of=before).items == []
    report = figures.report(made.application_id, "news", as_of=before)
    assert report is not None
    assert (report.recipients, report.duplicates, report.simulated) == (0, 0, True)
    assert report.balanced


def test_an_instant_to_come_is_answered_as_of_what_is_certainly_recorded(ledger: None) -> None:
    made = occasion(1, 10)
    asked_at = datetime.now(UTC)
    report = figures.report(made.application_id, "news", as_of=asked_at + timedelta(days=1))
    assert report is not None
    assert asked_at <= report.as_of <= datetime.now(UTC)


def test_the_horizon_lies_before_every_open_transaction(ledger: None) -> None:
    made = occasion(1, 10)
    with transaction() as writer:
        began_at = writer.execute("SELECT now()").fetchall()[0][0]
        writer.execute("INSERT INTO tally VALUES ('test', '', 1)")
        report = figures.report(made.application_id, "news", as_of=datetime.now(UTC))
        assert report is not None
        assert report.as_of == began_at


def test_just_after_a_broadcast_a_report_takes_seconds_and_not_the_square(ledger: None) -> None:
    """The planner knows nothing of these rows yet; looping over them would take minutes."""
    made = occasion(7, 20_000)
    began = time.monotonic()
    report = figures.report(made.application_id, "news", as_of=NOON + timedelta(minutes=MINUTES))
    assert report is not None
    assert report.balanced
    assert time.monotonic() - began < 15
