"""Shares are kept, the same for everybody, and nothing moves that need not."""

from collections import Counter
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.sharing import chance, preference

IDS = [UUID(int=number << 64) for number in range(4000)]
A, B, C = 1, 2, 3
SOUND = {A: 1.0, B: 1.0, C: 1.0}


def first_of(
    accounts: list[int], weights: list[float] | None, shares: dict[int, float]
) -> dict[UUID, int]:
    return {id: preference(id, accounts, weights, shares)[0] for id in IDS}


@pytest.mark.parametrize("weights", [[1, 1, 1], [70, 20, 10], [1, 99, 300]])
def test_weights_are_the_shares_of_the_accounts(weights: list[float]) -> None:
    found = Counter(first_of([A, B, C], weights, SOUND).values())
    for account, weight in zip([A, B, C], weights, strict=True):
        assert found[account] / len(IDS) == pytest.approx(weight / sum(weights), abs=0.025)


def test_without_weights_the_first_carries_everything_while_it_is_sound() -> None:
    assert set(first_of([B, A], None, SOUND).values()) == {B}


def test_an_account_in_order_leaves_to_the_next_what_its_health_does_not_let_it_carry() -> None:
    found = Counter(first_of([A, B, C], None, SOUND | {A: 0.25}).values())
    assert found[A] / len(IDS) == pytest.approx(0.25, abs=0.025)
    assert found[B] == len(IDS) - found[A]


def test_accounts_that_are_equally_weak_are_as_good_as_sound() -> None:
    assert set(first_of([A, B], None, {A: 0.05, B: 0.05}).values()) == {A}


@pytest.mark.parametrize("weights", [None, [5.0, 3.0, 2.0]])
def test_an_account_that_may_carry_nothing_comes_last(weights: list[float] | None) -> None:
    shares = SOUND | {A: 0.0}
    assert {preference(id, [A, B, C], weights, shares)[-1] for id in IDS} == {A}
    assert set(preference(IDS[0], [A, B, C], weights, dict.fromkeys(SOUND, 0.0))) == {A, B, C}


def test_only_what_a_failed_account_carried_moves_and_by_the_weights_of_the_others() -> None:
    before = first_of([A, B, C], [50, 30, 20], SOUND)
    after = first_of([A, B, C], [50, 30, 20], SOUND | {A: 0.0})
    assert {id: after[id] for id in IDS if before[id] != A} == {
        id: before[id] for id in IDS if before[id] != A
    }
    moved = Counter(after[id] for id in IDS if before[id] == A)
    assert moved[B] / moved.total() == pytest.approx(0.6, abs=0.04)


def test_what_returns_returns_by_and_by_to_where_it_was() -> None:
    steps = [first_of([A, B], [1, 1], {A: share, B: 1.0}) for share in (0.0, 0.05, 0.5, 1.0)]
    for sooner, later in pairwise(steps):
        assert {id for id in IDS if sooner[id] == A} < {id for id in IDS if later[id] == A}
    assert steps[-1] == first_of([A, B], [1, 1], SOUND)


@given(st.uuids(), st.integers(0, 2**31 - 1))
def test_chance_is_a_number_that_has_a_logarithm(id: UUID, account: int) -> None:
    assert 0 < chance(id, account) <= 1
    assert chance(id, account) == chance(id, account)


@given(
    st.uuids(),
    st.dictionaries(
        st.integers(1, 99), st.tuples(st.floats(0.01, 1e6), st.floats(0, 1)), min_size=1
    ),
    st.booleans(),
)
def test_every_account_is_in_the_order_once(
    id: UUID, accounts: dict[int, tuple[float, float]], weighted: bool
) -> None:
    weights = [weight for weight, _ in accounts.values()] if weighted else None
    shares = {account: share for account, (_, share) in accounts.items()}
    order = preference(id, list(accounts), weights, shares)
    assert sorted(order) == sorted(accounts)
