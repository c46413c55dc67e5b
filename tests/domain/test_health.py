"""An account is given up at once, comes back by and by, and roads never swing."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.domain.health import KEPT, SLOT_S, STOPPED, Health, Pulse, Seen, State, step

REST = timedelta(minutes=10)
SECOND = timedelta(seconds=1)
START = datetime(2026, 11, 24, 9, tzinfo=UTC)
SOUND = Health(State.SOUND, START - 2 * REST)


def after(health: Health, *pulses: Pulse, at: datetime = START, stopped: bool = False) -> Health:
    return step(health, Seen(pulses, stopped), at, REST)


def slot(seconds_ago: float, calls: int = 0, **counts: int) -> Pulse:
    return Pulse(START - seconds_ago * SECOND, calls, **counts)


@pytest.mark.parametrize(
    ("pulses", "why"),
    [
        ([slot(3, 5, errors=3)], "errors: 3 of 5 in 10 s"),
        ([slot(20, 9000), slot(8, 2, errors=2), slot(3, 4, errors=4)], "errors: 6 of 6 in 10 s"),
        ([slot(290, 1, errors=1), slot(100, 2, errors=2), slot(3, 2, errors=1)],
         "errors: 4 of 5 in 300 s"),
        ([slot(20, 9000), slot(3, 20, slow=18)], "latency: 18 of 20 in 10 s"),
    ],
)  # fmt: skip
def test_an_account_whose_calls_fail_is_opened_at_once(pulses: list[Pulse], why: str) -> None:
    assert after(SOUND, *pulses) == Health(State.OPEN, START, why)
    fresh = Health(State.SOUND, START - 310 * SECOND)
    assert after(fresh, *pulses).state is State.OPEN


@pytest.mark.parametrize(
    "pulses",
    [
        [],
        [slot(3, 4, errors=4)],
        [slot(3, 100, errors=49)],
        [slot(301, 50, errors=50)],
        [slot(3, 19, throttled=19)],
        [slot(3, 100, throttled=49, slow=49)],
        [slot(3, 4, slow=4)],
        [slot(30, told=49, blocked=49)],
        [slot(30, told=1000, blocked=299)],
    ],
)
def test_too_few_samples_and_too_small_shares_change_nothing(pulses: list[Pulse]) -> None:
    assert after(SOUND, *pulses) is SOUND


@pytest.mark.parametrize(
    ("pulse", "why"),
    [
        (slot(30, 20, throttled=10), "throttling: 10 of 20 in 60 s"),
        (slot(30, 20, slow=20), "latency: 20 of 20 in 60 s"),
        (slot(3, 10, slow=8), "latency: 8 of 10 in 60 s"),
        (slot(590, told=50, blocked=15), "bounce mix: 15 of 50 in 600 s"),
    ],
)
def test_an_account_under_strain_carries_less(pulse: Pulse, why: str) -> None:
    strained = after(SOUND, pulse)
    assert strained == Health(State.STRAINED, START, why)
    assert strained.share(START, REST) == 0.25


def test_an_account_of_which_little_is_heard_carries_less_until_words_flow_again() -> None:
    strained = step(SOUND, Seen(unheard=True), START, REST)
    assert strained.state is State.STRAINED
    assert strained.why.startswith("time to first event")
    assert step(strained, Seen(unheard=True), START + REST, REST) is strained
    assert step(strained, Seen(), START + REST, REST).state is State.SOUND


def test_an_account_that_is_to_wait_for_long_is_given_up_until_it_has_waited() -> None:
    assert step(SOUND, Seen(told_to_wait_s=60), START, REST) is SOUND
    opened = step(SOUND, Seen(told_to_wait_s=3600), START, REST)
    assert opened == Health(State.OPEN, START, "throttling: told to wait 3600 s")
    later = START + 2 * REST
    assert step(opened, Seen(told_to_wait_s=2400), later, REST) is opened
    assert step(opened, Seen(), later, REST).state is State.RETURNING


def test_a_strain_passes_only_when_its_share_is_half_of_what_began_it() -> None:
    strained = Health(State.STRAINED, START - REST)
    assert after(strained, slot(30, 100, throttled=25)) is strained
    assert after(strained, slot(30, 100, throttled=24)).state is State.SOUND


def test_an_open_account_rests_returns_by_and_by_and_is_sound_again() -> None:
    opened = Health(State.OPEN, START)
    assert after(opened, at=START + REST - SECOND) is opened
    returning = after(opened, at=START + REST)
    assert returning.state is State.RETURNING
    shares = [returning.share(START + REST * (1 + part / 4), REST) for part in range(5)]
    assert shares == [pytest.approx(one) for one in (0.05, 0.2875, 0.525, 0.7625, 1.0)]
    assert after(returning, at=START + 2 * REST - SECOND) is returning
    assert after(returning, at=START + 2 * REST).state is State.SOUND


def test_what_was_met_with_before_it_returned_does_not_count_against_it() -> None:
    returning = Health(State.RETURNING, START)
    assert after(returning, slot(6, 100, errors=100)) is returning
    assert after(returning, slot(4, 100, errors=100)).state is State.OPEN


def test_a_stopped_account_is_open_whatever_else_and_returns_when_somebody_restarts_it() -> None:
    for state in State:
        opened = after(Health(state, START), stopped=True)
        assert (opened.state, opened.why) == (State.OPEN, STOPPED)
        assert after(opened, at=START + 2 * REST, stopped=True) is opened
        assert after(opened, at=START + SECOND) == Health(
            State.RETURNING, START + SECOND, "used again"
        )


def noise(seed: int, minutes: int) -> list[Pulse]:
    """Slots of an account that does well, badly and anything between, for spells of any length."""
    dice = random.Random(seed)
    slots, bad = [], 0.0
    for number in range(minutes * 60 // SLOT_S):
        if dice.random() < 0.05:
            bad = dice.choice((0.0, 0.1, 0.4, 0.6, 1.0))
        calls = dice.choice((0, 1, 5, 50, 500))
        counts = [sum(dice.random() < bad for _ in range(min(calls, 60))) for _ in range(4)]
        errors, throttled, slow, blocked = counts
        at = START + number * SLOT_S * SECOND
        slots.append(Pulse(at, min(calls, 60), errors, throttled, slow, min(calls, 60), blocked))
    return slots


def changes(slots: list[Pulse], state: State, rest: timedelta, waits: float = 0) -> list[datetime]:
    """When the roads changed, looked at each second as senders do.

    `waits`: the part of the seconds in which the account is told to wait for long.
    """
    health, found = Health(state, START - rest), []
    dice = random.Random(len(slots))
    for number in range(len(slots) * SLOT_S):
        now = START + number * SECOND
        seen = [one for one in slots[: number // SLOT_S + 1] if one.at > now - KEPT]
        met = Seen(seen, told_to_wait_s=90.0 * (dice.random() < waits))
        was, health = health, step(health, met, now, rest)
        if health is not was:
            found.append(now)
    return found


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(State), st.sampled_from([0, 0.001, 0.1]))
def test_roads_change_no_more_than_twice_in_ten_minutes_whatever_the_noise(
    seed: int, state: State, waits: float
) -> None:
    found = changes(noise(seed, 35), state, REST, waits)
    for at in found:
        assert sum(at <= one < at + REST for one in found) <= 2


@settings(deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(State), st.integers(10, 60))
def test_the_bound_holds_for_every_rest(seed: int, state: State, rest_s: int) -> None:
    rest = rest_s * SECOND
    found = changes(noise(seed, 6), state, rest)
    for at in found:
        assert sum(at <= one < at + rest for one in found) <= 2


def test_noise_of_one_in_ten_opens_nothing() -> None:
    slots = [replace(one, errors=one.calls // 10) for one in noise(1, 30)]
    quiet = [replace(one, throttled=0, slow=0, blocked=0) for one in slots]
    assert changes(quiet, State.SOUND, REST) == []
