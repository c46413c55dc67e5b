"""A call of unknown outcome is proved not taken by silence, where silence means something."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from postroom.domain.delivery import EventType, Outcome
from postroom.ledger import doubts, figures, timers
from postroom.ledger.attempts import NewAttempt
from postroom.ledger.db import connection, transaction
from postroom.ledger.events import record
from postroom.ledger.intake import NewReceipt
from postroom.ledger.timeline import timeline
from postroom.ledger.verify import verify
from postroom.ledger.writer import store_receipt
from tests.ledger import making
from tests.ledger.making import accept, application, claim, new_message, now, row, scalar

pytestmark = pytest.mark.usefixtures("ledger")

WINDOW = timedelta(minutes=10)
AGO = timedelta(minutes=12)


def doubtful(
    recipients: Sequence[str] = ("ann@example.com",), ago: timedelta = AGO, **changes: Any
) -> NewAttempt:
    """A call whose outcome has been unknown for `ago`."""
    accept(new_message(application(), recipients, **changes))
    attempt = making.begin(claim())
    making.settle(attempt, Outcome.UNKNOWN)
    grow_old(attempt, ago)
    return attempt


def grow_old(attempt: NewAttempt, ago: timedelta) -> None:
    moved = {"ago": ago, "id": attempt.id}
    of_call = "(SELECT delivery_id FROM handover WHERE attempt_id = %(id)s)"
    with connection() as conn:
        conn.execute(
            "UPDATE attempt SET begun_at = begun_at - %(ago)s, ended_at = ended_at - %(ago)s"
            " WHERE id = %(id)s",
            moved,
        )
        conn.execute(
            "UPDATE handover SET begun_at = begun_at - %(ago)s WHERE attempt_id = %(id)s", moved
        )
        conn.execute(
            "UPDATE delivery SET silent_since = silent_since - %(ago)s, due_at = due_at - %(ago)s"
            f" WHERE id IN {of_call}",
            moved,
        )


def let_words_flow(taken: int = 20, acknowledged: int | None = None) -> None:
    """In every minute from before the call until now, so many of the account's hand-overs."""
    told = taken if acknowledged is None else acknowledged
    with connection() as conn:
        conn.execute(
            "INSERT INTO account_flow (account_id, minute, part, taken, heard, acknowledged)"
            " SELECT %s, date_trunc('minute', now()) - number * interval '1 minute', 0, %s, %s, %s"
            "   FROM generate_series(0, 14) AS number",
            (making.account(), taken, told, told),
        )


def prove(telling: Sequence[str] = ("sendgrid",), looked_up: Sequence[int] = ()) -> int:
    return doubts.prove_not_taken(telling, looked_up, WINDOW)


def tell(attempt: NewAttempt, type: EventType, which: int = 0) -> None:
    with transaction() as conn:
        record(conn, [making.event(uuid4(), attempt.handovers[which].id, type)])


def delivery(attempt: NewAttempt, which: int = 0) -> UUID:
    return attempt.handovers[which].delivery_id


def test_a_silent_call_goes_back_to_the_queue_whatever_its_lane_and_its_rule_for_doubt() -> None:
    attempt = doubtful(["ann@example.com", "bob@example.com"], on_doubt="hold")
    let_words_flow()
    assert prove() == 2
    assert row(delivery(attempt), "stage", "verdict") == ("queued", None)
    assert len(claim()) == 2
    assert not verify().discrepancies
    assert prove() == 0


def test_the_proof_stands_on_the_timeline_in_words() -> None:
    attempt = doubtful()
    let_words_flow()
    prove()
    proof = timeline(delivery(attempt))[-1]
    assert (proof.type, proof.state, proof.said_by) == ("not_taken", "queued", "postroom")
    assert proof.handover_id == attempt.handovers[0].id
    assert proof.text is not None
    assert proof.text.startswith("No word for 10 minutes, while the provider acknowledged 2")


def test_the_proof_is_no_resend_in_doubt() -> None:
    doubtful(on_doubt="resend")
    let_words_flow()
    assert (prove(), timers.resend_doubtful(600, 10)) == (1, 0)


def test_a_later_word_refutes_the_proof_and_stops_the_second_copy(
    caplog: pytest.LogCaptureFixture,
) -> None:
    attempt = doubtful()
    let_words_flow()
    prove()
    tell(attempt, EventType.ACCEPTED)
    assert row(delivery(attempt), "stage", "verdict") == ("handed", "submitted")
    assert claim() == []
    tell(attempt, EventType.DELIVERED)
    assert scalar("SELECT count FROM tally WHERE name = 'proofs_refuted'") == 1, "told once"
    assert caplog.text.count("ALARM 1 hand-overs were taken after all") == 1


def test_the_report_as_of_before_the_proof_still_shows_the_doubt() -> None:
    doubtful(communication="news")
    let_words_flow()
    before = scalar("SELECT clock_timestamp()")
    prove()
    then = figures.report(application(), "news", as_of=before)
    today = figures.report(application(), "news")
    assert then is not None
    assert today is not None
    assert (then.states["indeterminate"], today.states["indeterminate"]) == (1, 0)
    assert (today.states["queued"], today.handed_over, today.balanced) == (1, 0, True)


def test_before_the_window_has_passed_nothing_is_proved() -> None:
    doubtful(ago=timedelta(minutes=9))
    let_words_flow()
    assert prove() == 0


def test_without_the_flow_of_others_nothing_is_proved() -> None:
    doubtful()
    assert prove() == 0
    let_words_flow(20, 19)
    assert prove() == 0


def test_a_provider_that_acknowledges_nothing_proves_nothing() -> None:
    doubtful()
    let_words_flow()
    assert prove(["ses"]) == 0


def test_a_call_of_which_one_recipient_was_heard_of_is_not_proved_untaken_for_the_others() -> None:
    attempt = doubtful(["ann@example.com", "bob@example.com"])
    let_words_flow()
    tell(attempt, EventType.DEFERRED)
    assert prove() == 0
    assert row(delivery(attempt, 1), "verdict") == ("indeterminate",)


def test_nothing_is_proved_while_notifications_wait_unread() -> None:
    doubtful()
    let_words_flow()
    store_receipt(NewReceipt(making.account(), now() - timedelta(minutes=2), {}, b"[]")).result(10)
    assert prove() == 0
    with connection() as conn:
        conn.execute("UPDATE receipt SET stage = 'read'")
    assert prove() == 1


def test_nothing_is_proved_after_a_notification_that_could_not_be_read() -> None:
    doubtful()
    let_words_flow()
    store_receipt(NewReceipt(making.account(), now(), {}, b"[")).result(10)
    with connection() as conn:
        conn.execute("UPDATE receipt SET stage = 'unreadable'")
    assert prove() == 0


@pytest.mark.parametrize(("ended", "proved"), [("NULL", 0), ("now()", 0), ("'-infinity'", 1)])
def test_nothing_is_proved_in_a_time_without_words(ended: str, proved: int) -> None:
    doubtful()
    let_words_flow()
    with connection() as conn:
        conn.execute(
            "INSERT INTO incident (account_id, kind, began_at, ended_at, said)"
            f" VALUES (%s, 'silence', '-infinity', {ended}, '')",
            (making.account(),),
        )
    assert prove() == proved


def test_of_two_doubtful_calls_for_one_mail_both_must_be_proved_untaken() -> None:
    first = doubtful(ago=timedelta(minutes=14), on_doubt="resend")
    assert timers.resend_doubtful(0, 10) == 1
    second = making.begin(claim())
    making.settle(second, Outcome.UNKNOWN)
    tell(first, EventType.DEFERRED)
    grow_old(second, AGO)
    with connection() as conn:
        conn.execute("UPDATE delivery SET verdict = 'indeterminate'")
    let_words_flow()
    assert prove() == 1
    assert row(delivery(first), "stage", "verdict") == ("handed", "deferred")


@pytest.mark.parametrize(
    ("begins", "ends", "finished", "failed", "proved"),
    [
        (13, 1, 2, None, 1),
        (11, 1, 2, None, 0),
        (13, 8, 2, None, 0),
        (13, 1, 0, None, 0),
        (13, 1, 2, "no answer", 0),
    ],
)
def test_where_the_provider_can_be_asked_it_must_have_been(
    begins: int, ends: int, finished: int, failed: str | None, proved: int
) -> None:
    """Over the whole of the call and half of the window, in vain, and what it told was read."""
    doubtful()
    let_words_flow()
    asked = (making.account(),)
    assert prove(looked_up=asked) == 0
    with connection() as conn:
        conn.execute(
            "INSERT INTO pull (account_id, since, until, why, finished_at, failed)"
            " VALUES (%s, now() - %s * interval '1 minute', now() - %s * interval '1 minute', '',"
            "         now() - %s * interval '1 minute', %s)",
            (*asked, begins, ends, finished, failed),
        )
    assert prove(looked_up=asked) == proved
