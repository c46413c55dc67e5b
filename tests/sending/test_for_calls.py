"""A sender keeps no more of a claim than it has places for."""

from hypothesis import given
from hypothesis import strategies as st

from postroom.sending.planning import for_calls
from tests.sending.test_shelf import claims


@given(messages=st.lists(st.integers(1, 8), max_size=50), calls=st.integers(1, 10))
def test_the_first_messages_stay_whole_and_the_others_go_back(
    messages: list[int], calls: int
) -> None:
    held, surplus = for_calls(claims(messages), calls)
    in_order = list(dict.fromkeys(messages))
    assert {one.message_id.int for one in held} == {*in_order[:calls]}
    assert {one.message_id.int for one in surplus} == {*in_order[calls:]}
    assert len(held) + len(surplus) == len(messages)


def test_a_broadcast_is_one_message_however_large() -> None:
    held, surplus = for_calls(claims([7] * 1000), 1)
    assert (len(held), surplus) == (1000, [])
