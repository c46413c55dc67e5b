"""When a domain is not to be believed: many failures at once, as against its own usual share."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.storm import SLOT, Words, is_storm, slot_of, stormy

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
UNHEARD = Words()
HEALTHY = Words(delivered=9_800, failed=200)


@pytest.mark.parametrize(
    ("hour", "usual", "storm"),
    [
        (Words(delivered=0, failed=20), HEALTHY, False),
        (Words(delivered=0, failed=21), HEALTHY, True),
        (Words(delivered=900, failed=100), HEALTHY, False),
        (Words(delivered=890, failed=110), HEALTHY, True),
        # A first list with 8 % dead addresses is no storm, at a domain of which nothing is known.
        (Words(delivered=18_400, failed=1_600), UNHEARD, False),
        (Words(delivered=400, failed=600), UNHEARD, True),
        # However bad a domain usually is, half of all is too much.
        (Words(delivered=400, failed=600), Words(delivered=500, failed=500), True),
        # Addresses to which mail arrived lately do not die by the score.
        (Words(delivered=980, failed=60, proven=60), UNHEARD, True),
        (Words(delivered=100_000, failed=300, proven=300), UNHEARD, False),
        (Words(delivered=5, failed=20, proven=20), UNHEARD, False),
    ],
)
def test_a_storm_is_far_above_what_the_domain_usually_says(
    hour: Words, usual: Words, storm: bool
) -> None:
    assert is_storm(hour, usual) is storm


def test_a_storm_takes_in_every_slot_of_an_hour_that_is_one() -> None:
    slots = {NOON: Words(failed=15), NOON + 3 * SLOT: Words(failed=15)}
    found = stormy(slots, UNHEARD)
    assert {NOON, NOON + 3 * SLOT} <= found
    assert min(found) == NOON - 2 * SLOT
    assert max(found) == NOON + 5 * SLOT


def test_the_same_failures_over_a_day_are_none() -> None:
    slots = {NOON + 12 * n * SLOT: Words(failed=15) for n in range(12)}
    assert stormy(slots, UNHEARD) == frozenset()


@given(st.datetimes(timezones=st.just(UTC), min_value=NOON.replace(tzinfo=None)))
def test_a_slot_holds_its_moments(at: datetime) -> None:
    assert slot_of(at) <= at < slot_of(at) + SLOT
    assert slot_of(slot_of(at)) == slot_of(at)


def test_what_failed_a_day_apart_shares_no_hour() -> None:
    slots = {NOON: Words(failed=15), NOON + timedelta(days=1): Words(failed=15)}
    assert stormy(slots, UNHEARD) == frozenset()
