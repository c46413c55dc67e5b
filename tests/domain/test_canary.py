"""What becomes of the rest of a communication when a part has gone first."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.canary import CHOSEN_MAX, Decision, Plan, Seen, chosen, decide

PLAN = Plan(share=0.01, wait_s=600, bounces_max=0.05, complaints_max=0.002)
OPEN = Seen(chosen=100, handed=100, final=10, failed=0, complained=0, since_s=60)


@pytest.mark.parametrize(
    ("recipients", "share", "first"),
    [(10**5, 0.01, 1000), (1000, 0.05, 50), (1000, 0.001, 20), (15, 0.01, 15), (10**6, 0.5, 1000)],
)  # fmt: skip
def test_the_part_that_goes_first_is_large_enough_to_tell_and_no_larger(
    recipients: int, share: float, first: int
) -> None:
    assert chosen(recipients, replace(PLAN, share=share)) == first


@pytest.mark.parametrize(
    ("changes", "decision"),
    [
        ({}, Decision.WAIT),
        ({"failed": 5}, Decision.WAIT),
        ({"failed": 6}, Decision.STOP),
        ({"complained": 1}, Decision.STOP),
        ({"final": 95}, Decision.GO),
        ({"final": 95, "failed": 6}, Decision.STOP),
        ({"since_s": 601}, Decision.STOP),
        ({"since_s": 601, "final": 50}, Decision.GO),
        ({"since_s": 601, "final": 50, "handed": 99}, Decision.WAIT),
        ({"chosen": 0, "handed": 0, "final": 0}, Decision.STOP),
    ],
)
def test_the_rest_goes_waits_or_stays(changes: dict[str, int], decision: Decision) -> None:
    assert decide(PLAN, replace(OPEN, **changes))[0] is decision


def test_the_sentence_says_how_many_and_how_many_may() -> None:
    assert decide(PLAN, replace(OPEN, failed=6))[1] == "6 of 100 failed, at most 5.00% may"


@given(
    recipients=st.integers(1, 10**6),
    share=st.floats(0.0001, 0.9999),
    failed=st.integers(0, CHOSEN_MAX),
    final=st.integers(0, CHOSEN_MAX),
    since_s=st.floats(0, 1e6),
)
def test_too_many_failures_always_keep_the_rest(
    recipients: int, share: float, failed: int, final: int, since_s: float
) -> None:
    first = chosen(recipients, replace(PLAN, share=share))
    failed, final = min(failed, first), min(final, first)
    decision, _ = decide(PLAN, Seen(first, first, max(final, failed), failed, 0, since_s))
    assert 1 <= first <= recipients
    if failed > 0.05 * first:
        assert decision is Decision.STOP
