"""The pace of an account: turns are never shared, rests are heeded, 429s are learned from."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from postroom.ledger import paces
from postroom.ledger.db import connection
from tests.ledger.making import account, scalar

pytestmark = pytest.mark.usefixtures("ledger")


def take(stretch_s: float, recipients: int = 1, per_day: float | None = None) -> paces.Turns:
    return paces.take(account(), stretch_s, recipients, per_day)


def time_passes(seconds: float) -> None:
    """As if everything on record had happened so much earlier."""
    with connection() as conn:
        conn.execute(
            "UPDATE account_pace SET next_at = next_at - %(s)s * interval '1 s',"
            " rest_until = rest_until - %(s)s * interval '1 s',"
            " learned_at = learned_at - %(s)s * interval '1 s', day = day - %(days)s::int",
            {"s": seconds, "days": seconds // 86_400},
        )


def test_stretches_follow_one_another_whoever_takes_them() -> None:
    account()
    with ThreadPoolExecutor(8) as threads:
        turns = list(threads.map(take, [0.05] * 20))
    assert all(one.given for one in turns)
    starts = sorted(one.begins_s for one in turns)
    assert min(later - earlier for earlier, later in pairwise(starts)) > 0.0499
    assert max(one.told_at + one.in_s for one in turns) > min(one.told_at for one in turns) + 0.9


def test_a_turn_far_ahead_is_not_given_and_takes_nothing_from_the_others() -> None:
    assert take(10).given
    for _ in range(3):
        refused = take(10)
        assert not refused.given
        assert refused.in_s == pytest.approx(10, abs=1)
    time_passes(10)
    assert take(10).given


def test_time_that_nobody_used_is_not_saved_up() -> None:
    take(10)
    time_passes(3600)
    assert -1 < take(1).in_s <= 0
    assert take(1).in_s == pytest.approx(1, abs=0.9)


def test_no_turn_is_given_while_the_account_rests() -> None:
    paces.slow(account(), 30, None)
    assert not take(1).given
    assert take(1).in_s == pytest.approx(30, abs=1)
    assert paces.standings()[account()].rest_s == pytest.approx(30, abs=1)


def test_a_shorter_rest_never_ends_a_longer_one() -> None:
    paces.slow(account(), 30, None)
    paces.slow(account(), 1, None)
    assert paces.standings()[account()].rest_s == pytest.approx(30, abs=1)


def test_a_pace_that_was_refused_is_halved_once_and_grows_back() -> None:
    for _ in range(5):
        paces.slow(account(), 2, 100)
    time_passes(2)
    assert paces.standings()[account()].learned_per_s == pytest.approx(50, rel=0.1)
    time_passes(8)
    assert paces.standings()[account()].learned_per_s == pytest.approx(107, rel=0.1)
    time_passes(3600)
    assert paces.standings()[account()].learned_per_s is None


def test_trouble_that_is_no_429_teaches_no_pace() -> None:
    paces.slow(account(), 2, None)
    assert paces.standings()[account()].learned_per_s is None


def test_a_day_holds_no_more_recipients_than_it_may() -> None:
    assert not take(0, 60, per_day=100).day_is_full
    assert take(0, 41, per_day=100).day_is_full
    assert not take(0, 40, per_day=100).day_is_full
    assert take(0, 1, per_day=100).day_is_full
    time_passes(86_400)
    assert not take(0, 100, per_day=100).day_is_full


def test_midnight_makes_what_the_provider_left_no_more() -> None:
    take(0, 40)
    paces.tell(account(), None, 60)
    assert not take(0, 10, per_day=100).day_is_full
    time_passes(86_400)
    take(0, 1)
    assert paces.standings()[account()].told_per_day == 50


def test_what_the_provider_tells_stands_beside_what_was_learned() -> None:
    paces.slow(account(), 0, 20)
    paces.tell(account(), 14, 50_000)
    standing = paces.standings()[account()]
    assert (standing.told_per_s, standing.told_per_day) == (14, 50_000)
    assert standing.learned_per_s == pytest.approx(10, rel=0.2)
    paces.take(account(), 0, 100, None)
    paces.tell(account(), 14, 50_000)
    assert paces.standings()[account()].told_per_day == 50_100, "what is left comes on top"
    paces.tell(account(), None, None)
    assert paces.standings()[account()].told_per_s is None
    assert scalar("SELECT count(*) FROM account_pace") == 1
