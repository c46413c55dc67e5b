"""A receiver that asks for less gets less, its mail waits, and nobody else's does."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest

from postroom.domain.delivery import EventType
from postroom.domain.lane import Lane
from postroom.domain.receiver import QUIET_S, REST_S, WAIT_S_MAX
from postroom.ledger import queue, receivers
from postroom.ledger.db import connection, transaction
from postroom.ledger.events import record
from postroom.ledger.queue import Claimed
from tests.ledger.making import (
    accept,
    application,
    begin,
    claim,
    event,
    new_message,
    now,
    scalar,
    settle,
)

pytestmark = pytest.mark.usefixtures("ledger")


def post(count: int, domain: str, **changes: object) -> None:
    people = [f"p{n}@{domain}" for n in range(count)]
    accept(new_message(application(), people, **changes))


def ask_for_less(*domains: str, simulated: bool = True) -> None:
    receivers.asked_for_less(simulated, [f"ann@{domain}" for domain in domains], now())


def time_passes(seconds: float) -> None:
    """As if everything on record had happened so much earlier."""
    with connection() as conn:
        conn.execute(
            "UPDATE receiver_pace SET heard_at = heard_at - %(s)s * interval '1 s',"
            " grows_from = grows_from - %(s)s * interval '1 s',"
            " next_at = next_at - %(s)s * interval '1 s',"
            " tail_at = tail_at - %(s)s * interval '1 s'",
            {"s": seconds},
        )
        conn.execute("UPDATE delivery SET due_at = due_at - %s * interval '1 s'", (seconds,))


def domains(claimed: Sequence[Claimed]) -> Counter[str]:
    return Counter(one.recipient.partition("@")[2] for one in claimed)


def due() -> int:
    return int(scalar("SELECT count(*) FROM delivery WHERE stage = 'queued' AND due_at <= now()"))


def test_mail_to_others_is_claimed_in_the_place_of_mail_that_waits() -> None:
    ask_for_less("slow.example")
    post(300, "slow.example")
    post(20, "quick.example")
    assert domains(claim(10)) == {"quick.example": 10}
    assert domains(claim(10)) == {"quick.example": 10}
    assert due() == 0, "what waits is not looked at again before its turn"


def test_a_receiver_that_rested_gets_its_pace_and_no_more() -> None:
    ask_for_less("slow.example")
    post(50, "slow.example")
    assert claim() == []
    time_passes(REST_S)
    assert 1 <= len(claim()) <= 2, "one a second"
    assert claim() == []


def test_urgent_mail_has_the_next_turn_of_a_slow_receiver() -> None:
    ask_for_less("slow.example")
    post(50, "slow.example", lane=Lane.BULK)
    assert claim() == []
    post(2, "slow.example", lane=Lane.URGENT)
    assert claim() == []
    time_passes(REST_S + 2)
    # Ten: a claim of one may be the one in many that is kept for lower lanes.
    assert [one.lane for one in claim(10)] == [Lane.URGENT]


def test_an_operator_is_slow_at_all_its_domains_and_only_for_its_kind_of_mail() -> None:
    ask_for_less("gmail.com", simulated=False)
    post(5, "googlemail.com", simulated=False)
    post(5, "googlemail.com")
    assert queue.claim([False], 10, 60) == []
    assert len(claim()) == 5


def test_mail_that_waits_expires_in_time() -> None:
    ask_for_less("slow.example")
    soon = now() + timedelta(seconds=60)
    post(200, "slow.example", expires_at=soon)
    assert claim() == []
    assert scalar("SELECT max(due_at) <= %s FROM delivery", soon)


def test_a_new_answer_halves_the_pace_and_one_to_earlier_mail_does_not() -> None:
    before = now()
    ask_for_less("slow.example")
    with connection() as conn:
        conn.execute("UPDATE receiver_pace SET per_s = 100")
    receivers.asked_for_less(True, ["ann@slow.example"], before)
    assert per_s() == pytest.approx(100, rel=0.1)
    ask_for_less("slow.example")
    assert per_s() == pytest.approx(50, rel=0.1)
    time_passes(REST_S + 70)
    assert per_s() == pytest.approx(100, rel=0.1), "it grows back"


def per_s() -> float:
    (found,) = receivers.slowed()
    return found.per_s


def test_a_receiver_that_has_been_quiet_is_as_any_other() -> None:
    ask_for_less("slow.example")
    time_passes(QUIET_S)
    post(50, "slow.example")
    assert receivers.slowed() == []
    assert len(claim()) == 50


def test_the_first_answer_halves_what_was_handed_over_lately() -> None:
    post(80, "slow.example")
    post(20, "quick.example")
    settle(begin(claim()[:80]))
    ask_for_less("slow.example")
    assert 25 < per_s() < 41


@pytest.mark.parametrize(
    ("reason", "slow"),
    [("rate_limited", 1), ("mailbox_full", 0), ("reputation_block", 0), ("greylisted", 0)],
)
def test_only_the_word_that_mail_is_too_much_slows_a_receiver(reason: str, slow: int) -> None:
    post(1, "slow.example")
    attempt = begin(claim())
    settle(attempt)
    heard = event(
        uuid4(), attempt.handovers[0].id, EventType.DEFERRED, reason=reason, occurred_at=now()
    )
    with transaction() as conn:
        record(conn, [heard])
    assert len(receivers.slowed()) == slow


def test_what_was_said_an_hour_ago_slows_nobody() -> None:
    post(1, "slow.example")
    attempt = begin(claim())
    settle(attempt)
    then = now() - timedelta(hours=1)
    heard = event(
        uuid4(),
        attempt.handovers[0].id,
        EventType.DEFERRED,
        reason="rate_limited",
        occurred_at=then,
    )
    with transaction() as conn:
        record(conn, [heard])
    assert receivers.slowed() == []


def test_senders_that_claim_at_once_share_the_turns() -> None:
    ask_for_less("slow.example")
    with connection() as conn:
        conn.execute("UPDATE receiver_pace SET per_s = 20, grows_from = now()")
    post(400, "slow.example")
    with ThreadPoolExecutor(4) as threads:
        claimed = list(threads.map(lambda _: claim(20), range(4)))
    assert sum(map(len, claimed)) <= 20 * 2
    assert scalar("SELECT max(due_at) < now() + %s * interval '1 s' FROM delivery", WAIT_S_MAX + 1)
