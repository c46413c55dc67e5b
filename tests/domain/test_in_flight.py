"""Senders share the calls in flight of an account, whatever the order in which they ask."""

from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.in_flight import Need, Share, grant, held_with, kept_for_urgent

asks = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(0, 30), st.floats(0, 1)),
    max_size=40,
)


@given(st.integers(1, 60), asks)
def test_all_together_never_hold_more_than_the_account_may_have(
    most: int, asked: list[tuple[int, int, int, float]]
) -> None:
    may: dict[int, Share] = {}
    held: dict[int, Share] = {}
    wanted: dict[int, int] = {}
    for sender, ordinary, urgent, part_busy in asked:
        # Of what it may have, some is in flight when it asks again, in the worst case all.
        had = held.get(sender, Share())
        busy = Share(int(had.ordinary * part_busy), int(had.urgent * part_busy))
        others = [one for one in held if one != sender]
        may[sender] = grant(
            most,
            Need(busy, Share(ordinary, urgent)),
            [held[one] for one in others],
            [wanted[one] for one in others],
        )
        held[sender], wanted[sender] = held_with(may[sender], busy), ordinary
        assert sum(one.calls for one in held.values()) <= most
        assert sum(one.ordinary for one in held.values()) <= most - kept_for_urgent(most)
        assert may[sender].ordinary <= ordinary
        assert may[sender].urgent <= urgent


@given(st.integers(1, 1000))
def test_what_is_kept_for_urgent_mail_leaves_others_a_call(most: int) -> None:
    assert 0 <= kept_for_urgent(most) < most
    assert kept_for_urgent(most) > 0 or most == 1


def settled(most: int, *wanted: int) -> list[int]:
    """What senders have after each has asked a few times, all of it always in flight."""
    held = [Share() for _ in wanted]
    for _ in range(4):
        for number, mine in enumerate(wanted):
            others = [one for at, one in enumerate(held) if at != number]
            wants = [one for at, one in enumerate(wanted) if at != number]
            # Calls beyond the share end meanwhile and are not made again.
            held[number] = grant(most, Need(Share(), Share(mine)), others, wants)
    return [one.ordinary for one in held]


def test_everybody_gets_the_same_and_the_rest_goes_to_who_needs_it() -> None:
    assert settled(100, 200, 200) == [40, 40]
    assert settled(100, 200, 10) == [70, 10]
    assert settled(100, 200, 0) == [80, 0]


def test_who_has_more_than_its_share_begins_no_more_and_keeps_what_is_in_flight() -> None:
    first = Need(busy=Share(80), wanted=Share(200))
    share = grant(100, first, [Share()], [200])
    assert share == Share(40)
    assert held_with(share, first.busy) == Share(80)


def test_urgent_calls_may_be_all_of_them() -> None:
    assert grant(10, Need(Share(), Share(0, 20)), [], []) == Share(0, 10)
    assert grant(10, Need(Share(8), Share(8, 20)), [], []) == Share(8, 2)
