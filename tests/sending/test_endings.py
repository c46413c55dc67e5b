"""What each kind of answer means for the deliveries of a call."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from postroom.domain.delivery import Outcome
from postroom.domain.lane import Lane
from postroom.ledger.queue import Claimed
from postroom.ledger.settlements import Then
from postroom.providers.base import Refusal, Reply, ReplyKind
from postroom.sending.endings import Ending, Moment, ending_of

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
ATTEMPT = UUID(int=1)
LATER = Moment(NOW, 0.0)


def claims(count: int, tries: int = 0) -> dict[UUID, Claimed]:
    """So many claims, by hand-over id."""
    return {
        UUID(int=100 + number): Claimed(
            delivery_id=UUID(int=200 + number),
            message_id=UUID(int=3),
            simulated=True,
            lane=Lane.NORMAL,
            recipient=f"p{number}@example.org",
            recipient_name=None,
            vars={},
            ref=None,
            tries=tries,
            fence=9,
            lease_until=NOW,
        )
        for number in range(count)
    }


def ending(count: int, reply: Reply, tries: int = 0, due_at: datetime = NOW) -> Ending:
    return ending_of(ATTEMPT, claims(count, tries), due_at, reply, LATER)


@pytest.mark.parametrize(
    ("kind", "outcome", "then"),
    [
        (ReplyKind.TAKEN, Outcome.TAKEN, Then.HANDED),
        (ReplyKind.TRY_LATER, Outcome.NOT_TAKEN, Then.QUEUED),
        (ReplyKind.REFUSED, Outcome.NOT_TAKEN, Then.AGAIN),
        (ReplyKind.UNKNOWN, Outcome.UNKNOWN, Then.HANDED),
        (ReplyKind.ACCOUNT_STOPPED, Outcome.NOT_TAKEN, Then.QUEUED),
    ],
)
def test_every_kind_of_answer_has_its_outcome(
    kind: ReplyKind, outcome: Outcome, then: Then
) -> None:
    made = ending(3, Reply(kind))
    assert made.settlement.outcome is outcome
    assert {(one.outcome, one.then) for one in made.settlement.results} == {(outcome, then)}
    assert {one.fence for one in made.settlement.results} == {9}


def test_a_batch_that_names_nobody_goes_again_in_halves() -> None:
    made = ending(5, Reply(ReplyKind.REFUSED, 400))
    assert [len(group) for group in made.again] == [3, 2]


def test_a_single_that_is_refused_ends_with_the_providers_words() -> None:
    made = ending(1, Reply(ReplyKind.REFUSED, 400, body=b"no such thing"))
    (result,) = made.settlement.results
    assert (result.outcome, result.then, result.reason) == (
        Outcome.REFUSED,
        Then.HANDED,
        "provider_refused",
    )
    assert result.text == "no such thing"
    assert made.settlement.outcome is Outcome.REFUSED
    assert made.again == ()


@pytest.mark.parametrize("kind", [ReplyKind.REFUSED, ReplyKind.TRY_LATER])
def test_the_named_one_is_rejected_and_the_others_go_again_at_once(kind: ReplyKind) -> None:
    named = UUID(int=101)
    made = ending(4, Reply(kind, 400, refused={named: Refusal("address_syntax", "bad", 550)}))
    results = {one.handover_id: one for one in made.settlement.results}
    assert (results[named].outcome, results[named].reason) == (Outcome.REFUSED, "address_syntax")
    assert {one.then for id, one in results.items() if id != named} == {Then.AGAIN}
    assert [len(group) for group in made.again] == [3]


def test_a_refusal_inside_a_taken_call_rejects_that_one_alone() -> None:
    named = UUID(int=100)
    made = ending(2, Reply(ReplyKind.TAKEN, 202, refused={named: Refusal("policy_refused", "no")}))
    assert [one.outcome for one in made.settlement.results] == [Outcome.REFUSED, Outcome.TAKEN]
    assert made.again == ()


def test_one_that_a_taken_call_puts_off_is_queued_alone() -> None:
    later = UUID(int=100)
    made = ending(2, Reply(ReplyKind.TAKEN, 200, later=frozenset({later})))
    assert [(one.outcome, one.then) for one in made.settlement.results] == [
        (Outcome.NOT_TAKEN, Then.QUEUED),
        (Outcome.TAKEN, Then.HANDED),
    ]
    assert made.settlement.results[0].retry_at is not None
    assert made.again == ()


def test_one_id_for_the_whole_call_is_kept_with_the_call() -> None:
    ids = dict.fromkeys(claims(3), "sg-1")
    made = ending(3, Reply(ReplyKind.TAKEN, 202, message_ids=ids))
    assert made.settlement.provider_message_id == "sg-1"
    assert {one.provider_message_id for one in made.settlement.results} == {None}


def test_an_id_for_each_copy_is_kept_with_its_hand_over() -> None:
    ids = {id: f"m-{id.int}" for id in claims(2)}
    made = ending(2, Reply(ReplyKind.TAKEN, 202, message_ids=ids))
    assert made.settlement.provider_message_id is None
    assert [one.provider_message_id for one in made.settlement.results] == ["m-100", "m-101"]


def test_the_wait_grows_with_the_tries_and_is_never_shorter_than_asked() -> None:
    first, fifth = (
        ending(1, Reply(ReplyKind.TRY_LATER), tries=tries).settlement.results[0].retry_at
        for tries in (0, 4)
    )
    asked = ending(1, Reply(ReplyKind.TRY_LATER, 429, retry_after_s=90)).settlement.results[0]
    assert first is not None
    assert fifth is not None
    assert asked.retry_at is not None
    assert NOW < first < fifth
    assert asked.retry_at >= NOW + timedelta(seconds=90)


def test_after_days_of_later_it_is_given_up() -> None:
    due_at = NOW - timedelta(hours=73)
    reply = Reply(ReplyKind.TRY_LATER, 451, body=b"451 later")
    (result,) = ending(1, reply, tries=30, due_at=due_at).settlement.results
    assert (result.outcome, result.reason, result.text) == (
        Outcome.REFUSED,
        "gave_up",
        "451 later",
    )


def test_an_old_mail_that_was_hardly_tried_is_not_given_up() -> None:
    due_at = NOW - timedelta(days=9)
    (result,) = ending(1, Reply(ReplyKind.TRY_LATER, 451), due_at=due_at).settlement.results
    assert result.then is Then.QUEUED


@pytest.mark.parametrize("kind", list(ReplyKind))
def test_who_is_given_an_id_of_his_own_is_taken_whatever_became_of_the_others(
    kind: ReplyKind,
) -> None:
    first, second, third = claims(3)
    made = ending(3, Reply(kind, message_ids={first: "one", second: "two"}))
    results = {one.handover_id: one for one in made.settlement.results}
    for id, message_id in ((first, "one"), (second, "two")):
        assert (results[id].outcome, results[id].then) == (Outcome.TAKEN, Then.HANDED)
        assert results[id].provider_message_id == message_id
    assert (results[third].outcome is Outcome.TAKEN) is (kind is ReplyKind.TAKEN)
    assert all(one.recipient == "p2@example.org" for group in made.again for one in group)
