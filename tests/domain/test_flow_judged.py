"""Missing words are noticed by the minute, and never where chance or low volume explains them."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from postroom.domain.flow import MINUTE, Judgement, Minute, Tells, Trouble, judged

NOW = datetime(2026, 11, 24, 10, 0, 30, tzinfo=UTC)
NEWEST = datetime(2026, 11, 24, 9, 54, tzinfo=UTC)
"""The newest minute whose hand-overs have all had five minutes."""


def day(share: float = 0.97, taken: int = 60, until: datetime = NEWEST) -> list[Minute]:
    """A day of minutes up to and with `until`, of which that share was heard of soon."""
    heard = round(share * taken)
    return [Minute(until - n * MINUTE, taken, heard, heard) for n in reversed(range(24 * 60))]


def newest(heard: int, taken: int = 60) -> list[Minute]:
    return [*day(until=NEWEST - MINUTE), Minute(NEWEST, taken, heard, heard)]


def judge(
    minutes: list[Minute], tells: Tells = Tells.ACCEPTANCE, until: datetime | None = None
) -> Judgement | None:
    return judged(minutes, tells, NOW, until)


def trouble(minutes: list[Minute], tells: Tells = Tells.ACCEPTANCE) -> Trouble | None:
    found = judge(minutes, tells)
    assert found is not None
    return found.trouble


def test_a_single_silent_minute_is_noticed_at_a_high_pace() -> None:
    found = judge(newest(0))
    assert found is not None
    assert (found.trouble, found.since, found.sample.taken) == (Trouble.SILENCE, NEWEST, 60)
    assert found.usual == pytest.approx(0.97, abs=0.01)


def test_a_fallen_share_is_noticed() -> None:
    assert trouble(newest(30)) is Trouble.FALLING
    assert trouble(newest(57)) is None


def test_hand_overs_that_may_still_be_heard_of_in_time_are_not_judged() -> None:
    young = [Minute(NEWEST + n * MINUTE, 60, 0, 0) for n in range(1, 6)]
    assert trouble(day() + young) is None


def test_at_a_low_pace_several_minutes_are_judged_together() -> None:
    silent = [Minute(NEWEST - n * MINUTE, 2, 0, 0) for n in reversed(range(10))]
    found = judge(day(until=NEWEST - 20 * MINUTE) + silent)
    assert found is not None
    assert found.sample.taken > 20
    assert judge(silent[:5]) is None, "ten hand-overs tell nothing"


def test_words_that_never_came_are_missed_where_they_are_to_be_expected() -> None:
    alone = [Minute(NEWEST, 20, 0, 0)]
    assert trouble(alone, Tells.ACCEPTANCE) is Trouble.SILENCE
    assert trouble(alone, Tells.FATE) is Trouble.SILENCE
    assert judge(alone, Tells.FAILURE) is None
    assert judge(alone, Tells.NOTHING) is None


def test_an_account_of_which_little_is_heard_at_the_best_of_times_is_not_judged() -> None:
    assert judge(day(0.02), Tells.FAILURE) is None
    assert judge([*day(0.4, until=NEWEST - MINUTE), Minute(NEWEST, 60, 0, 0)]) is None


def test_a_share_of_fates_may_fall_for_the_receivers_reasons() -> None:
    assert trouble(newest(10), Tells.FATE) is None
    assert trouble(newest(0), Tells.FATE) is Trouble.SILENCE


def test_the_usual_share_is_that_of_before_the_trouble() -> None:
    """Or a day of silence would become usual."""
    began = NEWEST - timedelta(hours=20)
    silent = [Minute(began + n * MINUTE, 60, 0, 0) for n in range(20 * 60 + 1)]
    found = judge(day(until=began - MINUTE) + silent, until=began)
    assert found is not None
    assert (found.trouble, round(found.usual or 0, 2)) == (Trouble.SILENCE, 0.97)


@pytest.mark.parametrize("share", [0.55, 0.8, 0.97, 0.999])
@pytest.mark.parametrize("per_minute", [1, 3, 60])
def test_chance_alone_raises_no_alarm_in_weeks(share: float, per_minute: int) -> None:
    random = Random(7)
    minutes: list[Minute] = []
    for number in range(28 * 24 * 6):
        heard = sum(random.random() < share for _ in range(per_minute * 10))
        minutes.append(Minute(NEWEST + number * 10 * MINUTE, per_minute * 10, heard, heard))
    for number in range(200, len(minutes), 7):
        now = minutes[number].at + timedelta(minutes=6)
        found = judged(minutes[number - 150 : number + 1], Tells.ACCEPTANCE, now)
        assert found is None or found.trouble is None
