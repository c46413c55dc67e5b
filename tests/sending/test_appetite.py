"""A counter claims enough for every place, and what large calls carry is not forgotten."""

import pytest

from postroom.sending.appetite import Appetite


def fed(claimed: int, sizes: list[int], calls: int, appetite: Appetite) -> int:
    """What is claimed for one call after such a claim."""
    appetite.learn(claimed, sizes, calls)
    return appetite.limit(1)


def test_nothing_is_known_at_first_and_as_much_as_may_be_is_claimed() -> None:
    assert Appetite(1_000).limit(24) == 1_000


def test_single_mails_are_claimed_one_for_each_call() -> None:
    appetite = Appetite(1_000)
    assert fed(1_000, [1] * 1_000, 24, appetite) == 1
    assert fed(24, [1] * 24, 24, appetite) == 1
    assert appetite.limit(24) == 24


def test_the_calls_of_a_broadcast_grow_again_after_each_urgent_mail() -> None:
    appetite = Appetite(1_000)
    assert fed(1_000, [1_000], 1, appetite) == 1_000
    assert fed(1_000, [1, 999], 1, appetite) == 500
    assert fed(500, [500], 1, appetite) == 1_000


def test_the_calls_of_a_broadcast_grow_again_after_single_mails_alone() -> None:
    appetite = Appetite(1_000)
    assert fed(1, [1], 1, appetite) == 1
    assert fed(1, [1], 1, appetite) == 2
    assert fed(2, [1, 1], 1, appetite) == 1
    assert fed(1, [1], 1, appetite) == 2
    assert fed(2, [2], 1, appetite) == 4


@pytest.mark.parametrize("size", [7, 50])
def test_calls_that_hold_only_so_many_keep_the_claim_near_to_that(size: int) -> None:
    appetite, seen = Appetite(1_000), []
    for _ in range(20):
        limit = appetite.limit(1)
        whole, rest = divmod(limit, size)
        seen.append(fed(limit, [size] * whole + [rest] * (rest > 0), 1, appetite))
    assert size <= max(seen[5:]) <= 2 * size
    assert min(seen[5:]) >= size // 2


def test_an_end_of_the_queue_says_nothing_of_more() -> None:
    appetite = Appetite(1_000)
    assert fed(300, [100, 100, 100], 24, appetite) == 100


def test_calls_wait_for_a_place_in_step_with_the_pace_of_the_last_second() -> None:
    appetite = Appetite(1_000)
    assert appetite.ahead == 0
    for _ in range(200):
        appetite.ended()
    assert 0 < appetite.ahead <= 30
