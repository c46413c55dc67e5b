"""Follows a communication until the truth of all its deliveries is known."""

import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from postroom.ledger import figures, handovers, receipts
from postroom.management.demo.progress import Progress, open_questions
from postroom.management.demo.truth import Comparison, compare
from postroom.simulator import truth

_LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where a communication ended."""

    report: figures.Report
    comparison: Comparison
    expected: int
    """Recipients that were submitted."""

    @property
    def good(self) -> bool:
        """Everybody is in one bucket, nothing is open, and the provider says the same."""
        return (
            self.report.balanced
            and self.report.recipients == self.expected
            and open_questions(self.report) == 0
            and self.comparison.pending == 0
            and not self.comparison.differences
        )


def watch(application_id: int, communication: str, expected: int, within_s: float) -> Outcome:
    """The outcome, once nothing is open and nothing more is to come; or when the time is over."""
    progress = Progress()
    deadline = time.monotonic() + within_s
    while True:
        outcome = _look(application_id, communication, expected)
        if _is_over(outcome) or time.monotonic() > deadline:
            progress.finish(outcome.report)
            return outcome
        progress.show(outcome.report)
        time.sleep(_LOOK_S)


def _look(application_id: int, communication: str, expected: int) -> Outcome:
    # The truth and what is unread first: what they miss can only make the ledger know more.
    told = truth.load(Path(settings.POSTROOM_DATA) / "truth.jsonl")
    unread = receipts.waiting()
    made = figures.report(application_id, communication)
    assert made is not None, "its message was accepted"  # noqa: S101 - for the type checker
    comparison = compare(handovers.of_communication(application_id, communication), told)
    comparison.pending += unread
    return Outcome(made, comparison, expected)


def _is_over(outcome: Outcome) -> bool:
    return open_questions(outcome.report) == 0 and outcome.comparison.pending == 0
