"""Receivers that ask for less: who they are, and whose turn it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.receiver import (
    GROWTH_PER_S,
    NEAR_S,
    PER_S_MAX,
    PER_S_MIN,
    WAIT_S_MAX,
    Standing,
    allot,
    lowered,
    receiver_of,
)

standings = st.builds(
    Standing,
    per_s=st.floats(PER_S_MIN, PER_S_MAX),
    turn_s=st.floats(-1e6, 1e4),
    tail_s=st.floats(-1e6, 1e4),
)
counts = st.integers(0, 300)


@pytest.mark.parametrize(
    ("address", "receiver"),
    [
        ("ann@gmail.com", "gmail"),
        ("ann@googlemail.com", "gmail"),
        ("ann@hotmail.co.uk", "microsoft"),
        ("ann@outlook.com", "microsoft"),
        ("ann@yahoo.fr", "yahoo"),
        ("ann@aol.com", "yahoo"),
        ("ann@web.de", "gmx"),
        ("ann@Mail.Corp.Example", "mail.corp.example"),
        ('"a@gmail.com"@corp.example', "corp.example"),
        ("corp.example", "corp.example"),
    ],
)
def test_an_operator_of_many_domains_is_one_receiver(address: str, receiver: str) -> None:
    assert receiver_of(address) == receiver


@given(standings, counts, counts)
def test_everybody_goes_or_waits_a_bounded_time(
    standing: Standing, urgent: int, others: int
) -> None:
    allotted = allot(standing, urgent, others)
    assert allotted.going + len(allotted.waits_s) == urgent + others
    assert all(0 <= wait <= WAIT_S_MAX for wait in allotted.waits_s)
    assert allotted.tail_s <= WAIT_S_MAX


@given(standings, st.lists(st.tuples(counts, st.floats(0, 0.2)), min_size=1, max_size=12))
def test_no_second_holds_more_than_the_pace_whoever_claims(
    standing: Standing, claims: list[tuple[int, float]]
) -> None:
    clock, turn_at, went = 0.0, standing.turn_s, []
    for wanted, passes_s in claims:
        allotted = allot(Standing(standing.per_s, turn_at - clock, 0), 0, wanted)
        went.append((clock, allotted.going))
        turn_at = clock + allotted.turn_s
        clock += passes_s
    grown = min(PER_S_MAX, standing.per_s * GROWTH_PER_S ** (clock + 1))
    for start, _ in went:
        # What is near its turn goes at once: the turns of a little more than a second.
        most = 1 + (1 + NEAR_S) * grown
        assert sum(count for at, count in went if start <= at < start + 1) <= most


@given(standings, st.integers(1, 300), st.integers(1, 300))
def test_urgent_mail_never_waits_longer_than_other_mail(
    standing: Standing, urgent: int, others: int
) -> None:
    allotted = allot(standing, urgent, others)
    left = max(0, urgent - allotted.going)
    within = [wait for wait in allotted.waits_s[:left] if wait < WAIT_S_MAX / 2]
    if left < len(allotted.waits_s) and len(within) == left:
        assert max(within, default=0) <= min(allotted.waits_s[left:])


def test_while_it_rests_nothing_goes_and_the_pace_is_kept_by_those_who_wait() -> None:
    allotted = allot(Standing(10, 5, 0), 2, 20)
    assert allotted.going == 0
    assert allotted.waits_s[:2] == pytest.approx([5, 5.1], abs=0.02)
    assert 6.5 < allotted.waits_s[-1] < 7.3
    again = allot(Standing(10, 5, allotted.tail_s), 1, 1)
    assert again.waits_s[0] == pytest.approx(5)
    assert again.waits_s[1] == pytest.approx(allotted.tail_s)


@given(st.floats(0, 1e6))
def test_a_pace_is_halved_and_never_ends(per_s: float) -> None:
    assert lowered(per_s) == max(PER_S_MIN, per_s / 2)
