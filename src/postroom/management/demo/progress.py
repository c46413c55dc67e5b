"""One line that tells how far a communication is, written over itself on a terminal."""

import sys
import time

from postroom.domain.delivery import Answer
from postroom.ledger.figures import Report

_LINE_EVERY_S = 1.0
_ERASE_LINE = "\r\x1b[K"


def open_questions(made: Report) -> int:
    """Deliveries without a final answer."""
    return made.answers[Answer.STILL_TRYING] + made.answers[Answer.NOT_KNOWN]


class Progress:
    """Shows one report after the other; where no terminal is, a line when something has moved."""

    def __init__(self) -> None:
        self._in_place = sys.stdout.isatty()
        self._shown = ""
        self._shown_at = 0.0

    def show(self, made: Report) -> None:
        """Shows where things stand."""
        self._show(_line(made), time.monotonic())

    def finish(self, made: Report) -> None:
        """Shows the last state for good."""
        self._shown_at = 0.0
        self.show(made)
        if self._in_place:
            print()

    def _show(self, line: str, now: float) -> None:
        if line == self._shown or (not self._in_place and now < self._shown_at + _LINE_EVERY_S):
            return
        self._shown, self._shown_at = line, now
        if self._in_place:
            print(f"{_ERASE_LINE}{line}", end="", flush=True)
        else:
            print(line, flush=True)


def _line(made: Report) -> str:
    figures = (
        ("accepted", made.recipients),
        ("handed over", made.handed_over),
        ("delivered", made.answers[Answer.DELIVERED]),
        ("not delivered", made.answers[Answer.NOT_DELIVERED]),
        ("not sent", made.answers[Answer.NOT_SENT]),
        ("open", open_questions(made)),
    )
    return "  ".join(f"{name} {count:,}" for name, count in figures)
