"""A part of a message goes first; what comes of it moves the rest."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from postroom.domain.canary import Plan
from postroom.domain.delivery import EventType, Outcome, Stage
from postroom.ledger import canaries, queue
from postroom.ledger.acceptance import NewMessage
from postroom.ledger.attempts import NewAttempt
from postroom.ledger.db import connection, transaction
from postroom.ledger.events import record
from postroom.ledger.ids import uuid7
from postroom.ledger.settlements import Then
from postroom.ledger.verify import verify
from postroom.submission.canary import first_ones
from tests.helpers import eventually
from tests.ledger import making
from tests.ledger.making import accept, application, begin, claim, new_message, now, scalar, settle

pytestmark = pytest.mark.usefixtures("ledger")

PLAN = Plan(share=0.1, wait_s=600, bounces_max=0.05, complaints_max=0.01)
PEOPLE = 200
FIRST = 20


def message(plan: Plan = PLAN) -> NewMessage:
    new = new_message(application(), [f"p{n}@example.com" for n in range(PEOPLE)])
    return replace(new, deliveries=first_ones(new.deliveries, plan), canary=plan)


def sent(plan: Plan = PLAN) -> tuple[UUID, NewAttempt]:
    """A message whose first part was taken by the provider."""
    id = accept(message(plan)).message_id
    claimed = claim(1000)
    assert len(claimed) == FIRST
    attempt = begin(claimed)
    settle(attempt)
    return id, attempt


def hear(attempt: NewAttempt, type: EventType, count: int) -> None:
    told = [making.event(uuid7(now()), one.id, type) for one in attempt.handovers[:count]]
    with transaction() as conn:
        record(conn, told)


def stages() -> dict[str, int]:
    with connection() as conn:
        return dict(conn.execute("SELECT stage, count(*) FROM delivery GROUP BY 1").fetchall())


def decision(message_id: UUID) -> tuple[str, str | None]:
    with connection() as conn:
        rows = conn.execute("SELECT decision, why FROM canary WHERE message_id = %s", (message_id,))
        ((decided, why),) = rows
    return decided, why


def reasons_held() -> set[str]:
    with connection() as conn:
        rows = conn.execute("SELECT DISTINCT reason FROM delivery WHERE stage = 'held'")
        return {reason for (reason,) in rows}


def test_only_the_chosen_part_can_be_claimed_and_it_is_no_run_of_the_list() -> None:
    id = accept(message()).message_id
    assert stages() == {Stage.QUEUED: FIRST, Stage.HELD: PEOPLE - FIRST}
    assert reasons_held() == {canaries.WAITS}
    numbers = sorted(int(one.recipient[1:].partition("@")[0]) for one in claim(1000))
    assert numbers != list(range(FIRST))
    assert decision(id) == ("wait", None)


def test_a_list_that_is_tried_again_is_tried_with_others() -> None:
    runs = [
        {one.recipient_key for one in message().deliveries if one.stage is Stage.QUEUED}
        for _ in range(2)
    ]
    assert [len(run) for run in runs] == [FIRST, FIRST]
    assert runs[0] != runs[1]


def test_a_canary_is_decided_however_many_others_wait() -> None:
    for _ in range(30):
        accept(replace(message(), send_at=now() + timedelta(days=1)))
    with connection() as conn:
        conn.execute("UPDATE delivery SET due_at = now() + interval '1 day'")
    _, attempt = sent()
    hear(attempt, EventType.DELIVERED, FIRST)
    eventually(lambda: canaries.look(1000) == PEOPLE - FIRST)


def test_the_rest_waits_while_the_answers_are_out() -> None:
    sent()
    assert canaries.look(1000) == 0
    assert reasons_held() == {canaries.WAITS}


def test_the_rest_goes_when_the_answers_are_in() -> None:
    id, attempt = sent()
    hear(attempt, EventType.DELIVERED, FIRST)
    assert canaries.look(100) == 100
    assert canaries.look(100) == 80
    assert canaries.look(100) == 0
    assert stages() == {Stage.HANDED: FIRST, Stage.QUEUED: PEOPLE - FIRST}
    assert decision(id)[0] == "go"
    assert scalar("SELECT count(*) FROM event WHERE type = 'released'") == PEOPLE - FIRST
    assert not verify().discrepancies


def test_the_rest_stays_when_too_many_fail_and_says_why() -> None:
    id, attempt = sent()
    hear(attempt, EventType.BOUNCED, 2)
    assert canaries.look(1000) == PEOPLE - FIRST
    assert stages() == {Stage.HANDED: FIRST, Stage.HELD: PEOPLE - FIRST}
    assert reasons_held() == {canaries.STAYS}
    assert decision(id) == ("stop", "2 of 20 failed, at most 5.00% may")
    assert canaries.look(1000) == 0
    assert not verify().discrepancies


def test_one_complaint_may_be_too_many() -> None:
    _, attempt = sent()
    hear(attempt, EventType.COMPLAINED, 1)
    canaries.look(1000)
    assert reasons_held() == {canaries.STAYS}


def test_what_the_provider_refuses_counts_as_failed() -> None:
    accept(message())
    attempt = begin(claim(1000))
    settle(attempt, Outcome.REFUSED, Then.HANDED, reason="provider_refused", text="no")
    canaries.look(1000)
    assert reasons_held() == {canaries.STAYS}


def test_a_person_may_release_or_cancel_the_rest_whatever_the_canary_says() -> None:
    id, attempt = sent()
    hear(attempt, EventType.BOUNCED, 5)
    canaries.look(1000)
    assert queue.release(id, scalar("SELECT application_id FROM message")) == PEOPLE - FIRST
    assert stages() == {Stage.HANDED: FIRST, Stage.QUEUED: PEOPLE - FIRST}


def test_what_a_person_holds_stays_held_whatever_the_canary_says() -> None:
    id, attempt = sent()
    assert queue.hold(id, scalar("SELECT application_id FROM message")) == PEOPLE - FIRST
    assert reasons_held() == {"asked"}
    hear(attempt, EventType.DELIVERED, FIRST)
    assert canaries.look(1000) == 0
    assert stages() == {Stage.HANDED: FIRST, Stage.HELD: PEOPLE - FIRST}
    assert not verify().discrepancies


def test_when_the_time_is_over_and_hardly_anybody_answered_the_rest_stays() -> None:
    sent(replace(PLAN, wait_s=1))
    with connection() as conn:
        conn.execute("UPDATE handover SET begun_at = begun_at - interval '1 hour'")
    canaries.look(1000)
    assert reasons_held() == {canaries.STAYS}


def test_a_list_shorter_than_any_sample_goes_whole() -> None:
    new = new_message(application(), [f"p{n}@example.com" for n in range(5)])
    accept(replace(new, deliveries=first_ones(new.deliveries, PLAN), canary=PLAN))
    assert stages() == {Stage.QUEUED: 5}
