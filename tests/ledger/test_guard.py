"""The guard's counters count each fact once; its cases hold mail, and let it go for a person."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from postroom.domain.delivery import EventType
from postroom.domain.guard import WINDOWS, Counts, Level, total
from postroom.domain.lane import Lane
from postroom.domain.mail_kind import MailKind
from postroom.ledger import guard, guard_cases
from postroom.ledger.attempts import NewAttempt
from postroom.ledger.db import connection, transaction
from postroom.ledger.events import record
from postroom.ledger.guard import Tally
from postroom.ledger.guard_cases import Cell
from tests.ledger import making
from tests.ledger.making import accept, application, claim, new_message, now, row, scalar

pytestmark = pytest.mark.usefixtures("ledger")

DEAD: dict[str, Any] = {"reason": "address_unknown", "occurred_raw": "2"}


def handed(recipients: Sequence[str] = ("ann@example.com",), **changes: Any) -> NewAttempt:
    accept(new_message(application(), recipients, **changes))
    attempt = making.begin(claim())
    making.settle(attempt)
    return attempt


def tell(attempt: NewAttempt, type: EventType, which: int = 0, **changes: Any) -> None:
    with transaction() as conn:
        record(conn, [making.event(uuid4(), attempt.handovers[which].id, type, **changes)])


def tallies() -> list[Tally]:
    return guard.tallies(WINDOWS[:1])[1][WINDOWS[0]]


def counted() -> Counts:
    return total(one.counts for one in tallies())


def test_each_hand_over_each_first_word_and_each_complaint_counts_once() -> None:
    attempt = handed(["ann@example.com", "bob@example.com"])
    assert counted() == Counts(handed=2)
    tell(attempt, EventType.DELIVERED)
    tell(attempt, EventType.DELIVERED)
    tell(attempt, EventType.DELIVERED, occurred_raw="another telling")
    tell(attempt, EventType.COMPLAINED)
    tell(attempt, EventType.COMPLAINED)
    tell(attempt, EventType.BOUNCED, 1, **DEAD)
    assert counted() == Counts(handed=2, told=2, failed=1, audible=1, complained=1)


def test_what_bounces_after_it_was_delivered_counts_as_failed_and_no_more_as_delivered() -> None:
    attempt = handed()
    tell(attempt, EventType.DELIVERED)
    tell(attempt, EventType.BOUNCED, **DEAD)
    tell(attempt, EventType.BOUNCED, reason="address_unknown", occurred_raw="3")
    assert counted() == Counts(handed=1, told=1, failed=1)


def test_all_words_of_one_transaction_are_one_first_word() -> None:
    attempt = handed()
    with transaction() as conn:
        record(
            conn,
            [
                making.event(uuid4(), attempt.handovers[0].id, EventType.DELIVERED),
                making.event(uuid4(), attempt.handovers[0].id, EventType.BOUNCED, **DEAD),
            ],
        )
    assert counted() == Counts(handed=1, told=1, failed=1)


def test_a_full_mailbox_is_told_and_no_bounce() -> None:
    tell(handed(), EventType.BOUNCED, reason="mailbox_full")
    assert counted() == Counts(handed=1, told=1)


def test_a_complaint_can_be_told_of_everywhere_but_at_gmail() -> None:
    attempt = handed(["ann@gmail.com", "bob@example.com"])
    tell(attempt, EventType.DELIVERED, 0)
    tell(attempt, EventType.DELIVERED, 1)
    by_receiver = {one.receiver: one.counts for one in tallies()}
    assert by_receiver["gmail.com"] == Counts(told=1)
    assert by_receiver[""] == Counts(handed=2, told=1, audible=1)


def test_mail_counts_by_its_communication_from_domain_and_kind() -> None:
    tell(handed(communication="offers", kind=MailKind.MARKETING), EventType.DELIVERED)
    tell(handed(["bob@example.com"], lane=Lane.URGENT), EventType.DELIVERED)
    letters, offers = sorted(tallies(), key=lambda one: one.communication_id or 0)
    assert (offers.from_domain, offers.kind, offers.is_pressing) == (
        "example.org",
        "marketing",
        False,
    )
    assert (letters.communication_id, letters.kind, letters.is_pressing) == (
        None,
        "transactional",
        True,
    )


def test_counters_that_no_window_looks_back_to_are_forgotten() -> None:
    handed()
    with connection() as conn:
        conn.execute("UPDATE guard_count SET slot_at = slot_at - interval '9 days'")
    handed(["bob@example.com"])
    assert guard.forget_old(10) == 1
    assert counted() == Counts(handed=1)


def cell(**changes: Any) -> Cell:
    described: dict[str, Any] = {
        "application_id": application(),
        "communication_id": None,
        "account_id": making.account(),
        "from_domain": "example.org",
        "kind": "transactional",
        "is_pressing": False,
    }
    return Cell(**(described | changes))


def noted(cell: Cell, level: Level = Level.PAUSE, seen_at: datetime | None = None) -> bool:
    return guard_cases.note(cell, level, "60 bounces of 500", seen_at or now())


def test_a_case_is_news_once_and_again_when_it_gets_worse() -> None:
    assert noted(cell(), Level.WARN)
    assert not noted(cell(), Level.WARN)
    assert noted(cell(), Level.PAUSE)
    assert not noted(cell(), Level.WARN)
    (case,) = guard_cases.standing()
    assert (case.level, case.application, case.account) == (Level.PAUSE, "shop", "simulator")


def test_what_waits_is_held_and_what_comes_later_is_held_when_it_is_claimed() -> None:
    mine = application()
    (first, *_) = accept(new_message(mine, lane=Lane.BULK)).deliveries
    noted(cell())
    assert guard_cases.hold_waiting(10) == 1
    assert guard_cases.hold_waiting(10) == 0
    (later, *_) = accept(new_message(mine, ["bob@example.com"], lane=Lane.BULK)).deliveries
    assert claim() == []
    for id, _, _ in (first, later):
        assert row(id, "stage", "reason") == ("held", "guard")


@pytest.mark.parametrize(
    "changes",
    [
        {"lane": Lane.URGENT},
        {"lane": Lane.NORMAL},
        {"lane": Lane.BULK, "kind": MailKind.MARKETING},
        {"lane": Lane.BULK, "from_address": "shop@other.example"},
    ],
)
def test_mail_of_another_cell_goes_on(changes: dict[str, Any]) -> None:
    accept(new_message(application(), **changes))
    noted(cell())
    assert guard_cases.hold_waiting(10) == 0
    assert len(claim()) == 1


def test_a_case_of_one_operator_holds_mail_to_its_mailboxes() -> None:
    accept(new_message(application(), ["a@yahoo.com", "b@example.com"], lane=Lane.BULK))
    noted(cell(receiver="yahoo"))
    assert [one.recipient for one in claim()] == ["b@example.com"]
    assert scalar("SELECT recipient FROM delivery WHERE reason = 'guard'") == "a@yahoo.com"


def test_another_communication_goes_on() -> None:
    accept(new_message(application(), communication="poisoned", lane=Lane.BULK))
    accept(new_message(application(), ["b@x.example"], communication="sound", lane=Lane.BULK))
    noted(cell(communication_id=scalar("SELECT id FROM communication WHERE name = 'poisoned'")))
    assert [one.recipient for one in claim()] == ["b@x.example"]


def test_only_a_person_lets_it_go_on_and_it_is_not_held_again_for_the_same_facts() -> None:
    tell(handed(lane=Lane.BULK), EventType.BOUNCED, **DEAD)
    accept(new_message(application(), ["bob@example.com"], lane=Lane.BULK))
    looked_at = now()
    noted(cell(), seen_at=looked_at)
    guard_cases.hold_waiting(10)
    (case,) = guard_cases.standing()
    assert not guard_cases.end(case.id)
    assert guard_cases.release(10) == 0
    assert guard_cases.resume(case.id, "the list was cleaned")
    assert not guard_cases.resume(case.id, "again")
    assert not noted(cell(), seen_at=looked_at), "of facts from before"
    assert counted() == Counts()
    assert guard_cases.release(10) == 1
    attempt = making.begin(claim())
    making.settle(attempt)
    tell(attempt, EventType.DELIVERED)
    assert counted() == Counts(handed=1, told=1, audible=1)


def test_a_late_word_about_mail_from_before_a_resuming_counts_for_before() -> None:
    attempt = handed(lane=Lane.BULK)
    noted(cell())
    guard_cases.resume(guard_cases.standing()[0].id, "looked at")
    tell(attempt, EventType.BOUNCED, **DEAD)
    assert counted() == Counts()


def test_one_of_two_cases_lets_go_only_what_the_other_does_not_hold() -> None:
    accept(new_message(application(), ["a@yahoo.com", "b@example.com"], lane=Lane.BULK))
    noted(cell(receiver="yahoo"))
    noted(cell())
    guard_cases.hold_waiting(10)
    guard_cases.hold_waiting(10)
    whole = next(case for case in guard_cases.standing() if case.cell.receiver is None)
    guard_cases.resume(whole.id, "looked at")
    assert guard_cases.release(10) == 1
    assert scalar("SELECT recipient FROM delivery WHERE reason = 'guard'") == "a@yahoo.com"


def test_sums_of_longer_windows_reach_further_back() -> None:
    handed()
    with connection() as conn:
        conn.execute("UPDATE guard_count SET slot_at = slot_at - interval '3 hours'")
    _, found = guard.tallies(WINDOWS)
    assert [len(found[window]) for window in WINDOWS] == [0, 1, 1]
    assert WINDOWS[0] == timedelta(hours=1)
