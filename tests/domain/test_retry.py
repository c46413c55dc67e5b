"""When to try again, when to give up, and what to do about an unknown outcome."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.lane import Lane
from postroom.domain.retry import (
    ASKED_S_MAX,
    PATIENCE,
    gives_up,
    wait_s,
)

AT = datetime(2026, 11, 24, 8, tzinfo=UTC)

lanes = st.sampled_from(Lane)
chances = st.floats(0, 1, exclude_max=True)


@given(lanes, st.integers(-5, 10_000), chances)
def test_a_wait_is_positive_and_never_longer_than_the_lane_allows(
    lane: Lane, tries: int, chance: float
) -> None:
    assert 0 < wait_s(lane, tries, chance) <= PATIENCE[lane].longest_s


@given(lanes, st.integers(1, 100), chances, st.floats(0.01, 1e12))
def test_a_wait_is_never_shorter_than_the_provider_asks_up_to_an_hour(
    lane: Lane, tries: int, chance: float, asked_s: float
) -> None:
    assert wait_s(lane, tries, chance, asked_s) >= min(asked_s, ASKED_S_MAX)


@given(lanes, st.integers(1, 50))
def test_waits_grow(lane: Lane, tries: int) -> None:
    assert wait_s(lane, tries, 0.5) <= wait_s(lane, tries + 1, 0.5)


def test_nothing_asked_is_no_wait_of_zero() -> None:
    assert wait_s(Lane.BULK, 1, 0.0, 0.0) == wait_s(Lane.BULK, 1, 0.0)


def test_urgent_mail_waits_least() -> None:
    assert wait_s(Lane.URGENT, 5, 0.5) < wait_s(Lane.NORMAL, 5, 0.5) < wait_s(Lane.BULK, 5, 0.5)


@pytest.mark.parametrize("lane", list(Lane))
def test_a_delivery_is_given_up_at_its_lane_s_age(lane: Lane) -> None:
    age_max = PATIENCE[lane].age_max
    assert not gives_up(lane, AT, AT + age_max - timedelta(seconds=1))
    assert gives_up(lane, AT, AT + age_max)
