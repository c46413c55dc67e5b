"""The demo says no when ledger and provider do not agree, and does not say yes too early."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from postroom.ledger.figures import Report
from postroom.ledger.handovers import HandedDelivery
from postroom.management.demo.truth import Comparison, compare
from postroom.management.demo.watching import Outcome
from postroom.simulator.copies import Copy
from postroom.simulator.steps import Step, What
from postroom.simulator.truth import Fact, TakenCopy, Truth

HANDOVER = UUID("019a5f0e-7a50-7d10-8f3e-0e5c6a7b8c9d")
RESENT = UUID("019a5f0e-7a50-7d11-b1c2-3d4e5f607182")


def taken(handover: UUID, *events: str, steps: int | None = None) -> TakenCopy:
    """A copy to which these events happened, out of `steps`; None: these are all."""
    copy = Copy(
        face="sendgrid",
        message_id=f"m-{handover}",
        number=0,
        door="http",
        recipient="ann@corp.example",
        sender="prices@corp.example",
        to=("ann@corp.example",),
        cc=(),
        digest="",
        header_message_id="",
        taken_at=0.0,
        starts_at=0.0,
        seed=1,
        handover=str(handover),
    )
    facts = [Fact(0.0, f"batch-{event}", Step(What(event), 0.0)) for event in events]
    return TakenCopy(copy, len(facts) if steps is None else steps, facts)


def truth(*copies: TakenCopy, heard: bool = True) -> Truth:
    """The log that tells of these copies."""
    batches = {fact.batch for copy in copies for fact in copy.facts if fact.batch}
    return Truth({copy.copy.id: copy for copy in copies}, batches if heard else set())


def delivery(state: str, *handovers: UUID) -> HandedDelivery:
    """What the ledger says of one delivery."""
    return HandedDelivery("ann@corp.example", state, handovers)


@pytest.mark.parametrize(
    ("state", "events"),
    [
        ("delivered", ["accepted", "delivered"]),
        ("delivered", ["accepted", "deferred", "delivered", "opened", "clicked"]),
        ("bounced", ["accepted", "bounced"]),
        ("bounced", ["accepted", "delivered", "bounced"]),
        ("suppressed", ["dropped"]),
    ],
)
def test_a_delivery_that_ended_as_the_provider_says_is_right(state: str, events: list[str]) -> None:
    made = compare([delivery(state, HANDOVER)], truth(taken(HANDOVER, *events)))
    assert made == Comparison(taken=1)


@pytest.mark.parametrize(
    ("state", "events"),
    [
        ("delivered", ["accepted", "delivered", "bounced"]),
        ("bounced", ["accepted", "delivered"]),
        ("submitted", ["accepted", "delivered"]),
        ("unconfirmed", ["accepted", "bounced"]),
    ],
)
def test_a_delivery_that_ended_otherwise_is_a_difference(state: str, events: list[str]) -> None:
    made = compare([delivery(state, HANDOVER)], truth(taken(HANDOVER, *events)))
    assert len(made.differences) == 1
    assert state in made.differences[0]


def test_two_copies_for_one_person_are_a_difference() -> None:
    copies = (taken(HANDOVER, "delivered"), taken(RESENT, "delivered"))
    made = compare([delivery("delivered", HANDOVER, RESENT)], truth(*copies))
    assert made.differences == ["ann@corp.example was sent 2 copies."]


def test_a_delivery_that_nobody_took_is_right_only_as_not_sent() -> None:
    assert compare([delivery("rejected", HANDOVER)], truth()) == Comparison()
    assert compare([delivery("delivered", HANDOVER)], truth()).differences


def test_what_has_not_happened_or_was_not_told_yet_is_pending() -> None:
    under_way = taken(HANDOVER, "accepted", steps=2)
    assert compare([delivery("submitted", HANDOVER)], truth(under_way)).pending == 1
    untold = truth(taken(HANDOVER, "accepted", "delivered"), heard=False)
    assert compare([delivery("submitted", HANDOVER)], untold).pending == 1


def report(**answers: int) -> Report:
    """A report with these answers, every delivery in one state."""
    made = Report("sandbox", "price-change", True, datetime(2026, 11, 24, tzinfo=UTC), 1)
    made.answers |= answers
    made.recipients = made.states["delivered"] = sum(answers.values())
    return made


def test_the_outcome_is_good_only_when_everything_is() -> None:
    right = report(delivered=9, not_delivered=1)
    assert Outcome(right, Comparison(10), 10).good
    assert not Outcome(right, Comparison(10), 11).good, "one recipient is missing"
    assert not Outcome(right, Comparison(10, pending=1), 10).good
    assert not Outcome(right, Comparison(10, differences=["ann"]), 10).good
    assert not Outcome(report(delivered=9, not_known=1), Comparison(10), 10).good
    unbalanced = report(delivered=9, not_delivered=1)
    unbalanced.states["delivered"] -= 1
    assert not Outcome(unbalanced, Comparison(10), 10).good
