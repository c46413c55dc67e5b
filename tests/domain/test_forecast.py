"""When a communication will be through, and what sets its pace."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.forecast import Circumstances, LimitedBy, forecast

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
PLAIN = Circumstances(
    due=100,
    later=0,
    for_receivers=0,
    in_hand=0,
    per_s=10,
    is_paused=False,
    accounts=2,
    resting=0,
    application_per_s=None,
    application_day_left=None,
    account_day_left=None,
    account_use=0.0,
)


def test_at_its_pace_the_last_one_goes_when_what_remains_is_through() -> None:
    told = forecast(PLAIN, NOW)
    assert told.remaining == 100
    assert told.through_at == NOW + timedelta(seconds=10)
    assert told.limited_by is LimitedBy.PROVIDER


@pytest.mark.parametrize(
    ("changes", "limited_by", "is_told"),
    [
        ({"is_paused": True}, LimitedBy.PAUSE, False),
        ({"due": 0, "later": 5}, LimitedBy.SEND_AT, False),
        ({"due": 0, "later": 5, "for_receivers": 2}, LimitedBy.SEND_AT, False),
        ({"due": 0, "later": 5, "for_receivers": 3}, LimitedBy.RECEIVER, False),
        ({"later": 5}, LimitedBy.PROVIDER, False),
        ({"due": 0, "in_hand": 5}, LimitedBy.PROVIDER, True),
        ({"accounts": 0}, LimitedBy.NO_ACCOUNT, False),
        ({"resting": 2}, LimitedBy.ACCOUNT_RESTS, False),
        ({"resting": 1}, LimitedBy.PROVIDER, True),
        ({"application_per_s": 11}, LimitedBy.APPLICATION_LIMIT, True),
        ({"application_per_s": 100}, LimitedBy.PROVIDER, True),
        ({"application_day_left": 99}, LimitedBy.APPLICATION_LIMIT, False),
        ({"application_day_left": 100}, LimitedBy.PROVIDER, True),
        ({"account_day_left": 0}, LimitedBy.ACCOUNT_LIMIT, False),
        ({"account_day_left": 99.5}, LimitedBy.ACCOUNT_LIMIT, False),
        ({"account_day_left": 100}, LimitedBy.PROVIDER, True),
        ({"account_use": 0.9}, LimitedBy.ACCOUNT_LIMIT, True),
        ({"per_s": 0}, LimitedBy.PROVIDER, False),
    ],
)
def test_what_sets_the_pace_is_named_and_no_end_is_told_where_none_can_be(
    changes: dict[str, Any], limited_by: LimitedBy, is_told: bool
) -> None:
    told = forecast(replace(PLAIN, **changes), NOW)
    assert told.limited_by is limited_by
    assert (told.through_at is not None) is is_told


def test_nothing_limits_what_is_through() -> None:
    told = forecast(replace(PLAIN, due=0), NOW)
    assert (told.remaining, told.through_at, told.limited_by) == (0, None, None)


@given(
    due=st.integers(0, 10**7),
    later=st.integers(0, 10**7),
    in_hand=st.integers(0, 10**4),
    per_s=st.floats(0, 1e6),
    is_paused=st.booleans(),
    accounts=st.integers(0, 5),
    use=st.floats(0, 2),
)
def test_every_circumstance_has_a_forecast_that_lies_ahead(
    due: int,
    later: int,
    in_hand: int,
    per_s: float,
    is_paused: bool,
    accounts: int,
    use: float,
) -> None:
    waiting = (due, later, 0, in_hand)
    found = Circumstances(*waiting, per_s, is_paused, accounts, 0, None, None, None, use)
    told = forecast(found, NOW)
    assert told.remaining == due + later + in_hand
    assert (told.limited_by is None) is (told.remaining == 0)
    assert told.through_at is None or told.through_at >= NOW
