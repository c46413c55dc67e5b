"""Deliveries with random facts about them, and what the rules say was known of each when."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

from postroom.domain.delivery import (
    OUTCOME_VERDICTS,
    OUTCOMES,
    VERDICTS,
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
from postroom.ledger import partitions
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
    return known + [
        Fact(
            event.handover_id,
            event.grade,
            event.received_at,
            event.digest,
            event.verdict,
            event.reason,
            event.asynchronous,
        )
        for event in one.heard
        if event.verdict and event.handover_id and event.recorded_at <= at
    ]


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


DELIVERY = (
    "id", "message_id", "application_id", "communication_id", "simulated", "lane", "recipient",
    "recipient_key", "stage", "due_at", "changed_at", "local_events",
)  # fmt: skip
ATTEMPT = (
    "id", "message_id", "account_id", "road", "recipients", "begun_at", "outcome", "ended_at",
    "request_segments",
)  # fmt: skip
HANDOVER = (
    "id", "delivery_id", "attempt_id", "account_id", "fence", "begun_at", "outcome", "settled_at",
    "reason", "reason_text", "request_start", "request_length",
)  # fmt: skip
EVENT = (
    "delivery_id", "digest", "handover_id", "account_id", "provider_type", "diagnostic",
    "received_at", "recorded_at", "basis", "type", "grade", "verdict", "reason", "machine",
    "asynchronous", "rules",
)  # fmt: skip


@dataclass(frozen=True)
class Owners:
    """To whom the rows belong."""

    message_id: UUID
    application_id: int
    communication_id: int
    account_id: int

    def delivery(self, one: Told) -> tuple[object, ...]:
        ours = sum(event.handover_id is None for event in one.heard)
        return (
            one.id, self.message_id, self.application_id, self.communication_id, True, 1, one.key,
            one.key, "queued", NOON, NOON, ours,
        )  # fmt: skip

    def attempt(self, call: Call) -> tuple[object, ...]:
        outcome, ended_at = call.whole or (None, None)
        return (
            call.attempt_id, self.message_id, self.account_id, "sendgrid", 1, call.begun_at,
            outcome, ended_at, b"",
        )  # fmt: skip

    def handover(self, one: Told, call: Call) -> tuple[object, ...]:
        outcome, settled_at = call.own or (None, None)
        return (
            call.id, one.id, call.attempt_id, self.account_id, 1, call.begun_at, outcome,
            settled_at, call.reason, call.text, 0, 0,
        )  # fmt: skip

    def event(self, one: Told, event: Heard) -> tuple[object, ...]:
        account_id = self.account_id if event.handover_id else None
        basis = "handover_id" if event.handover_id else "local"
        return (
            one.id, event.digest, event.handover_id, account_id, "", event.text,
            event.received_at, event.recorded_at, basis, event.type, int(event.grade),
            event.verdict, event.reason, event.machine, event.asynchronous, 1,
        )  # fmt: skip


def write(conn: Connection, owners: Owners, everything: Sequence[Told]) -> None:
    """Fills the tables with all that was ever recorded."""
    calls = [(one, call) for one in everything for call in one.calls]
    events = [(one, event) for one in everything for event in one.heard]
    copy_rows(conn, "delivery", DELIVERY, map(owners.delivery, everything))
    copy_rows(conn, "attempt", ATTEMPT, (owners.attempt(call) for _, call in calls))
    copy_rows(conn, "handover", HANDOVER, (owners.handover(*pair) for pair in calls))
    copy_rows(conn, "event", EVENT, (owners.event(*pair) for pair in events))


@dataclass
class Occasion:
    """A communication of one message, accepted at noon, with random facts about it."""

    application_id: int
    deliveries: list[Told]
    send_at: datetime | None


def occasion(seed: int, count: int = 250) -> Occasion:
    """A ledger with one message of `count` deliveries, and facts at random about each."""
    dice = Random(seed)
    partitions.ensure(NOON)
    account_id = making.account()
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
        owners = Owners(ids[0], application_id, communication_id, account_id)
        write(conn, owners, deliveries)
    return Occasion(application_id, deliveries, send_at)


def instants() -> list[datetime]:
    """On every minute, where facts lie, and between them."""
    halves = range(2 * (MINUTES + 8))
    return [NOON + timedelta(seconds=30 * half) for half in halves]
