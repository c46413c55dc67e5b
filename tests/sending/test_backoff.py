"""How long an account rests after trouble of its own."""

import pytest

from postroom.providers.base import Refusal, Reply, ReplyKind
from postroom.sending.backoff import BackOff
from tests.sending.test_endings import ATTEMPT


def rested(*replies: Reply) -> float:
    """Seconds of rest after these answers, each heard when the rest before was over."""
    back_off, now = BackOff(), 0.0
    for reply in replies:
        now += back_off.left_s(1, now)
        back_off.heard(1, reply, now)
    return back_off.left_s(1, now)


LOST = Reply(ReplyKind.TRY_LATER, error="connection refused")


def test_the_provider_says_how_long() -> None:
    assert rested(Reply(ReplyKind.TRY_LATER, 429, retry_after_s=7)) == 7


def test_a_provider_with_a_wrong_clock_rests_the_account_an_hour_at_most() -> None:
    assert rested(Reply(ReplyKind.TRY_LATER, 429, retry_after_s=10**9)) == 3600


def test_without_a_word_the_rest_doubles_up_to_a_minute() -> None:
    rests = [rested(*[LOST] * times) for times in range(1, 12)]
    assert rests[:4] == [0.5, 1, 2, 4]
    assert rests[-1] == 60


def test_answers_to_calls_in_flight_together_count_once() -> None:
    back_off = BackOff()
    for _ in range(10):
        back_off.heard(1, LOST, 0.0)
    assert back_off.left_s(1, 0.0) == 0.5


@pytest.mark.parametrize("status", [429, 421, 500, 503, None])
def test_these_ask_the_whole_account_to_rest(status: int | None) -> None:
    assert rested(Reply(ReplyKind.TRY_LATER, status)) > 0


@pytest.mark.parametrize(
    "reply",
    [
        Reply(ReplyKind.TAKEN, 202),
        Reply(ReplyKind.REFUSED, 400),
        Reply(ReplyKind.UNKNOWN),
        Reply(ReplyKind.TRY_LATER, 450),
        Reply(ReplyKind.TRY_LATER, 400, retry_after_s=0, refused={ATTEMPT: Refusal("x", "named")}),
    ],
)
def test_these_say_nothing_against_the_account(reply: Reply) -> None:
    assert rested(reply) == 0


def test_a_good_answer_ends_the_trouble_and_an_unknown_one_does_not() -> None:
    assert rested(LOST, LOST, Reply(ReplyKind.TAKEN, 202), LOST) == 0.5
    assert rested(LOST, LOST, Reply(ReplyKind.UNKNOWN), LOST) == 2


@pytest.mark.parametrize("retry_after_s", [7, None])
def test_a_good_answer_to_a_call_in_flight_ends_no_rest_that_was_asked_for(
    retry_after_s: float | None,
) -> None:
    back_off = BackOff()
    back_off.heard(1, Reply(ReplyKind.TRY_LATER, 429, retry_after_s=retry_after_s), 0.0)
    rest_s = back_off.left_s(1, 0.0)
    back_off.heard(1, Reply(ReplyKind.TAKEN, 202), 0.0)
    assert back_off.left_s(1, 0.0) == rest_s > 0
    back_off.heard(1, LOST, rest_s)
    assert back_off.left_s(1, rest_s) == 0.5, "the trouble is a new one"


def test_a_good_answer_ends_a_rest_that_is_ours() -> None:
    back_off = BackOff()
    back_off.heard(1, LOST, 0.0)
    back_off.heard(1, Reply(ReplyKind.TAKEN, 202), 0.1)
    assert back_off.left_s(1, 0.1) == 0


def test_an_account_without_calls_left_rests_as_long_as_it_was_told() -> None:
    assert rested(Reply(ReplyKind.TAKEN, 202, rest_s=7)) == 7
    assert rested(Reply(ReplyKind.TAKEN, 202, rest_s=10**9)) == 3600


def test_accounts_rest_apart() -> None:
    back_off = BackOff()
    back_off.heard(1, LOST, 0.0)
    assert back_off.left_s(2, 0.0) == 0
