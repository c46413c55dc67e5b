"""A domain that fails too many at once: nobody is lost by it, and each address has one trial."""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from postroom.domain.storm import slot_of
from postroom.ledger import storms, suppressions
from postroom.ledger.db import connection
from postroom.ledger.events import NewEvent
from tests.ledger.making import accept, application, claim, new_message, now, scalar
from tests.ledger.telling import delivered, failed, handed_over, states, tell

pytestmark = pytest.mark.usefixtures("ledger")

DOMAIN = "mail.example"
EVERYBODY = [f"p{n}@{DOMAIN}" for n in range(60)]
YESTERDAY = slot_of(now() - timedelta(days=1))


def mail(at: datetime, people: Sequence[str] = EVERYBODY) -> list[UUID]:
    handovers = handed_over(people, at)
    return [handovers[one] for one in people]


def storm() -> list[NewEvent]:
    """Half of all fail, in mails of three hours that were handed over within one."""
    handovers = [
        one
        for n in range(3)
        for one in mail(YESTERDAY + timedelta(minutes=10 * n), EVERYBODY[20 * n : 20 * n + 20])
    ]
    return [failed(one) if n % 3 else delivered(one) for n, one in enumerate(handovers)]


def in_one_batch(events: Sequence[NewEvent]) -> None:
    tell(*events)


def backwards_one_by_one(events: Sequence[NewEvent]) -> None:
    for one in reversed(events):
        tell(one)


def by_several_interpreters_and_twice(events: Sequence[NewEvent]) -> None:
    batches = [[*events[n::4], *events[(n + 1) % 4 :: 8]] for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda batch: tell(*batch), batches))


@pytest.mark.parametrize(
    "tell_all", [in_one_batch, backwards_one_by_one, by_several_interpreters_and_twice]
)
def test_what_a_storm_says_is_not_applied_however_it_is_told(
    tell_all: Callable[[Sequence[NewEvent]], None], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        tell_all(storm())
    assert suppressions.standing(True, EVERYBODY) == {}
    [one] = storms.standing()
    assert (one.domain, one.simulated, one.quarantined) == (DOMAIN, True, 40)
    assert sum("ALARM mail.example fails too many" in line for line in caplog.messages) == 1
    assert accept(new_message(application(), EVERYBODY)).suppressed == 0
    assert storms.look() == 0


def test_the_usual_dead_addresses_of_a_first_list_are_stopped_at_once() -> None:
    handovers = mail(YESTERDAY)
    tell(*[failed(one) if n % 3 == 0 else delivered(one) for n, one in enumerate(handovers)])
    assert len(suppressions.standing(True, EVERYBODY)) == 20
    assert storms.standing() == []


def test_failures_that_come_first_are_believed_when_all_words_are_in() -> None:
    dead = [f"dead{n}@{DOMAIN}" for n in range(25)]
    failures = [failed(one) for one in mail(YESTERDAY, dead)]
    tell(*failures)
    assert suppressions.standing(True, dead) == {}
    tell(*[delivered(one) for one in mail(YESTERDAY)])
    assert storms.look() == 1
    assert len(suppressions.standing(True, dead)) == 25
    assert scalar("SELECT count(*) FROM suppression WHERE expires_at IS NOT NULL") == 0
    assert storms.standing() == []


def test_addresses_that_mail_reached_lately_do_not_die_by_the_score() -> None:
    people = [f"q{n}@{DOMAIN}" for n in range(300)]
    tell(*[delivered(one) for one in mail(YESTERDAY - timedelta(days=3), people)])
    handovers = mail(YESTERDAY, people)
    tell(*[failed(one) if n < 25 else delivered(one) for n, one in enumerate(handovers)])
    assert suppressions.standing(True, people) == {}


def test_a_mail_that_arrives_after_the_storm_lifts_the_quarantine() -> None:
    tell(*storm())
    again = mail(YESTERDAY + timedelta(hours=3))
    tell(*[delivered(one) for one in again])
    assert {state for one in EVERYBODY for state in states(one)} == {
        ("address_unknown", False, "proof")
    }
    assert storms.look() == 1


def test_after_some_hours_each_has_one_trial_and_the_dead_stay() -> None:
    tell(*storm())
    assert storms.try_now(True, DOMAIN) == 40
    assert accept(new_message(application(), EVERYBODY[1:3])).suppressed == 0
    trials = {one.recipient for one in claim()}
    assert trials == set(EVERYBODY[1:3])
    assert accept(new_message(application(), EVERYBODY[1:3])).suppressed == 2
    assert scalar("SELECT count(*) FROM suppression WHERE trial_at IS NOT NULL") == 2


def test_a_trial_after_the_storm_that_fails_stops_mail_for_good() -> None:
    tell(*storm())
    storms.try_now(True, DOMAIN)
    handovers = mail(now(), EVERYBODY[1:3])
    tell(failed(handovers[0]), delivered(handovers[1]))
    assert states(EVERYBODY[1]) == [("address_unknown", False, None)]
    assert states(EVERYBODY[2]) == [("address_unknown", False, "trial")]
    [stands] = suppressions.standing(True, EVERYBODY[1:3]).values()
    assert (stands.expires_at, stands.quarantined_until) == (None, None)
    assert storms.look() == 1


def test_a_window_is_undone_with_a_reason_and_what_people_asked_for_stays() -> None:
    tell(*storm(), failed(mail(YESTERDAY + timedelta(hours=5), EVERYBODY[:1])[0]))
    suppressions.add(suppressions.NewSuppression(True, EVERYBODY[0], "asked", "person"))
    window = (YESTERDAY, YESTERDAY + timedelta(hours=1))
    with connection() as conn:
        conn.execute("UPDATE suppression SET created_at = failed_at WHERE source = 'event'")
    assert suppressions.undo(True, DOMAIN, *window, "the receiver was broken") == 40
    assert suppressions.undo(True, DOMAIN, *window, "again") == 0
    assert states(EVERYBODY[0]) == [("address_unknown", False, None), ("asked", False, None)]
    assert scalar("SELECT DISTINCT lifted_reason FROM suppression WHERE lifted_by = 'undo'") == (
        "the receiver was broken"
    )
