"""Reports balance, keep live and simulated apart, and say how complete they are."""

from datetime import datetime, timedelta

import pytest

from postroom.domain.delivery import ANSWERS, Answer, EventType
from postroom.ledger import figures, reading
from postroom.ledger.db import connection, transaction
from postroom.ledger.figures import Report
from postroom.ledger.wanted import Wanted
from tests.ledger import busy, making


def report(application_id: int, as_of: datetime | None = None, **kind: bool) -> Report:
    made = figures.report(application_id, busy.COMMUNICATION, as_of=as_of, **kind)
    assert made is not None
    return made


def called_days_ago(days: int) -> datetime:
    """When the only call ended, as it is then known."""
    ago = {"ago": timedelta(days=days)}
    with connection() as conn:
        conn.execute("UPDATE handover SET begun_at = begun_at - %(ago)s", ago)
        rows = conn.execute(
            "UPDATE attempt SET begun_at = begun_at - %(ago)s, ended_at = ended_at - %(ago)s"
            " RETURNING ended_at",
            ago,
        ).fetchall()
    ended_at: datetime = rows[0][0]
    return ended_at


def test_every_recipient_is_in_exactly_one_state_and_one_answer(ledger: None) -> None:
    made = busy.busy_ledger()
    known = report(made.application_id)
    assert known.balanced
    assert known.recipients == len(made.deliveries)
    assert sum(known.states.values()) == sum(known.answers.values()) == known.recipients
    for answer in Answer:
        states = (state for state, given in ANSWERS.items() if given is answer)
        assert known.answers[answer] == sum(known.states[state] for state in states)


def test_each_state_that_was_brought_about_is_counted(ledger: None) -> None:
    known = report(busy.busy_ledger().application_id)
    empty = {state for state, count in known.states.items() if count == 0}
    assert empty == {"accepted", "submitting"}


def test_now_and_as_of_now_are_the_same_report(ledger: None) -> None:
    made = busy.busy_ledger()
    now = report(made.application_id)
    then = report(made.application_id, making.now())
    for name in ("recipients", "duplicates", "states", "answers", "reasons", "people"):
        assert getattr(now, name) == getattr(then, name), name
    assert (now.handed_over, now.final) == (then.handed_over, then.final)


def test_each_delivery_reads_the_same_now_and_as_of_now(ledger: None) -> None:
    busy.busy_ledger()
    now = reading.find(Wanted(), limit=100).items
    then = reading.find(Wanted(), limit=100, as_of=making.now()).items
    for name in ("id", "state", "reason", "reason_text", "reply_code", "enhanced_code", "said_by",
                 "after_acceptance", "conflicting_evidence", "opened_at", "clicked_at",
                 "complained_at", "unsubscribed_at"):  # fmt: skip
        pairs = [(one.recipient, getattr(one, name)) for one in now]
        assert pairs == [(one.recipient, getattr(one, name)) for one in then], name


def test_people_are_counted_once_by_their_best_answer(ledger: None) -> None:
    application_id = making.application()
    for _ in range(3):
        making.accept(making.new_message(application_id, ["ann@example.com"], communication="news"))
    first, second, _ = making.claim()
    for claimed, event in ((first, EventType.BOUNCED), (second, EventType.DELIVERED)):
        attempt = making.begin([claimed])
        making.settle(attempt)
        handover_id = attempt.handovers[0].id
        busy.tell(making.event(attempt.id, handover_id, event, reason="gave_up"))
    known = report(application_id)
    assert known.recipients == 3
    assert {answer: count for answer, count in known.people.items() if count} == {"delivered": 1}
    assert known.answers["not_delivered"] == known.answers["still_trying"] == 1


def test_live_and_simulated_deliveries_are_never_in_one_report(ledger: None) -> None:
    application_id = making.application()
    for simulated, count in ((True, 3), (False, 2)):
        recipients = [f"person{number}@example.com" for number in range(count)]
        making.accept(
            making.new_message(
                application_id, recipients, communication="news", simulated=simulated
            )
        )
    assert [report(application_id).simulated, report(application_id).recipients] == [False, 2]
    assert report(application_id, simulated=True).recipients == 3
    assert report(application_id, simulated=True).balanced


def test_a_report_that_only_simulated_mail_fills_is_simulated(ledger: None) -> None:
    assert report(busy.busy_ledger().application_id).simulated


def test_completeness_counts_final_words_of_what_was_handed_over(ledger: None) -> None:
    known = report(busy.busy_ledger().application_id)
    waiting = known.states["submitted"] + known.states["deferred"]
    unknown = known.states["indeterminate"] + known.states["unconfirmed"]
    assert known.handed_over == known.final + waiting + unknown
    assert known.silent_since is not None


def test_completeness_as_of_now_is_that_of_now_and_before_it_less_was_final(ledger: None) -> None:
    application_id = making.application()
    making.accept(making.new_message(application_id, communication="news"))
    attempt = making.begin(making.claim())
    making.settle(attempt)
    with connection() as conn:
        (taken_at,) = conn.execute("SELECT clock_timestamp()").fetchall()[0]
    busy.tell(making.event(attempt.id, attempt.handovers[0].id, EventType.DELIVERED))
    then, now = (report(application_id, as_of=at) for at in (taken_at, making.now()))
    assert (then.handed_over, then.final) == (1, 0)
    assert then.silent_since is not None
    assert then.silent_since <= taken_at
    assert (now.handed_over, now.final, now.silent_since) == (1, 1, None)
    today = report(application_id)
    assert (today.handed_over, today.final, today.silent_since) == (1, 1, None)


def test_the_window_that_passed_is_no_word_about_a_silent_delivery(ledger: None) -> None:
    application_id = making.application()
    making.accept(making.new_message(application_id, communication="news"))
    attempt = making.begin(making.claim())
    making.settle(attempt)
    called_days_ago(6)
    heard_at = making.now() - timedelta(days=5)
    busy.tell(
        making.event(attempt.id, attempt.handovers[0].id, EventType.ACCEPTED, received_at=heard_at)
    )
    busy.let_the_window_pass(attempt.handovers[0].delivery_id)
    known = [report(application_id), report(application_id, making.now())]
    assert [one.states["unconfirmed"] for one in known] == [1, 1]
    assert [one.silent_since for one in known] == [heard_at, heard_at]


def test_a_delivery_of_which_no_word_ever_came_is_silent_since_its_call(ledger: None) -> None:
    application_id = making.application()
    making.accept(making.new_message(application_id, communication="news"))
    attempt = making.begin(making.claim())
    making.settle(attempt)
    ended_at = called_days_ago(5)
    busy.let_the_window_pass(attempt.handovers[0].delivery_id)
    now, then = report(application_id), report(application_id, making.now())
    assert now.states["unconfirmed"] == then.states["unconfirmed"] == 1
    assert (now.silent_since, then.silent_since) == (ended_at, ended_at)


def test_before_the_window_passed_the_delivery_waited_and_was_not_final(ledger: None) -> None:
    application_id = making.application()
    making.accept(making.new_message(application_id, communication="news"))
    attempt = making.begin(making.claim())
    making.settle(attempt)
    before = making.now()
    busy.let_the_window_pass(attempt.handovers[0].delivery_id)
    busy.tell(making.event(attempt.id, attempt.handovers[0].id, EventType.DELIVERED))
    with connection() as conn:
        conn.execute("UPDATE event SET recorded_at = recorded_at + interval '1 second'"
                     " WHERE type = 'delivered'")  # fmt: skip
        (passed_at,) = conn.execute(
            "SELECT recorded_at FROM event WHERE type = 'window_passed'"
        ).fetchall()[0]
    known = [report(application_id, at) for at in (before, passed_at)]
    assert [one.states["submitted"] for one in known] == [1, 0]
    assert [one.states["unconfirmed"] for one in known] == [0, 1]
    assert [(one.handed_over, one.final) for one in known] == [(1, 0), (1, 0)]
    assert known[0].silent_since == known[1].silent_since
    assert (report(application_id).final, report(application_id).silent_since) == (1, None)


def test_without_anything_handed_over_nothing_is_silent(ledger: None) -> None:
    application_id = making.application()
    making.accept(making.new_message(application_id, communication="news"))
    known = report(application_id)
    assert (known.handed_over, known.final, known.silent_since) == (0, 0, None)


def test_a_lost_delivery_unbalances_the_report(ledger: None) -> None:
    made = busy.busy_ledger()
    with transaction() as conn:
        conn.execute("DELETE FROM delivery WHERE recipient = 'queued@example.com'")
    assert not report(made.application_id).balanced


@pytest.mark.parametrize("name", ["other", "NEWS", ""])
def test_an_unknown_communication_has_no_report(ledger: None, name: str) -> None:
    assert figures.report(busy.busy_ledger().application_id, name) is None


def test_another_application_has_no_report_of_the_same_name(ledger: None) -> None:
    busy.busy_ledger()
    assert figures.report(making.application("stranger"), busy.COMMUNICATION) is None
