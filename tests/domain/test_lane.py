"""Lanes: their order, their names, and what each does on doubt."""

import pytest

from postroom.domain.lane import ON_DOUBT_BY_LANE, Lane, OnDoubt


def test_urgent_goes_before_normal_and_normal_before_bulk() -> None:
    assert sorted(Lane) == [Lane.URGENT, Lane.NORMAL, Lane.BULK]
    assert [int(lane) for lane in sorted(Lane)] == [0, 1, 2]


@pytest.mark.parametrize("lane", Lane)
def test_a_lane_is_found_by_its_label(lane: Lane) -> None:
    assert Lane.of_label(lane.label) is lane


def test_an_unknown_label_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="use one of urgent, normal, bulk"):
        Lane.of_label("Urgent")


def test_only_urgent_mail_is_sent_again_on_doubt() -> None:
    assert set(ON_DOUBT_BY_LANE) == set(Lane)
    assert [lane for lane in Lane if ON_DOUBT_BY_LANE[lane] is OnDoubt.RESEND] == [Lane.URGENT]
