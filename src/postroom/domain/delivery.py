"""The life of a delivery: its stages, the facts heard about it, and the fold into a verdict.

Everything here is pure and total. The verdict is a function of the *set* of facts: two steps,
each a maximum over a total order, so that order, repetition and delay cannot change it and SQL
can answer the same question for a whole set of deliveries (`ledger/as_of.py`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from uuid import UUID


class Stage(StrEnum):
    """Where a delivery stands in our hands; moved only by guarded updates in the ledger."""

    ACCEPTED = "accepted"
    """Durable, not yet placed in the queue. Left at once for scheduled, held or queued."""
    SCHEDULED = "scheduled"
    """Waits for its `send_at`. Left when due, cancelled, held or expired."""
    HELD = "held"
    """Waits for a person or a rule, with the reason. Left by release, cancel or expiry."""
    QUEUED = "queued"
    """May be claimed by a sender once due."""
    SUBMITTING = "submitting"
    """Claimed under a lease. Left by the attempt's settlement or when the lease runs out."""
    HANDED = "handed"
    """An attempt is in play; the verdict speaks from here on."""
    SUPPRESSED = "suppressed"
    """End: a suppression stood against it before any attempt."""
    REJECTED = "rejected"
    """End: refused by us before any attempt (validation, policy, rendering)."""
    CANCELLED = "cancelled"
    """End: withdrawn before hand-over."""
    EXPIRED = "expired"
    """End: its `expires_at` passed before hand-over."""


class EventType(StrEnum):
    """What one event says, in the normal form that `postroom decode` prints."""

    ACCEPTED = "accepted"
    """The provider took responsibility."""
    DEFERRED = "deferred"
    """The receiver said later and the provider goes on trying."""
    DELIVERED = "delivered"
    """The recipient's server took the mail."""
    BOUNCED = "bounced"
    """Refused for good by the receiver, or given up by the provider."""
    REJECTED = "rejected"
    """Refused before any attempt at delivery, by the provider or (no hand-over) by us."""
    SUPPRESSED = "suppressed"
    """Not attempted because of a suppression, the provider's or (no hand-over) ours."""
    COMPLAINED = "complained"
    """The recipient reported it as unwanted."""
    OPENED = "opened"
    """Its tracking image was fetched, by a person or a machine."""
    CLICKED = "clicked"
    """One of its links was followed, by a person or a machine."""
    UNSUBSCRIBED = "unsubscribed"
    """The recipient asked for no more of this kind."""
    RESUBSCRIBED = "resubscribed"
    """The recipient took an unsubscribe back."""
    AUTO_REPLIED = "auto_replied"
    """A vacation notice or challenge came back; no failure."""
    REPLIED = "replied"
    """A person answered to the return path: the mail was read."""
    UNKNOWN = "unknown"
    """The provider said something this version has no row for; kept, decides nothing."""
    HELD = "held"
    """Ours: put on hold."""
    RELEASED = "released"
    """Ours: hold lifted."""
    CANCELLED = "cancelled"
    """Ours: withdrawn before hand-over."""
    EXPIRED = "expired"
    """Ours: too late to be useful before hand-over."""
    RESENT = "resent"
    """Ours: queued again in doubt; the copy that goes out next is a possible duplicate."""
    EXEMPTED = "exempted"
    """Ours: handed over in spite of a suppression: it is critical, or the one trial."""
    NOT_TAKEN = "not_taken"
    """Ours: proved that the provider did not take this hand-over."""
    WINDOW_PASSED = "window_passed"
    """Ours: no word within the window in which one was to be expected."""


class Verdict(StrEnum):
    """What became of a delivery once an attempt is in play."""

    SUBMITTING = "submitting"
    """An attempt has begun and its answer is not in."""
    SUBMITTED = "submitted"
    """The provider took responsibility."""
    DEFERRED = "deferred"
    """The receiver said later; the provider goes on trying."""
    INDETERMINATE = "indeterminate"
    """The talk with the provider ended without a known result."""
    UNCONFIRMED = "unconfirmed"
    """No word within the window; any later stronger event re-opens it."""
    DELIVERED = "delivered"
    """The recipient's server took it: not proof of inbox or reading."""
    BOUNCED = "bounced"
    """Refused for good, or given up."""
    REJECTED = "rejected"
    """Refused by the provider before any attempt at delivery."""
    SUPPRESSED = "suppressed"
    """Not attempted by the provider because of its suppression list."""


FINAL = (Verdict.DELIVERED, Verdict.BOUNCED, Verdict.REJECTED, Verdict.SUPPRESSED)
"""Verdicts after which no further word is waited for."""


class Answer(StrEnum):
    """The five answers people see."""

    DELIVERED = "delivered"
    STILL_TRYING = "still_trying"
    NOT_KNOWN = "not_known"
    NOT_DELIVERED = "not_delivered"
    NOT_SENT = "not_sent"


ANSWERS: dict[str, Answer] = {
    Stage.ACCEPTED: Answer.STILL_TRYING,
    Stage.SCHEDULED: Answer.STILL_TRYING,
    Stage.HELD: Answer.STILL_TRYING,
    Stage.QUEUED: Answer.STILL_TRYING,
    Stage.SUBMITTING: Answer.STILL_TRYING,
    Stage.CANCELLED: Answer.NOT_SENT,
    Stage.EXPIRED: Answer.NOT_SENT,
    Verdict.SUBMITTED: Answer.STILL_TRYING,
    Verdict.DEFERRED: Answer.STILL_TRYING,
    Verdict.INDETERMINATE: Answer.NOT_KNOWN,
    Verdict.UNCONFIRMED: Answer.NOT_KNOWN,
    Verdict.DELIVERED: Answer.DELIVERED,
    Verdict.BOUNCED: Answer.NOT_DELIVERED,
    Verdict.REJECTED: Answer.NOT_SENT,
    Verdict.SUPPRESSED: Answer.NOT_SENT,
}
"""Every state that people see, with its answer. `handed` is never seen: the verdict speaks."""


class Outcome(StrEnum):
    """How one hand-over ended as far as the provider's answer to the call tells."""

    TAKEN = "taken"
    """The provider took responsibility for this recipient."""
    NOT_TAKEN = "not_taken"
    """Certainly not taken; may be tried again."""
    REFUSED = "refused"
    """Refused for good, this recipient alone."""
    UNKNOWN = "unknown"
    """Cannot be told: time-out after the request was sent, crash, ambiguous error."""


class Grade(IntEnum):
    """The strength of a fact within one attempt; the greater word wins."""

    NONE = -1
    """Says nothing about the disposition."""
    BEGUN = 0
    UNKNOWN = 1
    NOT_TAKEN = 2
    """Proved not taken: the attempt drops out of the fold."""
    TAKEN = 3
    OPEN = 4
    """Deferred, or the window passed: the later by `received_at` speaks."""
    REFUSED = 5
    """Suppressed or rejected by the provider."""
    INFERRED = 6
    """Delivered, because something happened that only a delivered mail can cause."""
    DELIVERED = 7
    FAILED = 8
    """Refused for good or given up: a stranger's clock never turns it into a delivery."""


GRADES: dict[EventType, Grade] = {
    EventType.ACCEPTED: Grade.TAKEN,
    EventType.DEFERRED: Grade.OPEN,
    EventType.DELIVERED: Grade.DELIVERED,
    EventType.BOUNCED: Grade.FAILED,
    EventType.REJECTED: Grade.REFUSED,
    EventType.SUPPRESSED: Grade.REFUSED,
    EventType.COMPLAINED: Grade.INFERRED,
    EventType.OPENED: Grade.INFERRED,
    EventType.CLICKED: Grade.INFERRED,
    EventType.UNSUBSCRIBED: Grade.INFERRED,
    EventType.RESUBSCRIBED: Grade.NONE,
    EventType.AUTO_REPLIED: Grade.INFERRED,
    EventType.REPLIED: Grade.INFERRED,
    EventType.UNKNOWN: Grade.NONE,
    EventType.HELD: Grade.NONE,
    EventType.RELEASED: Grade.NONE,
    EventType.RESENT: Grade.NONE,
    EventType.EXEMPTED: Grade.NONE,
    EventType.CANCELLED: Grade.NONE,
    EventType.EXPIRED: Grade.NONE,
    EventType.NOT_TAKEN: Grade.NOT_TAKEN,
    EventType.WINDOW_PASSED: Grade.OPEN,
}

HUMAN_ONLY = frozenset({EventType.OPENED, EventType.CLICKED, EventType.UNSUBSCRIBED})
"""Types that a machine can cause: they imply a delivery only when known to be human."""

OUTCOMES: dict[Outcome, Grade] = {
    Outcome.TAKEN: Grade.TAKEN,
    Outcome.NOT_TAKEN: Grade.NOT_TAKEN,
    Outcome.REFUSED: Grade.REFUSED,
    Outcome.UNKNOWN: Grade.UNKNOWN,
}


def grade_of(type: EventType, machine: bool | None = None) -> Grade:
    """The grade of an event; `machine` is None where nobody can tell, which implies nothing."""
    if type in HUMAN_ONLY and machine is not False:
        return Grade.NONE
    return GRADES[type]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known about an attempt: an event, or the begin or the answer of the call itself."""

    handover_id: UUID
    """The hand-over it speaks of. Events without one do not enter the fold."""
    grade: Grade
    received_at: datetime
    """When it reached us; aware UTC. Never the stranger's clock."""
    key: bytes
    """Breaks ties: the event's digest, or empty for the call's own begin and answer."""
    verdict: Verdict
    """What the attempt amounts to when this fact is its word."""
    reason: str | None = None
    asynchronous: bool | None = None
    """Of a failure: True when reported after acceptance, False when in-band, None when unsaid."""


VERDICTS: dict[EventType, Verdict] = {
    EventType.ACCEPTED: Verdict.SUBMITTED,
    EventType.DEFERRED: Verdict.DEFERRED,
    EventType.DELIVERED: Verdict.DELIVERED,
    EventType.BOUNCED: Verdict.BOUNCED,
    EventType.REJECTED: Verdict.REJECTED,
    EventType.SUPPRESSED: Verdict.SUPPRESSED,
    EventType.COMPLAINED: Verdict.DELIVERED,
    EventType.OPENED: Verdict.DELIVERED,
    EventType.CLICKED: Verdict.DELIVERED,
    EventType.UNSUBSCRIBED: Verdict.DELIVERED,
    EventType.AUTO_REPLIED: Verdict.DELIVERED,
    EventType.REPLIED: Verdict.DELIVERED,
    EventType.NOT_TAKEN: Verdict.INDETERMINATE,
    EventType.WINDOW_PASSED: Verdict.UNCONFIRMED,
}
"""The verdict an event gives its attempt; types without a row carry no grade."""

OUTCOME_VERDICTS: dict[Outcome, Verdict] = {
    Outcome.TAKEN: Verdict.SUBMITTED,
    Outcome.NOT_TAKEN: Verdict.INDETERMINATE,
    Outcome.REFUSED: Verdict.REJECTED,
    Outcome.UNKNOWN: Verdict.INDETERMINATE,
}


@dataclass(frozen=True, slots=True)
class Folded:
    """What the facts amount to."""

    verdict: Verdict
    reason: str | None
    handover_id: UUID
    """The attempt that decides."""
    key: bytes
    """The digest of the deciding event; empty when the call's own answer decides."""
    after_acceptance: bool
    """Bounced after the receiving server had taken it."""
    conflicting_evidence: bool
    """Both delivered and refused in-band on one hand-over: shown and counted."""


def _strength(fact: Fact) -> tuple[Grade, datetime, bytes, Verdict, str, int]:
    """The total order within an attempt: no two different facts are equal in it."""
    unsaid_first = -1 if fact.asynchronous is None else int(fact.asynchronous)
    return (
        fact.grade,
        fact.received_at,
        fact.key,
        fact.verdict,
        fact.reason or "",
        unsaid_first,
    )


def _class(grade: Grade) -> int:
    """Delivered (2) before still open (1) before ended without delivery (0)."""
    if grade in (Grade.INFERRED, Grade.DELIVERED):
        return 2
    return 0 if grade in (Grade.REFUSED, Grade.FAILED) else 1


def fold(facts: Iterable[Fact]) -> Folded | None:
    """The verdict of one delivery from all facts of all its attempts, in any order.

    None when no attempt is in play: none was begun, or every one is proved not taken;
    the stage then speaks. The newest attempt is the one with the latest first fact
    (its begin), then the greater id.
    """
    attempts: dict[UUID, list[Fact]] = {}
    for fact in facts:
        if fact.grade is not Grade.NONE:
            attempts.setdefault(fact.handover_id, []).append(fact)
    words = [(max(said, key=_strength), said) for said in attempts.values()]
    in_play = [(word, said) for word, said in words if word.grade is not Grade.NOT_TAKEN]
    if not in_play:
        return None
    word, said = max(in_play, key=lambda pair: _precedence(*pair))
    return _folded(word, said)


def _precedence(word: Fact, said: list[Fact]) -> tuple[int, datetime, UUID]:
    return (_class(word.grade), min(fact.received_at for fact in said), word.handover_id)


def _folded(word: Fact, said: list[Fact]) -> Folded:
    failed = word.grade is Grade.FAILED
    delivered_too = failed and any(fact.grade is Grade.DELIVERED for fact in said)
    in_band = word.asynchronous is False
    return Folded(
        verdict=word.verdict,
        reason=word.reason,
        handover_id=word.handover_id,
        key=word.key,
        after_acceptance=failed and (word.asynchronous is True or (delivered_too and not in_band)),
        conflicting_evidence=delivered_too and in_band,
    )
