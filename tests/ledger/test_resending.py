"""A second attempt in place of a doubtful first one: what ends before it never hides the first."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from postroom.domain.delivery import EventType, Outcome
from postroom.ledger import queue, suppressions, timers
from postroom.ledger.attempts import NewAttempt
from postroom.ledger.db import connection, transaction
from postroom.ledger.events import record
from postroom.ledger.ids import uuid7
from postroom.ledger.queue import Claimed
from postroom.ledger.settlements import Then
from postroom.ledger.suppressions import NewSuppression
from postroom.ledger.timeline import timeline
from postroom.ledger.verify import verify
from tests.ledger import making
from tests.ledger.making import accept, application, begin, claim, new_message, now, row, settle

End = Callable[[Sequence[Claimed], str, str | None], None]

pytestmark = pytest.mark.usefixtures("ledger")


def doubtful() -> NewAttempt:
    """The first attempt of a message that is to be sent again when in doubt."""
    accept(new_message(application(), on_doubt="resend"))
    attempt = begin(claim())
    settle(attempt, Outcome.UNKNOWN)
    return attempt


def queued_again() -> tuple[NewAttempt, UUID]:
    """That first attempt, and its delivery, which waits for a second one."""
    attempt = doubtful()
    assert timers.resend_doubtful(0, 10) == 1
    return attempt, attempt.handovers[0].delivery_id


def suppress() -> None:
    suppressions.add(NewSuppression(True, "ann@example.com", "address_unknown", "person"))


def is_watched_for_the_first(attempt: NewAttempt) -> None:
    """The delivery is in doubt as before, its silence is timed, and a late word decides."""
    id = attempt.handovers[0].delivery_id
    assert row(id, "stage", "verdict", "silent_since IS NULL") == ("handed", "indeterminate", False)
    assert not verify().discrepancies
    with transaction() as conn:
        record(conn, [making.event(uuid7(now()), attempt.handovers[0].id,
                                   EventType.DELIVERED)])  # fmt: skip
    assert row(id, "stage", "verdict") == ("handed", "delivered")


def test_a_possible_duplicate_is_marked_as_one_on_the_timeline() -> None:
    _, id = queued_again()
    marked = timeline(id)[-1]
    assert (marked.type, marked.state, marked.said_by) == ("resent", "queued", "postroom")
    assert "may be a duplicate" in (marked.text or "")
    assert not verify().discrepancies


def test_an_address_suppressed_before_its_second_attempt_is_watched_for_the_first() -> None:
    attempt, _ = queued_again()
    suppress()
    assert claim() == []
    is_watched_for_the_first(attempt)


def test_a_doubtful_mail_to_a_suppressed_address_is_not_queued_again() -> None:
    attempt = doubtful()
    suppress()
    assert timers.resend_doubtful(0, 10) == 0
    is_watched_for_the_first(attempt)


def test_a_mail_that_expires_before_its_second_attempt_is_watched_for_the_first() -> None:
    attempt, id = queued_again()
    with connection() as conn:
        past = now() - timedelta(seconds=1)
        conn.execute("UPDATE delivery SET expires_at = %s WHERE id = %s", (past, id))
    assert claim() == []
    is_watched_for_the_first(attempt)


@pytest.mark.parametrize("end", [queue.put_on_hold, queue.reject])
def test_a_second_attempt_that_cannot_be_made_leaves_the_first_watched(end: End) -> None:
    attempt, _ = queued_again()
    end(claim(), "render_failed", "no")
    assert timers.resend_doubtful(60, 10) == 0, "tried again and again without a pause"
    is_watched_for_the_first(attempt)


def test_a_second_attempt_whose_record_was_lost_on_the_way_leaves_the_first_visible() -> None:
    """The commit of the second attempt came through and its answer did not: it is not called."""
    _, id = queued_again()
    claimed = claim()
    second = begin(claimed)
    queue.give_back(claimed, 0)
    settle(second, Outcome.NOT_TAKEN, Then.QUEUED, retry_at=now())
    assert row(id, "stage", "verdict") == ("queued", "indeterminate")
    assert not verify().discrepancies
