"""Nothing is decided by silence while words that have come wait to be read."""

import logging
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from postroom.domain.delivery import Outcome
from postroom.ledger import receipts
from postroom.ledger.db import LedgerUnavailable, connection
from postroom.ledger.draining import drain
from postroom.ledger.ids import uuid7
from postroom.ledger.intake import NewReceipt
from postroom.ledger.receipts import ReadReceipt
from postroom.ledger.spool import Spool
from postroom.management import clock
from postroom.management.waiting_words import RETURN_S, WAIT_S_MAX, WaitingWords
from tests.ledger import making
from tests.ledger.making import row

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def spool(data: Path, monkeypatch: pytest.MonkeyPatch) -> Spool:
    """The spool of this machine, as the clock sees it."""
    one = Spool(data / "spool", 1024**2)
    monkeypatch.setattr(clock, "WaitingWords", lambda: WaitingWords(lambda: one))
    return one


class Clock:
    """A clock of our own."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def long_ago() -> NewReceipt:
    at = making.now() - timedelta(hours=1)
    return NewReceipt(making.account(), at, {}, b"[]", uuid7(at))


def read_all() -> None:
    while receipts.interpret_new(10, ReadReceipt):
        pass


def tasks() -> dict[str, Callable[[], int]]:
    return {task.name: task.step for task in clock.tasks()}


def silent_delivery(outcome: Outcome, silence: timedelta) -> UUID:
    """A delivery of which nothing was heard for so long."""
    making.accept(making.new_message(making.application(), on_doubt="resend"))
    attempt = making.begin(making.claim())
    making.settle(attempt, outcome)
    with connection() as conn:
        conn.execute("UPDATE delivery SET silent_since = now() - %s, due_at = now() - %s",
                     (silence, silence))  # fmt: skip
    return attempt.handovers[0].delivery_id


@pytest.mark.parametrize(
    ("task", "outcome", "before", "after"),
    [
        ("windows passed", Outcome.TAKEN, "submitted", "unconfirmed"),
        ("doubtful sent again", Outcome.UNKNOWN, "handed", "queued"),
    ],
)
def test_the_clock_waits_for_the_spool_and_for_what_is_unread(
    spool: Spool, task: str, outcome: Outcome, before: str, after: str
) -> None:
    column = "verdict" if task == "windows passed" else "stage"
    delivery_id = silent_delivery(outcome, timedelta(days=5))
    spool.append(long_ago())
    steps = tasks()
    assert (steps[task](), row(delivery_id, column)) == (0, (before,)), "it lies in the spool"
    drain(spool)
    assert (steps[task](), row(delivery_id, column)) == (0, (before,)), "it is unread"
    read_all()
    assert (steps[task](), row(delivery_id, column)) == (1, (after,))


def test_a_receipt_of_this_moment_holds_nothing_up(spool: Spool) -> None:
    at = making.now()
    spool.append(NewReceipt(making.account(), at, {}, b"[]", uuid7(at)))
    drain(spool)
    assert WaitingWords(lambda: spool).are_read()


def test_after_the_ledger_was_away_other_machines_have_time_to_bring_their_spools(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = Clock()
    words = WaitingWords(lambda: spool, now)
    with monkeypatch.context() as away:
        away.setattr(receipts, "wait_unread", _is_away)
        with pytest.raises(LedgerUnavailable):
            words.are_read()
    assert not words.are_read()
    now.now_s += RETURN_S
    assert words.are_read()


def _is_away(_longer_than: timedelta) -> bool:
    raise LedgerUnavailable("away")


def test_who_waits_for_too_long_tells_it_once_and_then_goes_on(
    spool: Spool, caplog: pytest.LogCaptureFixture
) -> None:
    spool.append(long_ago())
    now = Clock()
    words = WaitingWords(lambda: spool, now)
    for minute in range(60):
        now.now_s = 1000.0 + 60 * minute
        assert not words.are_read()
    now.now_s = 1000.0 + WAIT_S_MAX
    assert words.are_read()
    told = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert len(told) == 1
    assert "ALARM notifications have waited in the spool for 5 minutes" in told[0].getMessage()
