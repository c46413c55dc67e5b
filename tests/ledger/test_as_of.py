"""What SQL says was known at an instant is what the fold says of the facts recorded by then."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest

from postroom.domain.delivery import (
    ANSWERS,
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
from postroom.ledger import figures, partitions, reading
from postroom.ledger.copying import copy_rows
from postroom.ledger.db import Connection, transaction
from postroom.ledger.ids import uuid7, uuid7_batch, uuid7_like
from tests.ledger import making

NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=2)
MINUTES = 12
"""Few different instants, so that ties are common."""

HEARD = (
    EventType.ACCEPTED,
    EventType.DEFERRED,
    EventType.DELIVERED,
    EventType.BOUNCED,
    EventType.REJECTED,
    EventType.SUPPRESSED,
    EventType.COMPLAINED,
    EventType.OPENED,
    EventType.CLICKED,
    EventType.AUTO_REPLIED,
    EventType.UNKNOWN,
    EventType.OUTCOME_UNKNOWN,
    EventType.NOT_TAKEN,
    EventType.WINDOW_PASSED,
)
OURS = (
    EventType.HELD,
    EventType.RELEASED,
    EventType.CANCELLED,
    EventType.EXPIRED,
    EventType.SUPPRESSED,
    EventType.REJECTED,
)


@dataclass
class Heard:
    """An event with its two clocks of ours."""

    type: EventType
    digest: bytes
    received_at: datetime
    recorded_at: datetime
    handover_id: UUID | None = None
    reason: str | None = None
    machine: bool | None = None
    asynchronous: bool | None = None

    @property
    def grade(self) -> Grade:
        return Grade.NONE if self.handover_id is None else grade_of(self.type, self.machine)

    @property
    def verdict(self) -> Verdict | None:
        return None if self.grade is Grade.NONE else VERDICTS[self.type]

    @property
    def text(self) -> str:
        return self.digest.hex()


@dataclass
class Call:
    """A hand-over, with its own answer or that of the whole call."""

    id: UUID
    attempt_id: UUID
    begun_at: datetime
    own: tuple[Outcome, datetime] | None
    whole: tuple[Outcome, datetime] | None
    reason: str | None

    @property
    def answer(self) -> tuple[Outcome, datetime] | None:
        return self.own or self.whole

    @property
    def text(self) -> str:
        return str(self.id)


@dataclass
class Told:
    """A delivery with all that was ever recorded of it."""

    id: UUID
    key: str
    calls: list[Call] = field(default_factory=list)
    heard: list[Heard] = field(default_factory=list)


@dataclass(frozen=True)
class State:
    """What people see."""

    state: str
    reason: str | None
    text: str | None
    after_acceptance: bool = False
    conflicting_evidence: bool = False


def minute(dice: Random, least: int = 0) -> datetime:
    return NOON + timedelta(minutes=dice.randint(least, MINUTES))


def told(dice: Random, id: UUID, number: int) -> Told:
    one = Told(id, f"person{number % 40}@example.com")
    one.calls = [call(dice, id) for _ in range(dice.choice((0, 0, 1, 1, 1, 2, 3)))]
    one.heard = [heard(dice, one) for _ in range(dice.randint(0, 5)) if one.calls]
    one.heard += [said_by_us(dice) for _ in range(dice.choice((0, 0, 0, 1, 2)))]
    dice.shuffle(one.heard)
    return one


def call(dice: Random, delivery_id: UUID) -> Call:
    begun_at = minute(dice)

    def answer(chance: float) -> tuple[Outcome, datetime] | None:
        later = begun_at + timedelta(minutes=dice.randint(0, 3))
        return (dice.choice(list(Outcome)), later) if dice.random() < chance else None

    own = answer(0.3)
    reason = dice.choice((None, "provider_refused"))
    return Call(uuid7_like(delivery_id), uuid7(begun_at), begun_at, own, answer(0.8), reason)


def heard(dice: Random, one: Told) -> Heard:
    received_at = minute(dice)
    return Heard(
        dice.choice(HEARD),
        dice.randbytes(16),
        received_at,
        received_at + timedelta(minutes=dice.choice((0, 0, 1, 4))),
        dice.choice(one.calls).id,
        dice.choice((None, "gave_up", "address_unknown")),
        dice.choice((None, True, False)),
        dice.choice((None, True, False)),
    )


def said_by_us(dice: Random) -> Heard:
    at = minute(dice)
    return Heard(dice.choice(OURS), dice.randbytes(16), at, at, reason=dice.choice((None, "asked")))


def facts(one: Told, at: datetime) -> list[Fact]:
    """What was recorded of the attempts by the instant."""
    known: list[Fact] = []
    for each in one.calls:
        if each.begun_at <= at:
            known.append(Fact(each.id, Grade.BEGUN, each.begun_at, b"", Verdict.SUBMITTING))
        if each.answer and each.answer[1] <= at:
            said, then = each.answer
            known.append(
                Fact(each.id, OUTCOMES[said], then, b"", OUTCOME_VERDICTS[said], each.reason)
            )
    for event in one.heard:
        if event.verdict and event.handover_id and event.recorded_at <= at:
            known.append(
                Fact(
                    event.handover_id,
                    event.grade,
                    event.received_at,
                    event.digest,
                    event.verdict,
                    event.reason,
                    event.asynchronous,
                )
            )
    return known


def expected(one: Told, at: datetime, send_at: datetime | None) -> State:
    """The state by the rules: the verdict, else our own last word, else its place in the queue."""
    folded = fold(facts(one, at))
    if folded is not None:
        return State(
            folded.verdict,
            folded.reason,
            deciding_text(one, folded),
            folded.after_acceptance,
            folded.conflicting_evidence,
        )
    ours = [event for event in one.heard if event.handover_id is None and event.recorded_at <= at]
    if ours and ours[-1].type is not EventType.RELEASED:
        return State(ours[-1].type, ours[-1].reason, ours[-1].text)
    waits = send_at is not None and send_at > at
    return State(Stage.SCHEDULED if waits else Stage.QUEUED, None, None)


def deciding_text(one: Told, folded: Folded) -> str | None:
    if folded.key:
        return folded.key.hex()
    return None if folded.verdict is Verdict.SUBMITTING else str(folded.handover_id)


def write(conn: Connection, message_id: UUID, everything: Sequence[Told]) -> None:
    application_id, communication_id, account_id = conn.execute(
        "SELECT application_id, communication_id, (SELECT min(id) FROM account)"
        "  FROM message WHERE id = %s",
        (message_id,),
    ).fetchall()[0]
    copy_rows(
        conn,
        "delivery",
        (
            "id",
            "message_id",
            "application_id",
            "communication_id",
            "simulated",
            "lane",
            "recipient",
            "recipient_key",
            "stage",
            "due_at",
            "changed_at",
            "local_events",
        ),  # fmt: skip
        (
            (
                one.id,
                message_id,
                application_id,
                communication_id,
                True,
                1,
                one.key,
                one.key,
                "queued",
                NOON,
                NOON,
                sum(event.handover_id is None for event in one.heard),
            )  # fmt: skip
            for one in everything
        ),
    )
    write_calls(conn, message_id, account_id, [call for one in everything for call in one.calls])
    copy_rows(
        conn,
        "handover",
        (
            "id",
            "delivery_id",
            "attempt_id",
            "account_id",
            "fence",
            "begun_at",
            "outcome",
            "settled_at",
            "reason",
            "reason_text",
            "request_start",
            "request_length",
        ),  # fmt: skip
        (
            (
                call.id,
                one.id,
                call.attempt_id,
                account_id,
                1,
                call.begun_at,
                *(call.own or (None, None)),
                call.reason,
                call.text,
                0,
                0,
            )  # fmt: skip
            for one in everything
            for call in one.calls
        ),
    )
    copy_rows(
        conn,
        "event",
        (
            "delivery_id",
            "digest",
            "handover_id",
            "account_id",
            "provider_type",
            "diagnostic",
            "received_at",
            "recorded_at",
            "basis",
            "type",
            "grade",
            "verdict",
            "reason",
            "machine",
            "asynchronous",
            "rules",
        ),  # fmt: skip
        (
            (
                one.id,
                event.digest,
                event.handover_id,
                event.handover_id and account_id,
                "",
                event.text,
                event.received_at,
                event.recorded_at,
                "handover_id" if event.handover_id else "local",
                event.type,
                int(event.grade),
                event.verdict,
                event.reason,
                event.machine,
                event.asynchronous,
                1,
            )  # fmt: skip
            for one in everything
            for event in one.heard
        ),
    )


def write_calls(conn: Connection, message_id: UUID, account_id: int, calls: Sequence[Call]) -> None:
    copy_rows(
        conn,
        "attempt",
        (
            "id",
            "message_id",
            "account_id",
            "road",
            "recipients",
            "begun_at",
            "outcome",
            "ended_at",
            "request_segments",
        ),  # fmt: skip
        (
            (
                call.attempt_id,
                message_id,
                account_id,
                "sendgrid",
                1,
                call.begun_at,
                *(call.whole or (None, None)),
                b"",
            )  # fmt: skip
            for call in calls
        ),
    )


@dataclass
class Occasion:
    """A communication of one message, accepted at noon, with random facts about it."""

    application_id: int
    deliveries: list[Told]
    send_at: datetime | None


def occasion(dice: Random, count: int = 250) -> Occasion:
    partitions.ensure(NOON)
    making.account()
    application_id = making.application()
    ids = uuid7_batch(NOON, count + 1)
    deliveries = [told(dice, id, number) for number, id in enumerate(ids[1:])]
    send_at = dice.choice((None, NOON + timedelta(minutes=5)))
    with transaction() as conn:
        communication_id = conn.execute(
            "INSERT INTO communication (application_id, name) VALUES (%s, 'news') RETURNING id",
            (application_id,),
        ).fetchall()[0][0]
        conn.execute(
            "INSERT INTO message (id, application_id, communication_id, door, simulated, lane,"
            "       from_address, subject, on_doubt, recipients, duplicates, submission_digest,"
            "       accepted_at, send_at)"
            " VALUES (%s, %s, %s, 'http', true, 1, 'a@b.example', 'News', 'hold', %s, 3, '',"
            "         %s, %s)",
            (ids[0], application_id, communication_id, count, NOON, send_at),
        )
        write(conn, ids[0], deliveries)
    return Occasion(application_id, deliveries, send_at)


def instants() -> list[datetime]:
    """On every minute, where facts lie, and between them."""
    halves = range(2 * (MINUTES + 8))
    return [NOON + timedelta(seconds=30 * half) for half in halves]


@pytest.mark.parametrize("seed", range(4))
def test_each_delivery_is_known_as_the_fold_of_what_was_recorded_by_then(
    ledger: None, seed: int
) -> None:
    made = occasion(Random(seed))
    for at in instants():
        found = reading.find(reading.Wanted(communication="news"), limit=1000, as_of=at)
        assert found.as_of == at
        got = {
            one.id: State(
                one.state,
                one.reason,
                one.reason_text,
                one.after_acceptance,
                one.conflicting_evidence,
            )
            for one in found.items
        }
        assert got == {one.id: expected(one, at, made.send_at) for one in made.deliveries}


@pytest.mark.parametrize("seed", range(4))
def test_a_report_as_of_an_instant_counts_the_same_states(ledger: None, seed: int) -> None:
    made = occasion(Random(seed))
    for at in instants():
        report = figures.report(made.application_id, "news", as_of=at)
        assert report is not None
        states = {one.id: expected(one, at, made.send_at) for one in made.deliveries}
        assert +Counter(report.states) == Counter(one.state for one in states.values())
        assert Counter(report.reasons) == Counter(
            one.reason for one in states.values() if one.reason is not None
        )
        assert +Counter(report.people) == best_answers(
            made, {i: s.state for i, s in states.items()}
        )
        assert report.recipients == len(made.deliveries)
        assert report.balanced


def best_answers(made: Occasion, states: dict[UUID, str]) -> Counter[str]:
    ranks = list(Answer)
    people: dict[str, int] = {}
    for one in made.deliveries:
        rank = ranks.index(ANSWERS[states[one.id]])
        people[one.key] = min(rank, people.get(one.key, rank))
    return Counter(str(ranks[rank]) for rank in people.values())


def test_before_acceptance_nothing_is_known_and_the_report_is_empty(ledger: None) -> None:
    made = occasion(Random(1), 10)
    before = NOON - timedelta(minutes=1)
    assert reading.find(reading.Wanted(communication="news"), limit=10, as_of=before).items == []
    report = figures.report(made.application_id, "news", as_of=before)
    assert report is not None
    assert (report.recipients, report.duplicates, report.simulated) == (0, 0, True)
    assert report.balanced


def test_an_instant_to_come_is_answered_as_of_what_is_certainly_recorded(ledger: None) -> None:
    made = occasion(Random(1), 10)
    asked_at = datetime.now(UTC)
    report = figures.report(made.application_id, "news", as_of=asked_at + timedelta(days=1))
    assert report is not None
    assert asked_at <= report.as_of <= datetime.now(UTC)


def test_the_horizon_lies_before_every_open_transaction(ledger: None) -> None:
    made = occasion(Random(1), 10)
    with transaction() as writer:
        began_at = writer.execute("SELECT now()").fetchall()[0][0]
        writer.execute("INSERT INTO tally VALUES ('test', '', 1)")
        report = figures.report(made.application_id, "news", as_of=datetime.now(UTC))
        assert report is not None
        assert report.as_of == began_at
