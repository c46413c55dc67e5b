"""Within a lane everybody has a share; what is paused, or has had its fill, waits."""

from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from postroom.domain.delivery import Outcome
from postroom.domain.lane import Lane
from postroom.ledger import leases, queue
from postroom.ledger.db import connection, transaction
from postroom.ledger.pauses import pause_application, pause_communication
from postroom.ledger.queue import Claimed
from postroom.ledger.settlements import Then
from postroom.ledger.shares import GROUPS_MAX, Rota
from postroom.ledger.writer import accept_message
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


@pytest.fixture(autouse=True)
def rota(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sender that has claimed nothing yet."""
    monkeypatch.setattr(queue, "_rota", Rota())


def post(app: int, count: int, communication: str | None = None, **changes: object) -> None:
    people = [f"p{n}@{communication or 'none'}-{app}.example" for n in range(count)]
    accept(new_message(app, people, communication=communication, **changes))


def by_domain(claimed: Sequence[Claimed]) -> Counter[str]:
    return Counter(one.recipient.partition("@")[2].removesuffix(".example") for one in claimed)


def test_a_million_of_one_application_do_not_starve_the_ten_of_another() -> None:
    first, second = application("first"), application("second")
    post(first, 500)
    post(second, 10)
    assert by_domain(claim(100)) == {f"none-{first}": 90, f"none-{second}": 10}


def test_communications_of_one_application_share_alike() -> None:
    app = application()
    for name in ("big", "small", None):
        post(app, 60, name)
    shares = by_domain(claim(90)).values()
    assert sum(shares) == 90
    assert max(shares) - min(shares) <= 2


def test_what_one_leaves_over_goes_to_the_others() -> None:
    app = application()
    post(app, 5, "small")
    post(app, 300, "big")
    assert by_domain(claim(200)) == {f"small-{app}": 5, f"big-{app}": 195}


def test_claims_smaller_than_the_number_of_groups_serve_all_of_them_in_turn() -> None:
    app = application()
    for number in range(5):
        post(app, 3, f"c{number}")
    first_round = [next(iter(by_domain(claim(1)))) for _ in range(5)]
    assert sorted(first_round) == [f"c{number}-{app}" for number in range(5)]
    assert sum(by_domain(claim(100)).values()) == 10


def test_a_lane_below_keeps_a_little_of_every_claim() -> None:
    app = application()
    post(app, 300, "urgent", lane=Lane.URGENT)
    post(app, 300, "bulk", lane=Lane.BULK)
    lanes = Counter(one.lane for one in claim(100))
    assert lanes == {Lane.URGENT: 90, Lane.BULK: 10}, "a twentieth for each of the two below"


def test_small_claims_keep_a_little_for_the_lanes_below_too() -> None:
    app = application()
    post(app, 300, "normal")
    post(app, 300, "bulk", lane=Lane.BULK)
    lanes = Counter(one.lane for _ in range(80) for one in claim(1))
    assert lanes == {Lane.NORMAL: 76, Lane.BULK: 4}


def test_what_is_for_later_takes_no_turn_from_what_is_due() -> None:
    app = application()
    for number in range(5):
        post(app, 3, f"c{number}")
    with connection() as conn:
        conn.execute("UPDATE delivery SET due_at = now() + interval '1 day'")
    post(app, 2, "due")
    assert by_domain([*claim(1), *claim(1)]) == {f"due-{app}": 2}


def test_a_claim_is_full_when_the_lanes_below_have_nothing() -> None:
    post(application(), 300, lane=Lane.URGENT)
    claimed = claim(100)
    assert len({one.delivery_id for one in claimed}) == 100


def test_nothing_of_a_paused_application_is_claimed_until_it_goes_on() -> None:
    post(application("first"), 3)
    post(application("second"), 2)
    assert pause_application("first", True)
    assert pause_application("first", True) is False, "it is paused already"
    assert len(claim()) == 2
    assert claim() == []
    assert pause_application("first", False)
    assert len(claim()) == 3
    assert pause_application("nobody", True) is None


def test_nothing_of_a_paused_communication_is_claimed_until_it_goes_on() -> None:
    app = application()
    post(app, 3, "news")
    post(app, 2)
    assert pause_communication(app, "news", True)
    assert len(claim()) == 2
    assert pause_communication(app, "news", False)
    assert len(claim()) == 3
    assert pause_communication(app, "other", True) is None
    assert pause_communication(app + 1, "news", True) is None


def test_any_number_of_paused_communications_keeps_nobody_waiting() -> None:
    first, second = application("first"), application("second")
    mails = [
        new_message(app, [f"p@none-{app}.example"], communication=f"c{number}")
        for app in (first, second)
        for number in range(GROUPS_MAX + 5)
    ]
    for accepted in [accept_message(mail) for mail in mails]:
        accepted.result(10)
    pause_application("first", True)
    pause_communication(second, "c0", True)
    claimed: Counter[str] = Counter()
    for _ in range(GROUPS_MAX):
        claimed += by_domain(claim(10))
    assert claimed == {f"none-{second}": GROUPS_MAX + 4}


def test_a_pause_also_stops_what_was_claimed_and_is_not_handed_over_yet() -> None:
    app = application()
    post(app, 2, "news")
    claimed = claim()
    pause_communication(app, "news", True)
    attempt = begin(claimed)
    assert scalar("SELECT count(*) FROM attempt WHERE id = %s", attempt.id) == 0
    assert {row(one.delivery_id, "stage") for one in claimed} == {("queued",)}


def test_what_was_handed_over_before_the_pause_is_settled_all_the_same() -> None:
    app = application()
    post(app, 1, "news")
    attempt = begin(claim())
    pause_communication(app, "news", True)
    settle(attempt)
    assert row(attempt.handovers[0].delivery_id, "verdict") == ("submitted",)
    assert leases.sweep(10) == 0


def limit_application(name: str, column: str, value: int) -> None:
    with connection() as conn:
        conn.execute(f"UPDATE application SET {column} = %s WHERE name = %s", (value, name))


def claim_live(limit: int = 100) -> list[Claimed]:
    return queue.claim([False], limit, 60)


def test_an_application_gets_no_more_in_a_second_than_it_may() -> None:
    first, second = application("first"), application("second")
    limit_application("first", "recipients_per_s", 10)
    post(first, 50, simulated=False)
    post(second, 50, simulated=False)
    assert by_domain(claim_live()) == {f"none-{first}": 10, f"none-{second}": 50}
    assert len(claim_live()) <= 5, "a second has not passed"
    with connection() as conn:
        conn.execute("UPDATE application_pace SET room_at = room_at - interval '1 hour'")
    assert len(claim_live()) == 10, "unused seconds are not saved up"


def test_an_application_gets_no_more_in_a_day_than_it_may() -> None:
    app = application("shop")
    limit_application("shop", "recipients_per_day", 31)
    post(app, 50, simulated=False)
    assert len(claim_live(20)) == 20
    assert len(claim_live(20)) == 10
    assert claim_live(20) == []
    with connection() as conn:
        conn.execute("UPDATE application_pace SET day = day - 1")
    assert len(claim_live(20)) == 20


def test_who_has_had_its_fill_takes_no_turn_from_the_others() -> None:
    first, second = application("first"), application("second")
    limit_application("first", "recipients_per_day", 1)
    post(first, 10, simulated=False)
    post(second, 10, simulated=False)
    claimed = [one for _ in range(11) for one in claim_live(1)]
    assert by_domain(claimed) == {f"none-{first}": 1, f"none-{second}": 10}


def used_today() -> int:
    return int(scalar("SELECT day_count FROM application_pace"))


def test_what_is_claimed_and_not_sent_does_not_count() -> None:
    app = application("shop")
    limit_application("shop", "recipients_per_day", 31)
    post(app, 30, simulated=False)
    queue.give_back(claim_live(10), 0)
    settle(begin(claim_live(10)), Outcome.NOT_TAKEN, Then.QUEUED, retry_at=now())
    queue.put_on_hold(claim_live(10), "asked", None)
    assert used_today() == 0
    begin(claim_live(10))
    claim_live(10)
    with connection() as conn:
        conn.execute("UPDATE delivery SET lease_until = now() WHERE stage = 'submitting'")
    assert used_today() == 20
    assert leases.sweep(100) == 20
    assert used_today() == 10, "of the begun ones the outcome is unknown"


def test_what_a_pause_stops_does_not_count() -> None:
    app = application("shop")
    limit_application("shop", "recipients_per_day", 31)
    post(app, 5, simulated=False)
    claimed = claim_live()
    pause_application("shop", True)
    begin(claimed)
    assert used_today() == 0


_LOCK_PACE = "SELECT FROM application_pace WHERE application_id = %s FOR UPDATE"


def test_claims_lock_applications_in_one_order_whatever_their_lanes() -> None:
    first, second = application("first"), application("second")
    limit_application("first", "recipients_per_s", 100)
    limit_application("second", "recipients_per_s", 100)
    post(first, 5, simulated=False)
    post(second, 5, simulated=False, lane=Lane.URGENT)
    queue.give_back(claim_live(), 0)
    with ThreadPoolExecutor(1) as thread:
        with transaction() as blocker:
            blocker.execute(_LOCK_PACE, (first,))
            claimed = thread.submit(claim_live)
            eventually(somebody_waits)
            with transaction() as conn:
                conn.execute("SET LOCAL lock_timeout = '1ms'")
                conn.execute(_LOCK_PACE, (second,))
        assert len(claimed.result(10)) == 10


def test_simulated_mail_uses_up_no_limit() -> None:
    app = application("shop")
    limit_application("shop", "recipients_per_day", 1)
    post(app, 20)
    assert len(claim()) == 20


def test_the_last_of_a_day_is_kept_for_urgent_mail() -> None:
    app = application("shop")
    limit_application("shop", "recipients_per_day", 40)
    post(app, 50, simulated=False, lane=Lane.BULK)
    assert len(claim_live()) == 38
    assert claim_live() == []
    post(app, 5, simulated=False, lane=Lane.URGENT)
    assert [one.lane for one in claim_live()] == [Lane.URGENT] * 2


def test_the_first_of_a_day_may_go_to_urgent_mail() -> None:
    app = application("shop")
    limit_application("shop", "recipients_per_day", 40)
    post(app, 39, simulated=False, lane=Lane.URGENT)
    post(app, 5, simulated=False)
    assert [one.lane for one in claim_live()] == [Lane.URGENT] * 39
