"""The guard judges what was counted: who is held, who goes on, and when a warning is over."""

import logging
from collections.abc import Iterable
from typing import Any

import pytest
from django.test import Client

from postroom.domain.guard import WINDOWS, Counts, Level
from postroom.ledger import guard_cases
from postroom.ledger.db import connection
from postroom.ledger.guard import Tally
from postroom.ledger.guard_cases import Cell
from postroom.management import doctor, guard_watch
from postroom.management.commands import top
from tests.ledger import making

BAD = Counts(handed=300, told=300, failed=60, audible=240)
SOUND = Counts(handed=300, told=300, failed=3, audible=297)


def tally(communication_id: int | None, counts: Counts, **changes: Any) -> Tally:
    described: dict[str, Any] = {
        "application_id": 1,
        "communication_id": communication_id,
        "account_id": 1,
        "from_domain": "example.org",
        "kind": "marketing",
        "is_pressing": False,
        "provider": "ses",
        "receiver": "",
        "counts": counts,
    }
    return Tally(**(described | changes))


def held(tallies: Iterable[Tally], before: Iterable[Cell] = ()) -> set[Cell]:
    seen = guard_watch.judge({WINDOWS[0]: list(tallies)}, set(before))
    return {cell for cell, one in seen.items() if one.judgement.level is Level.PAUSE}


def cell(communication_id: int | None, **changes: Any) -> Cell:
    described: dict[str, Any] = {
        "application_id": 1,
        "communication_id": communication_id,
        "account_id": 1,
        "from_domain": "example.org",
        "kind": "marketing",
        "is_pressing": False,
    }
    return Cell(**(described | changes))


def test_a_bad_communication_is_held_alone_and_the_rest_is_judged_without_it() -> None:
    assert held([tally(1, BAD), tally(2, SOUND)]) == {cell(1)}
    assert held([tally(1, BAD), tally(2, SOUND)], before=[cell(1)]) == {cell(1)}


def test_many_small_bad_communications_are_held_together() -> None:
    few = Counts(told=50, failed=10)
    assert held(tally(number, few) for number in range(1, 11)) == {cell(None)}


def test_mail_outside_of_any_communication_is_held_as_a_whole() -> None:
    assert held([tally(None, BAD)]) == {cell(None)}


def test_urgent_mail_of_the_same_application_is_judged_for_itself() -> None:
    assert held([tally(1, BAD), tally(1, SOUND, is_pressing=True)]) == {cell(1)}


def test_complaints_at_one_operator_hold_mail_to_its_mailboxes() -> None:
    many = Counts(told=5000, audible=5000, complained=30)
    quiet = Counts(told=100_000, audible=100_000)
    assert held([tally(None, many, receiver="yahoo.com"), tally(None, quiet)]) == {
        cell(None, receiver="yahoo")
    }


def test_no_complaint_rate_is_made_up_for_gmail() -> None:
    seen = guard_watch.judge(
        {WINDOWS[0]: [tally(None, Counts(told=5000), receiver="gmail.com")]}, ()
    )
    assert {one.receiver for one in seen} == {None}
    assert seen[cell(None)].judgement.line.measure == "bounces"


def count(what: str, number: int, receiver: str = "x.example") -> None:
    """Add to the counters of bulk mail outside of any communication."""
    with connection() as conn:
        conn.execute(
            "INSERT INTO guard_count (application_id, communication_id, account_id, from_domain,"
            " kind, is_pressing, receiver, what, slot_at, part, count)"
            " VALUES (%s, 0, %s, 'example.org', 'marketing', false, %s, %s, now(), 0, %s)",
            (making.application(), making.account(), receiver, what, number),
        )


@pytest.mark.usefixtures("ledger")
def test_a_bad_list_is_held_and_operators_are_called_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    count("delivered", 240)
    count("address_unknown", 60)
    with caplog.at_level(logging.INFO):
        assert guard_watch.look() == 1
        assert guard_watch.look() == 0
    (alarm,) = [one.getMessage() for one in caplog.records if "ALARM" in one.getMessage()]
    assert "all mail of shop from example.org over simulator" in alarm
    assert "60 bounces of 300 (20.00%); the line of sendgrid is 5.00%" in alarm
    (sentence,) = [said for _, said in guard_watch.sentences()]
    assert "`postroom guard resume 1`" in sentence


@pytest.mark.usefixtures("ledger")
def test_a_warning_ends_by_itself_when_it_is_calm_again() -> None:
    count("delivered", 385)
    count("address_unknown", 15)
    assert guard_watch.look() == 1
    (case,) = guard_cases.standing()
    assert case.level is Level.SLOW
    count("delivered", 600)
    assert guard_watch.look_back() == 1
    assert guard_cases.standing() == []


@pytest.mark.usefixtures("ledger")
def test_what_is_held_stays_held_when_the_figures_get_better() -> None:
    count("address_unknown", 300)
    guard_watch.look()
    count("delivered", 100_000)
    assert guard_watch.look_back() == 0
    assert [case.level for case in guard_cases.standing()] == [Level.PAUSE]


@pytest.mark.usefixtures("ledger")
def test_what_is_held_stands_in_the_doctor_the_metrics_and_the_live_view() -> None:
    count("address_unknown", 300)
    guard_watch.look()
    (finding,) = [one for one in doctor.examine() if one.about == "guard"]
    assert finding.level is doctor.Level.MISSING
    assert "`postroom guard resume 1`" in finding.said
    scraped = Client(REMOTE_ADDR="127.0.0.1").get("/metrics").content.decode()
    assert 'postroom_guard_cases{level="pause"} 1' in scraped
    assert 'postroom_guard_cases{level="warn"} 0' in scraped
    seen = top.look(making.now())
    assert finding.said in "\n".join(top.as_text(seen))


@pytest.mark.usefixtures("ledger")
def test_where_one_receiver_is_the_cause_only_mail_to_it_is_held() -> None:
    count("delivered", 400)
    count("address_unknown", 4)
    count("delivered", 100, "failing.example")
    count("address_unknown", 100, "failing.example")
    guard_watch.look()
    assert guard_watch.look_back() == 0, "the rest is judged without it"
    (case,) = guard_cases.standing()
    assert (case.level, case.cell.receiver) == (Level.PAUSE, "failing.example")
    assert case.said.startswith("100 bounces of 200 (50.00%)")


@pytest.mark.usefixtures("ledger")
def test_where_nobody_knows_the_rest_all_of_it_is_held() -> None:
    count("delivered", 100)
    count("delivered", 100, "failing.example")
    count("address_unknown", 100, "failing.example")
    guard_watch.look()
    assert [case.cell.receiver for case in guard_cases.standing()] == [None]
