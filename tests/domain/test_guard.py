"""The guard's rules: what comes near a line, how sure that is, and what cannot be measured."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.flow import Tells
from postroom.domain.guard import (
    HARD,
    Counts,
    Judgement,
    Level,
    is_over,
    judged,
    rate,
    surely_above,
    waits_for_somebody,
)
from postroom.domain.guard_lines import (
    MAILBOXES,
    Measure,
    of_operator,
    of_provider,
)
from postroom.domain.lane import Lane
from postroom.domain.mail_kind import MailKind

LINES = of_provider("ses")
counts_of_bounces = st.integers(1, 5000).flatmap(
    lambda told: st.builds(Counts, told=st.just(told), failed=st.integers(0, told))
)


def level(failed: int, told: int, *, is_pressing: bool = False) -> Level:
    found = judged(Counts(told=told, failed=failed), LINES, Tells.FATE, is_pressing=is_pressing)
    assert found is not None
    return found.level


def paused_at(dead_share: float, recipients: int, seed: int) -> int | None:
    """After how many words a list is paused that is looked at after every tenth of them."""
    chance = Random(seed)
    failed = 0
    for told in range(10, recipients + 1, 10):
        failed += sum(chance.random() < dead_share for _ in range(10))
        if level(failed, told) is Level.PAUSE:
            return told
    return None


def test_a_bad_list_is_found_within_its_first_1000_recipients() -> None:
    for seed in range(100):
        for dead_share in (0.06, 0.08, 0.1, 0.3):
            assert paused_at(dead_share, 1000, seed) is not None, (seed, dead_share)


def test_none_of_100_healthy_broadcasts_is_paused_at_any_look() -> None:
    for seed in range(100):
        assert paused_at(0.02, 3000, seed) is None, seed


@pytest.mark.parametrize(
    ("failed", "expected"),
    [
        (49, Level.CALM),
        (50, Level.WARN),
        (69, Level.WARN),
        (70, Level.SLOW),
        (84, Level.SLOW),
        (85, Level.PAUSE),
    ],
)
def test_each_level_begins_at_its_part_of_the_line(failed: int, expected: Level) -> None:
    assert level(failed, 2000) is expected


def test_few_words_say_nothing() -> None:
    assert level(199, 199) is Level.CALM
    assert level(200, 200) is Level.PAUSE


def test_mail_that_somebody_waits_for_is_held_at_twice_the_line() -> None:
    assert level(199, 2000, is_pressing=True) is Level.ALERT
    assert level(200, 2000, is_pressing=True) is Level.PAUSE


def test_mail_that_somebody_waits_for_is_held_when_more_than_a_fifth_of_500_fails() -> None:
    assert level(100, 150, is_pressing=True) is Level.CALM
    assert level(101, 150, is_pressing=True) is Level.PAUSE


@given(counts_of_bounces)
def test_mail_that_somebody_waits_for_is_never_held_before_other_mail_would_be(
    counts: Counts,
) -> None:
    if counts.told < 200:
        return
    pressing = judged(counts, LINES, Tells.FATE, is_pressing=True)
    other = judged(counts, LINES, Tells.FATE, is_pressing=False)
    assert pressing is not None
    assert other is not None
    assert pressing.level <= other.level


@given(counts_of_bounces, st.integers(1, 50))
def test_more_failures_of_as_many_never_make_it_calmer(counts: Counts, more: int) -> None:
    worse = Counts(told=counts.told, failed=min(counts.told, counts.failed + more))
    assert level(worse.failed, worse.told) >= level(counts.failed, counts.told)


@given(counts_of_bounces)
def test_what_is_sure_is_never_more_than_what_was_seen(counts: Counts) -> None:
    sure = surely_above(counts.failed, counts.told)
    assert 0 <= sure <= counts.failed / counts.told + 1e-9


@given(counts_of_bounces)
def test_a_warning_that_may_end_is_none(counts: Counts) -> None:
    found = judged(counts, LINES, Tells.FATE, is_pressing=False)
    assert not is_over(found) or found is None or found.level is Level.CALM


def test_complaints_are_not_measurable_where_nobody_would_tell_of_them() -> None:
    delivered_at_gmail = Counts(handed=5000, told=5000)
    assert rate(Measure.COMPLAINTS, delivered_at_gmail, Tells.FATE) is None
    assert judged(delivered_at_gmail, of_operator("gmail"), Tells.FATE, is_pressing=False) is None
    told_of_none = Counts(told=5000, audible=5000)
    assert rate(Measure.COMPLAINTS, told_of_none, Tells.FATE) == (0, 5000)


def test_an_account_that_tells_failures_only_is_measured_by_what_it_was_handed() -> None:
    counts = Counts(handed=1000, told=100, failed=100)
    assert rate(Measure.BOUNCES, counts, Tells.FAILURE) == (100, 1000)
    assert rate(Measure.BOUNCES, counts, Tells.FATE) == (100, 100)
    assert rate(Measure.BOUNCES, counts, Tells.NOTHING) is None


def test_complaints_pause_at_their_own_line() -> None:
    counts = Counts(told=10_000, audible=10_000, complained=20)
    found = judged(counts, LINES, Tells.FATE, is_pressing=False)
    assert found is not None
    assert (found.level, found.line.measure) == (Level.PAUSE, Measure.COMPLAINTS)
    assert found.said == ("20 complaints of 10,000 (0.20%); the line of Amazon SES is 0.10%")


@pytest.mark.parametrize("lane", Lane)
@pytest.mark.parametrize("kind", MailKind)
def test_urgent_mail_and_ordinary_letters_are_what_somebody_waits_for(
    lane: Lane, kind: MailKind
) -> None:
    expected = lane is Lane.URGENT or (lane, kind) == (Lane.NORMAL, MailKind.TRANSACTIONAL)
    assert waits_for_somebody(lane, kind) is expected


def test_only_what_is_the_recipients_and_for_good_counts_as_a_bounce() -> None:
    assert "address_unknown" in HARD
    assert not HARD & {"mailbox_full", "reputation_block", "gave_up", "content_refused"}


@pytest.mark.parametrize("provider", ["ses", "sendgrid", "postmark", "mailgun", "smtp"])
def test_every_provider_has_a_line_of_each_measure(provider: str) -> None:
    assert [line.measure for line in of_provider(provider)] == list(Measure)


def test_every_operator_with_a_line_has_its_domains() -> None:
    for operator, domains in MAILBOXES.items():
        assert domains
        assert of_operator(operator)


def test_nothing_measured_is_over() -> None:
    assert is_over(None)
    assert not is_over(Judgement(Level.WARN, LINES[0], 45, 1000))
