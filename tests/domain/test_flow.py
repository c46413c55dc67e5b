"""When silence about a call proves something: only while words flow about all else."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.flow import MINUTE, Minute, Sample, not_taken

BEGUN = datetime(2026, 11, 24, 10, 0, 30, tzinfo=UTC)
ENDED = BEGUN + timedelta(seconds=45)
NOW = ENDED + timedelta(minutes=10)
FIRST = BEGUN.replace(second=0) - MINUTE


def flowing(taken: int = 20, acknowledged: int | None = None) -> list[Minute]:
    """From a minute before the call until now, the same in every minute."""
    told = taken if acknowledged is None else acknowledged
    return [Minute(FIRST + number * MINUTE, taken, told, told) for number in range(13)]


def proof(minutes: list[Minute]) -> Sample | None:
    return not_taken(minutes, BEGUN, ENDED, NOW)


def test_silence_proves_while_the_others_are_acknowledged_within_a_minute() -> None:
    sample = proof(flowing())
    assert sample is not None
    assert (sample.taken, sample.acknowledged) == (220, 220)


def test_the_youngest_calls_may_still_be_waiting_for_their_word() -> None:
    minutes = flowing()
    minutes[-1] = Minute(minutes[-1].at, 20, 0, 0)
    minutes[-2] = Minute(minutes[-2].at, 20, 0, 0)
    assert proof(minutes) is not None


@pytest.mark.parametrize("number", range(11))
def test_a_minute_without_words_takes_the_proof_away(number: int) -> None:
    minutes = flowing()
    minutes[number] = Minute(minutes[number].at, 20, 0, 0)
    assert proof(minutes) is None


def test_two_in_a_hundred_without_a_word_in_time_are_too_many() -> None:
    assert proof(flowing(100, 99)) is not None
    assert proof(flowing(100, 98)) is None


def test_few_hand_overs_prove_nothing() -> None:
    assert proof(flowing(9)) is None


def test_nothing_is_proved_when_nothing_else_was_handed_over_at_the_time_of_the_call() -> None:
    assert proof(flowing(50)[4:]) is None
    assert proof([]) is None


def test_words_of_other_kinds_do_not_count_as_acknowledged() -> None:
    assert proof([Minute(one.at, one.taken, one.taken, 0) for one in flowing()]) is None


def test_what_was_long_before_the_call_does_not_count() -> None:
    before = [Minute(FIRST - number * MINUTE, 100, 0, 0) for number in range(2, 60)]
    assert proof(before + flowing()) is not None


@given(st.lists(st.tuples(st.integers(-30, 30), st.integers(0, 50), st.integers(0, 60))))
def test_a_proof_never_rests_on_less_than_ninety_nine_in_a_hundred(
    known: list[tuple[int, int, int]],
) -> None:
    sample = proof([Minute(FIRST + n * MINUTE, taken, 0, told) for n, taken, told in known])
    assert sample is None or (sample.taken >= 100 and sample.acknowledged >= 0.99 * sample.taken)
