"""Calls that come too close are found where their instants are known, and never invented."""

from hypothesis import given
from hypothesis import strategies as st

from tests.faults.seconds import Span, breaches


def _exactly(*instants: float) -> list[Span]:
    return [Span(at, at) for at in instants]


def test_as_many_calls_as_a_second_may_hold_are_no_breach() -> None:
    assert list(breaches(_exactly(0, 0.4, 0.9, 1, 1.4, 1.9), 3)) == []


def test_one_more_is_a_breach_wherever_the_second_begins() -> None:
    assert list(breaches(_exactly(0, 0.6, 1.2, 1.4, 1.59), 3)) == [1.59]


def test_a_call_that_may_have_come_earlier_is_no_breach() -> None:
    assert list(breaches([*_exactly(0), Span(0.2, 1.1), Span(1.2, 2.1)], 1)) == []


def test_a_call_that_began_before_another_and_came_after_it_is_no_breach() -> None:
    assert list(breaches([Span(1.5, 2.1), Span(0, 2.2)], 1)) == []


def test_a_lasting_excess_is_found_although_each_instant_is_uncertain() -> None:
    """Eleven a second where ten are allowed, each known to a fifth of a second."""
    spans = [Span(number / 11, number / 11 + 0.2) for number in range(60)]
    assert len(list(breaches(spans, 10))) > 10


@given(
    st.lists(st.tuples(*[st.floats(0, 0.5)] * 3), max_size=60),
    st.integers(1, 5),
)
def test_calls_that_keep_to_the_limit_are_never_called_a_breach(
    calls: list[tuple[float, float, float]], per_s: int
) -> None:
    instants: list[float] = []
    for gap, _, _ in calls:
        at = gap + (instants[-1] if instants else 0.0)
        instants.append(max(at, instants[-per_s] + 1.001) if len(instants) >= per_s else at)
    spans = [
        Span(at - early, at + late) for at, (_, early, late) in zip(instants, calls, strict=True)
    ]
    assert list(breaches(spans, per_s)) == []
