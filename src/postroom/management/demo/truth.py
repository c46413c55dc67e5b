"""Holds the ledger against the simulator's own log, delivery by delivery."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from postroom.domain.delivery import ANSWERS, Answer
from postroom.ledger.handovers import HandedDelivery
from postroom.simulator.steps import What
from postroom.simulator.truth import TakenCopy, Truth

MEANS = {
    What.ACCEPTED: Answer.STILL_TRYING,
    What.DEFERRED: Answer.STILL_TRYING,
    What.DELIVERED: Answer.DELIVERED,
    What.BOUNCED: Answer.NOT_DELIVERED,
    What.DROPPED: Answer.NOT_SENT,
}
"""The answer to be given when the provider's last word about a mail is this."""


@dataclass(slots=True)
class Comparison:
    """What came of it."""

    taken: int = 0
    """Deliveries of which the simulator took exactly one copy."""
    pending: int = 0
    """Those of them about which not everything has happened and been told yet."""
    differences: list[str] = field(default_factory=list)
    """One sentence for each delivery about which the two do not agree."""


def compare(deliveries: Iterable[HandedDelivery], truth: Truth) -> Comparison:
    """Compares every delivery; of those still pending nothing is asserted."""
    made = Comparison()
    taken = truth.by_handover()
    for delivery in deliveries:
        copies = [copy for id in delivery.handovers for copy in taken.get(str(id), ())]
        if len(copies) == 1:
            _compare_one(made, delivery, copies[0], truth)
        elif copies:
            made.differences.append(f"{delivery.recipient} was sent {len(copies)} copies.")
        elif ANSWERS[delivery.state] is not Answer.NOT_SENT:
            made.differences.append(
                f"{delivery.recipient} is {delivery.state}, and no provider took it."
            )
    return made


def _compare_one(made: Comparison, delivery: HandedDelivery, copy: TakenCopy, truth: Truth) -> None:
    made.taken += 1
    last = copy.final
    if last is None or not copy.complete or not all(map(truth.told, copy.facts)):
        made.pending += 1
    elif ANSWERS[delivery.state] is not MEANS[last.what]:
        made.differences.append(
            f"{delivery.recipient} is {delivery.state}; the provider's last word was {last.what}."
        )
