"""A refused batch goes again in halves until the guilty one stands alone."""

from math import ceil, log2

from hypothesis import given
from hypothesis import strategies as st

from postroom.sending.halving import halves


@given(st.lists(st.integers(), min_size=2))
def test_both_halves_hold_somebody_and_together_everybody_in_order(batch: list[int]) -> None:
    first, second = halves(batch)
    assert first
    assert second
    assert [*first, *second] == batch
    assert len(first) - len(second) in (0, 1)


@given(st.data())
def test_one_guilty_is_found_within_the_promised_number_of_calls(data: st.DataObject) -> None:
    count = data.draw(st.integers(min_value=1, max_value=1_000))
    guilty = data.draw(st.integers(min_value=0, max_value=count - 1))
    calls, waiting = 0, [tuple(range(count))]
    while waiting:
        batch = waiting.pop()
        calls += 1
        if guilty in batch and len(batch) > 1:
            waiting += halves(batch)
    assert calls <= 1 + 2 * ceil(log2(count))
