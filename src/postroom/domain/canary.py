"""A canary: a part of a communication goes first, and what comes of it decides about the rest."""

import math
from dataclasses import dataclass
from enum import StrEnum

CHOSEN_MIN, CHOSEN_MAX = 20, 1000
"""Fewer say nothing about a list; more say nothing more."""
ANSWERED = 0.95
"""When this part of the chosen has a final word, no more is waited for."""
ANSWERED_MIN = 0.5
"""When the time is over and fewer have one, the rest goes on waiting, for a person."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What was asked for."""

    share: float
    """Of the recipients that go first; above 0, below 1."""
    wait_s: float
    """How long their answers are waited for, from the last hand-over on."""
    bounces_max: float
    """Share of failures among the chosen above which the rest stays."""
    complaints_max: float


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of the chosen so far."""

    chosen: int
    """Without those that were never to be sent, or not any more."""
    handed: int
    """Of these: not waiting in the house any more."""
    final: int
    """With a final word."""
    failed: int
    """Bounced, or refused by the provider."""
    complained: int
    since_s: float
    """Since the last of them was handed over; 0 while not all are."""


class Decision(StrEnum):
    """What becomes of the rest."""

    WAIT = "wait"
    GO = "go"
    STOP = "stop"


def chosen(recipients: int, plan: Plan) -> int:
    """How many of so many go first; all of them where the list is short."""
    wanted = max(CHOSEN_MIN, math.ceil(recipients * plan.share))
    return min(recipients, CHOSEN_MAX, wanted)


def decide(plan: Plan, seen: Seen) -> tuple[Decision, str]:
    """What becomes of the rest by now, and why, in a sentence."""
    if seen.chosen == 0:
        return Decision.STOP, "none of those that were to go first was sent"
    for count, most, what in (
        (seen.failed, plan.bounces_max, "failed"),
        (seen.complained, plan.complaints_max, "complained"),
    ):
        if count > most * seen.chosen:
            why = f"{count} of {seen.chosen} {what}, at most {most:.2%} may"
            return Decision.STOP, why
    if seen.final >= ANSWERED * seen.chosen:
        return Decision.GO, f"{seen.final} of {seen.chosen} are answered"
    if seen.handed < seen.chosen or seen.since_s < plan.wait_s:
        return Decision.WAIT, f"{seen.final} of {seen.chosen} are answered"
    if seen.final >= ANSWERED_MIN * seen.chosen:
        return Decision.GO, f"the time is over, {seen.final} of {seen.chosen} are answered"
    return Decision.STOP, f"the time is over and only {seen.final} of {seen.chosen} are answered"
