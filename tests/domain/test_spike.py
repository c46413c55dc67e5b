"""When one reason at one receiving domain is unusual, and when it is usual again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.spike import Figures, is_spike

NOTHING = Figures(0, 0)


@pytest.mark.parametrize(
    ("lately", "usual", "expected"),
    [
        (Figures(19, 19), NOTHING, False),
        (Figures(20, 20), NOTHING, True),
        (Figures(20, 201), NOTHING, False),
        (Figures(40, 100), Figures(100, 1000), False),
        (Figures(50, 100), Figures(100, 1000), True),
        (Figures(100, 100), Figures(900, 1000), True),
    ],
)
def test_a_spike_is_often_and_much_more_often_than_usual(
    lately: Figures, usual: Figures, expected: bool
) -> None:
    assert is_spike(lately, usual) is expected


def test_a_spike_that_stands_ends_at_half_of_what_begins_one() -> None:
    assert is_spike(Figures(10, 200), NOTHING, stands=True)
    assert not is_spike(Figures(9, 200), NOTHING, stands=True)
    assert not is_spike(Figures(10, 201), NOTHING, stands=True)


figures = st.integers(0, 500).flatmap(
    lambda told: st.builds(Figures, st.integers(0, told), st.just(told))
)


@given(figures, figures)
def test_what_begins_a_spike_lets_one_stand(lately: Figures, usual: Figures) -> None:
    assert is_spike(lately, usual, stands=True) or not is_spike(lately, usual)
