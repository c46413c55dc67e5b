"""The fold: any order, repetition and split give one verdict, and that is the one of the rules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import chain, product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import (
    ANSWERS,
    GRADES,
    OUTCOME_VERDICTS,
    OUTCOMES,
    VERDICTS,
    Answer,
    EventType,
    Fact,
    Folded,
    Grade,
    Outcome,
    Stage,
    Verdict,
    fold,
    grade_of,
)

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
OLDER, NEWER, THIRD = (UUID(int=n) for n in (1, 2, 3))

# What one attempt can hear, in words; each with its grade and the verdict that it stands for.
WORDS = {
    "nothing": (Grade.NONE, Verdict.DELIVERED),
    "begun": (Grade.BEGUN, Verdict.SUBMITTING),
    "unknown": (Grade.UNKNOWN, Verdict.INDETERMINATE),
    "not taken": (Grade.NOT_TAKEN, Verdict.INDETERMINATE),
    "taken": (Grade.TAKEN, Verdict.SUBMITTED),
    "deferred": (Grade.OPEN, Verdict.DEFERRED),
    "window passed": (Grade.OPEN, Verdict.UNCONFIRMED),
    "rejected": (Grade.REFUSED, Verdict.REJECTED),
    "suppressed": (Grade.REFUSED, Verdict.SUPPRESSED),
    "inferred": (Grade.INFERRED, Verdict.DELIVERED),
    "delivered": (Grade.DELIVERED, Verdict.DELIVERED),
    "failed": (Grade.FAILED, Verdict.BOUNCED),
}

# The rules for one attempt: the first line of which something was heard decides, and of
# several things in one line the latest.
STRONGEST_FIRST: list[dict[str, str | None]] = [
    {"failed": "bounced"},
    {"delivered": "delivered", "inferred": "delivered"},
    {"rejected": "rejected", "suppressed": "suppressed"},
    {"deferred": "deferred", "window passed": "unconfirmed"},
    {"taken": "submitted"},
    {"not taken": None},
    {"unknown": "indeterminate"},
    {"begun": "submitting"},
]

# The rules for several attempts: the first line with an attempt decides, and of several the newest.
BEST_FIRST = [
    {"delivered"},
    {"submitting", "submitted", "deferred", "unconfirmed", "indeterminate"},
    {"bounced", "rejected", "suppressed"},
]

# What people are told of each state (all but `handed`, which nobody sees).
TOLD = {
    "still_trying": "accepted scheduled held queued submitting submitted deferred",
    "not_known": "indeterminate unconfirmed",
    "delivered": "delivered",
    "not_delivered": "bounced",
    "not_sent": "rejected suppressed cancelled expired",
}


def facts_of(handover_id: UUID, words: Sequence[str], first: int = 0) -> list[Fact]:
    """One fact a word, a minute apart."""
    return [
        Fact(handover_id, *_grade_at(word, first + n), verdict=WORDS[word][1])
        for n, word in enumerate(words)
    ]


def _grade_at(word: str, minute: int) -> tuple[Grade, datetime, bytes]:
    return WORDS[word][0], NOON + timedelta(minutes=minute), word.encode()


def expected_of_attempt(words: Sequence[str]) -> str | None:
    """The attempt's verdict by the rules; None when it drops out or nothing was heard of it."""
    for line in STRONGEST_FIRST:
        heard = [word for word in words if word in line]
        if heard:
            return line[heard[-1]]
    return None


def expected(attempts: Sequence[Sequence[str]]) -> str | None:
    """The verdict by the rules; the attempts stand in the order of their age, oldest first."""
    verdicts = [expected_of_attempt(words) for words in attempts]
    for line in BEST_FIRST:
        found = [verdict for verdict in verdicts if verdict in line]
        if found:
            return found[-1]
    return None


def verdict_of(facts: Sequence[Fact]) -> str | None:
    """The folded verdict; None when no attempt is in play."""
    folded = fold(facts)
    return None if folded is None else str(folded.verdict)


def up_to(count: int) -> Iterator[tuple[str, ...]]:
    """All sequences of one to `count` words."""
    return chain.from_iterable(product(WORDS, repeat=n) for n in range(1, count + 1))


def test_one_attempt_follows_the_rules_whatever_three_things_are_heard_in_whatever_order() -> None:
    for words in up_to(3):
        assert verdict_of(facts_of(OLDER, words)) == expected([words]), words


def test_two_attempts_follow_the_rules_whatever_two_things_are_heard_of_each() -> None:
    for older, newer in product(up_to(2), up_to(2)):
        heard = ("begun", *older), ("begun", *newer)
        facts = facts_of(OLDER, heard[0]) + facts_of(NEWER, heard[1], first=1)
        assert verdict_of(facts) == expected(heard), heard


def test_the_newest_attempt_is_the_one_begun_last_not_the_one_heard_of_last() -> None:
    for older, newer in product(WORDS, WORDS):
        heard = ("begun", older), ("begun", newer)
        facts = facts_of(OLDER, heard[0]) + facts_of(NEWER, heard[1], first=-10)
        assert verdict_of(facts) == expected(heard[::-1]), heard


def test_of_two_attempts_begun_at_one_instant_the_greater_id_is_the_newer() -> None:
    facts = facts_of(NEWER, ["failed"]) + facts_of(OLDER, ["rejected"])
    assert verdict_of(facts) == "bounced"


words = st.sampled_from(sorted(WORDS))
facts = st.builds(
    lambda handover_id, word, minute, key, reason, asynchronous: Fact(
        handover_id,
        WORDS[word][0],
        NOON + timedelta(minutes=minute),
        key,
        WORDS[word][1],
        reason,
        asynchronous,
    ),
    st.sampled_from([OLDER, NEWER, THIRD]),
    words,
    st.integers(0, 2),
    st.sampled_from([b"", b"a"]),
    st.sampled_from([None, "mailbox_full", "gave_up"]),
    st.sampled_from([None, False, True]),
)
many = st.lists(facts, max_size=8)


@given(many, st.data())
def test_any_permutation_and_repetition_gives_the_same(
    heard: list[Fact], data: st.DataObject
) -> None:
    again = data.draw(st.lists(st.sampled_from(heard), max_size=5)) if heard else []
    assert fold(data.draw(st.permutations(heard + again))) == fold(heard)


def test_facts_that_differ_in_one_thing_only_have_an_order_too() -> None:
    (failed,) = facts_of(OLDER, ["failed"])
    variants = [
        replace(failed, asynchronous=asynchronous, reason=reason)
        for asynchronous, reason in product((None, False, True), (None, "gave_up"))
    ]
    for one, other in product(variants, variants):
        assert fold([one, other]) == fold([other, one])


@given(st.lists(many, max_size=4), st.data())
def test_any_split_into_batches_gives_the_same(
    batches: list[list[Fact]], data: st.DataObject
) -> None:
    ledger: set[Fact] = set()
    for batch in data.draw(st.permutations(batches)):
        ledger.update(batch)
    assert fold(ledger) == fold(chain.from_iterable(batches))


@given(many, facts)
def test_what_says_nothing_changes_nothing(heard: list[Fact], fact: Fact) -> None:
    assert fold([*heard, replace(fact, grade=Grade.NONE)]) == fold(heard)


@given(many, facts)
def test_a_failed_attempt_stays_failed_whatever_is_heard_of_it_later(
    heard: list[Fact], failure: Fact
) -> None:
    failed = replace(failure, grade=Grade.FAILED, verdict=Verdict.BOUNCED)
    same_attempt = [replace(fact, handover_id=failed.handover_id) for fact in heard]
    assert verdict_of([failed, *same_attempt]) == "bounced"


@given(many, many)
def test_a_delivery_is_lost_only_by_a_failure_of_the_same_attempt(
    heard: list[Fact], later: list[Fact]
) -> None:
    before = fold(heard)
    if before is not None and before.verdict is Verdict.DELIVERED:
        no_failures = [fact for fact in later if fact.grade is not Grade.FAILED]
        assert verdict_of(heard + no_failures) == "delivered"


@dataclass(frozen=True)
class Event:
    """An event as a provider tells it, with the clock of whoever stamped it."""

    type: EventType
    occurred_at: datetime
    received_at: datetime
    machine: bool | None
    asynchronous: bool | None

    def fact(self) -> Fact:
        """What enters the fold: the stamp is part of the fact's identity, and of nothing else."""
        return Fact(
            handover_id=OLDER,
            grade=grade_of(self.type, self.machine),
            received_at=self.received_at,
            key=sha256(f"{self.type} {self.occurred_at.isoformat()}".encode()).digest(),
            verdict=VERDICTS.get(self.type, Verdict.SUBMITTED),
            asynchronous=self.asynchronous,
        )

    def skewed(self, hours: int) -> "Event":
        """The same event, stamped by a clock that is wrong."""
        return replace(self, occurred_at=self.occurred_at + timedelta(hours=hours))


instants = st.integers(0, 2).map(lambda minute: NOON + timedelta(minutes=minute))
events = st.builds(
    Event,
    st.sampled_from(EventType),
    instants,
    instants,
    st.sampled_from([None, False, True]),
    st.sampled_from([None, False, True]),
)


@given(st.lists(st.tuples(events, st.integers(-36, 36)), max_size=6))
def test_a_wrong_clock_never_turns_not_delivered_into_delivered(
    told: list[tuple[Event, int]],
) -> None:
    right = verdict_of([event.fact() for event, _ in told])
    wrong = verdict_of([event.skewed(hours).fact() for event, hours in told])
    assert (right == "delivered") is (wrong == "delivered")
    assert (right == "bounced") is (wrong == "bounced")


def test_a_bounce_stamped_a_day_before_the_delivery_is_a_bounce() -> None:
    delivered = Event(EventType.DELIVERED, NOON, NOON, None, None)
    bounced = Event(EventType.BOUNCED, NOON, NOON + timedelta(seconds=9), None, True).skewed(-24)
    assert verdict_of([bounced.fact(), delivered.fact()]) == "bounced"


@pytest.mark.parametrize(
    ("heard", "asynchronous", "after_acceptance", "conflicting_evidence"),
    [
        (["failed"], None, False, False),
        (["failed"], False, False, False),
        (["failed"], True, True, False),
        (["delivered", "failed"], None, True, False),
        (["delivered", "failed"], True, True, False),
        (["delivered", "failed"], False, False, True),
        (["failed", "delivered"], None, True, False),
        (["failed", "delivered"], False, False, True),
        (["inferred", "failed"], None, False, False),
        (["inferred", "failed"], False, False, False),
        (["delivered"], None, False, False),
        (["delivered", "rejected"], None, False, False),
    ],
)
def test_delivered_and_failed_on_one_attempt_is_explained(
    heard: list[str],
    asynchronous: bool | None,
    after_acceptance: bool,
    conflicting_evidence: bool,
) -> None:
    told = [replace(fact, asynchronous=asynchronous) for fact in facts_of(OLDER, heard)]
    folded = known(fold(told))
    assert folded.after_acceptance is after_acceptance
    assert folded.conflicting_evidence is conflicting_evidence


def known(folded: Folded | None) -> Folded:
    """The result, which is there."""
    assert folded is not None
    return folded


def test_delivered_on_one_attempt_and_failed_on_another_is_no_conflict() -> None:
    folded = known(fold(facts_of(OLDER, ["failed"]) + facts_of(NEWER, ["delivered"], first=1)))
    assert (folded.verdict, folded.handover_id) == (Verdict.DELIVERED, NEWER)
    assert not folded.conflicting_evidence


def test_the_deciding_event_and_its_reason_are_named() -> None:
    (deferred,) = facts_of(OLDER, ["deferred"])
    folded = known(
        fold([*facts_of(OLDER, ["begun", "taken"]), replace(deferred, reason="greylisted")])
    )
    assert (folded.handover_id, folded.key, folded.reason) == (OLDER, b"deferred", "greylisted")


def test_nothing_in_play_has_no_verdict() -> None:
    assert fold([]) is None
    assert fold(facts_of(OLDER, ["begun", "unknown", "not taken"])) is None


@pytest.mark.parametrize("event_type", EventType)
@pytest.mark.parametrize("machine", [None, False, True])
def test_every_event_has_a_grade_and_a_verdict_when_it_has_one(
    event_type: EventType, machine: bool | None
) -> None:
    grade = grade_of(event_type, machine)
    if grade is not Grade.NONE:
        assert (grade, VERDICTS[event_type]) in WORDS.values()


def test_only_what_a_person_did_implies_a_delivery() -> None:
    for event_type in (EventType.OPENED, EventType.CLICKED, EventType.UNSUBSCRIBED):
        assert grade_of(event_type, machine=False) is Grade.INFERRED
        assert grade_of(event_type, machine=True) is Grade.NONE
        assert grade_of(event_type) is Grade.NONE
    for event_type in (EventType.COMPLAINED, EventType.AUTO_REPLIED):
        assert grade_of(event_type) is Grade.INFERRED


def test_what_decides_nothing_has_no_grade() -> None:
    ungraded = {event_type for event_type in EventType if GRADES[event_type] is Grade.NONE}
    assert ungraded == set(EventType) - set(VERDICTS)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_of_a_call_is_a_word(outcome: Outcome) -> None:
    assert (OUTCOMES[outcome], OUTCOME_VERDICTS[outcome]) in WORDS.values()


def test_every_state_has_exactly_one_answer_and_handed_none() -> None:
    told = {state: answer for answer, states in TOLD.items() for state in states.split()}
    assert {str(state): str(answer) for state, answer in ANSWERS.items()} == told
    assert {*Stage, *Verdict} - set(ANSWERS) == {Stage.HANDED}
    assert set(ANSWERS.values()) == set(Answer)
