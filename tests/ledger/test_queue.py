"""The delivery row is the queue: claims, leases, fences, and what is asked of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from postroom.domain.delivery import Outcome, Stage
from postroom.domain.lane import Lane
from postroom.ledger import blobs, leases, queue, suppressions, timers
from postroom.ledger.db import connection, transaction
from postroom.ledger.settlements import Then
from postroom.ledger.suppressions import NewSuppression
from postroom.ledger.verify import verify
from tests.helpers import eventually
from tests.ledger.making import (
    accept,
    application,
    begin,
    claim,
    new_message,
    now,
    row,
    scalar,
    settle,
    somebody_waits,
)

pytestmark = pytest.mark.usefixtures("ledger")

Ask = Callable[[UUID, int], int | None]


def test_a_claim_takes_urgent_before_normal_before_bulk() -> None:
    app = application()
    for lane in (Lane.BULK, Lane.NORMAL, Lane.URGENT):
        accept(new_message(app, lane=lane))
    assert [one.lane for one in claim()] == [Lane.URGENT, Lane.NORMAL, Lane.BULK]


def test_two_claims_never_share_a_delivery() -> None:
    accept(new_message(application(), [f"p{n}@example.com" for n in range(50)]))
    first, second = claim(30), claim(30)
    assert len(first) == 30
    assert len(second) == 20
    assert not {one.delivery_id for one in first} & {one.delivery_id for one in second}


def test_a_claim_locked_by_another_transaction_is_skipped() -> None:
    accepted = accept(new_message(application(), ["a@example.com", "b@example.com"]))
    with connection() as conn, conn.transaction():
        conn.execute("SELECT FROM delivery WHERE id = %s FOR UPDATE", (accepted.deliveries[0][0],))
        assert [one.delivery_id for one in claim()] == [accepted.deliveries[1][0]]


def test_live_and_simulated_mail_are_claimed_apart() -> None:
    accept(new_message(application(), simulated=False))
    assert claim() == []
    assert len(queue.claim([False], 10, 60)) == 1


def test_a_scheduled_mail_is_claimed_when_it_is_due_and_not_before() -> None:
    app = application()
    accept(new_message(app, send_at=now() + timedelta(hours=1)))
    assert claim() == []
    accept(new_message(app, send_at=now() - timedelta(seconds=1)))
    assert len(claim()) == 1


def test_an_address_suppressed_after_acceptance_is_not_sent_to() -> None:
    accepted = accept(new_message(application()))
    suppressions.add(NewSuppression(True, "ann@example.com", "address_unknown", "person"))
    assert claim() == []
    assert row(accepted.deliveries[0][0], "stage") == ("suppressed",)
    assert scalar("SELECT count(*) FROM event WHERE type = 'suppressed'") == 1


def test_a_mail_past_its_expiry_is_expired_and_not_sent() -> None:
    accepted = accept(new_message(application(), expires_at=now() - timedelta(seconds=1)))
    assert claim() == []
    assert row(accepted.deliveries[0][0], "stage") == ("expired",)


def test_the_clock_expires_what_nobody_claims() -> None:
    app = application()
    accept(new_message(app, expires_at=now() - timedelta(seconds=1)))
    accept(new_message(app, expires_at=now() + timedelta(hours=1)))
    assert timers.expire(100) == 1
    assert timers.expire(100) == 0


def test_what_is_given_back_can_be_claimed_again() -> None:
    accept(new_message(application()))
    queue.give_back(claim(), 0)
    assert len(claim()) == 1


def test_what_is_given_back_without_a_delay_has_its_old_place() -> None:
    app = application()
    first = accept(new_message(app)).message_id
    accept(new_message(app))
    queue.give_back(claim(1), 0)
    assert [one.message_id for one in claim(1)] == [first]


def test_a_lost_claim_without_a_handover_goes_back_to_the_queue() -> None:
    accept(new_message(application()))
    claim(lease_s=-1)
    assert leases.sweep(100) == 1
    assert len(claim()) == 1


def test_a_lost_claim_with_a_handover_is_indeterminate_and_never_queued_again() -> None:
    accept(new_message(application()))
    [claimed] = claim()
    begin([claimed], lease_s=-1)
    assert leases.sweep(100) == 1
    assert row(claimed.delivery_id, "stage", "verdict") == ("handed", "indeterminate")
    assert claim() == []


def test_deliveries_of_one_attempt_swept_apart_are_all_in_doubt() -> None:
    accept(new_message(application(), [f"p{n}@example.com" for n in range(10)]))
    begin(claim(), lease_s=-1)
    while leases.sweep(3):
        pass
    assert scalar("SELECT count(*) FROM delivery WHERE verdict = 'indeterminate'") == 10


def test_a_sender_that_lost_its_lease_cannot_begin() -> None:
    accept(new_message(application()))
    stale = claim(lease_s=-1)
    leases.sweep(100)
    begin(stale)
    assert scalar("SELECT count(*) FROM attempt") == 0


def test_a_sender_that_lost_its_lease_cannot_settle() -> None:
    accept(new_message(application()))
    attempt = begin(claim(), lease_s=-1)
    leases.sweep(100)
    settle(attempt, Outcome.NOT_TAKEN, Then.QUEUED)
    assert row(attempt.handovers[0].delivery_id, "stage", "verdict") == ("handed", "indeterminate")


def test_an_attempt_that_lost_some_of_its_deliveries_keeps_no_request_that_names_them() -> None:
    accept(new_message(application(), ["a@example.com", "b@example.com"]))
    first, second = claim()
    with connection() as conn:
        conn.execute(
            "UPDATE delivery SET lease_until = now() - interval '1 s' WHERE id = %s",
            (second.delivery_id,),
        )
    begin([first, second])
    assert scalar("SELECT array_agg(delivery_id) FROM handover") == [first.delivery_id]
    assert blobs.unpack_segments(scalar("SELECT request_segments FROM attempt")) == []


def test_a_halved_batch_lost_in_between_is_queued_again() -> None:
    accept(new_message(application()))
    claimed = claim()
    settle(begin(claimed, lease_s=-1), Outcome.NOT_TAKEN, Then.AGAIN)
    assert leases.sweep(100) == 1
    assert len(claim()) == 1


def test_a_taken_handover_is_submitted_and_one_to_be_tried_later_waits() -> None:
    app = application()
    accept(new_message(app))
    taken = begin(claim())
    settle(taken)
    assert row(taken.handovers[0].delivery_id, "stage", "verdict") == ("handed", "submitted")
    accept(new_message(app))
    later = begin(claim())
    settle(later, Outcome.NOT_TAKEN, Then.QUEUED, retry_at=now() + timedelta(hours=1))
    assert row(later.handovers[0].delivery_id, "stage", "verdict") == ("queued", None)
    assert claim() == []


def test_a_refused_handover_is_rejected_with_the_providers_words() -> None:
    accept(new_message(application()))
    attempt = begin(claim())
    settle(attempt, Outcome.REFUSED, reason="provider_refused", text="Bad address")
    assert row(attempt.handovers[0].delivery_id, "verdict", "reason", "reason_text") == (
        "rejected",
        "provider_refused",
        "Bad address",
    )


def test_a_doubtful_delivery_is_sent_again_only_where_the_message_asks_for_it() -> None:
    app = application()
    for on_doubt in ("hold", "resend"):
        accept(new_message(app, on_doubt=on_doubt))
        settle(begin(claim()), Outcome.UNKNOWN)
    assert timers.resend_doubtful(3600, 100) == 0
    assert timers.resend_doubtful(0, 100) == 1
    [again] = claim()
    assert again.tries == 1
    attempt = begin([again])
    assert row(again.delivery_id, "stage", "verdict") == ("submitting", None)
    settle(attempt)
    assert row(again.delivery_id, "stage", "verdict") == ("handed", "submitted")


def test_an_id_longer_than_any_honest_one_is_not_kept_and_costs_nobody_his_answer() -> None:
    accept(new_message(application()))
    attempt = begin(claim())
    settle(attempt, provider_message_id="x" * 100_000)
    assert row(attempt.handovers[0].delivery_id, "verdict") == ("submitted",)
    assert scalar("SELECT count(*) FROM handover WHERE length(provider_message_id) > 500") == 0


def test_silence_past_the_window_is_unconfirmed() -> None:
    accept(new_message(application()))
    attempt = begin(claim())
    settle(attempt)
    assert timers.pass_windows(3600, 3600, 100) == 0
    assert timers.pass_windows(0, 3600, 100) == 1
    assert row(attempt.handovers[0].delivery_id, "verdict", "silent_since") == ("unconfirmed", None)


def test_cancel_withdraws_what_is_not_handed_over() -> None:
    app = application()
    accepted = accept(new_message(app, ["a@example.com", "b@example.com"]))
    begin(claim(1))
    assert queue.cancel(accepted.message_id, app) == 1
    assert queue.cancel(accepted.message_id, app) == 0
    assert scalar("SELECT count(*) FROM delivery WHERE stage = 'cancelled'") == 1


@pytest.mark.parametrize(
    ("ask", "stage"), [(queue.cancel, "cancelled"), (queue.hold, "held")]
)  # fmt: skip
def test_what_a_sender_has_in_hand_is_stopped_too(ask: Ask, stage: str) -> None:
    app = application()
    accepted = accept(new_message(app, ["a@example.com", "b@example.com"]))
    claimed = claim()
    assert ask(accepted.message_id, app) == 2
    attempt = begin(claimed)
    queue.give_back(claimed, 0)
    assert scalar("SELECT count(*) FROM attempt WHERE id = %s", attempt.id) == 0
    assert {row(one.delivery_id, "stage") for one in claimed} == {(stage,)}
    assert not verify().discrepancies


def test_what_ran_out_in_a_senders_hand_is_not_sent() -> None:
    accept(new_message(application(), expires_at=now() + timedelta(hours=1)))
    [claimed] = claim()
    with connection() as conn:
        conn.execute("UPDATE delivery SET expires_at = now()")
    attempt = begin([claimed])
    assert scalar("SELECT count(*) FROM attempt WHERE id = %s", attempt.id) == 0
    assert timers.expire(10) == 1
    assert row(claimed.delivery_id, "stage") == ("expired",)


def test_a_cancel_that_comes_with_a_begin_leaves_what_was_begun() -> None:
    app = application()
    accepted = accept(new_message(app))
    [claimed] = claim()
    with ThreadPoolExecutor(1) as thread:
        with transaction() as conn:
            conn.execute("UPDATE delivery SET tries = tries + 1")
            cancelled = thread.submit(queue.cancel, accepted.message_id, app)
            eventually(somebody_waits)
        assert cancelled.result(10) == 0
    assert row(claimed.delivery_id, "stage") == ("submitting",)


def test_hold_and_release_stop_and_go_on() -> None:
    app = application()
    accepted = accept(new_message(app))
    assert queue.hold(accepted.message_id, app) == 1
    assert claim() == []
    assert queue.release(accepted.message_id, app) == 1
    assert len(claim()) == 1
    assert scalar("SELECT array_agg(type ORDER BY log_seq) FROM event") == ["held", "released"]


def test_another_applications_message_cannot_be_cancelled() -> None:
    accepted = accept(new_message(application()))
    assert queue.cancel(accepted.message_id, application("payroll")) is None
    assert row(accepted.deliveries[0][0], "stage") == ("queued",)


def test_a_held_claim_says_why() -> None:
    accept(new_message(application()))
    [claimed] = claim()
    queue.put_on_hold([claimed], "needs_raw_carrier", "calendar invite")
    assert row(claimed.delivery_id, "stage", "reason", "lease_until") == (
        Stage.HELD,
        "needs_raw_carrier",
        None,
    )
