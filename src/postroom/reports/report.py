"""`postroom report`: what a communication achieved, as a table that adds up."""

from collections.abc import Iterator
from typing import Any

from postroom.domain.delivery import ANSWERS, Answer
from postroom.domain.forecast import Forecast
from postroom.ledger.figures import Report
from postroom.reports import report_shapes
from postroom.reports.forecast import SENTENCES
from postroom.reports.sentences import advice, moment
from postroom.reports.terminal import columns, wrapped

NAMES = {
    Answer.DELIVERED: "Delivered",
    Answer.STILL_TRYING: "Still trying",
    Answer.NOT_KNOWN: "Not known yet",
    Answer.NOT_DELIVERED: "Not delivered",
    Answer.NOT_SENT: "Not sent",
}
"""The five answers, as people read them."""


def as_json(made: Report, expected: Forecast | None = None) -> dict[str, Any]:
    """The same object as `GET /v1/communications/{name}/report` answers."""
    shown = report_shapes.report(made)
    if expected is not None:
        shown["forecast"] = report_shapes.forecast(expected)
    return report_shapes.Report.model_validate(shown).model_dump(mode="json")


def as_text(made: Report, expected: Forecast | None = None) -> str:
    """The report for a person."""
    return "\n".join(
        [
            f"{made.communication} ({made.application}{', simulated' if made.simulated else ''})",
            f"as known on {moment(made.as_of)}, by rules {made.rules}",
            "",
            *columns(list(_table(made)), frozenset({1, 2, 3})),
            *_reasons(made),
            *_engagement(made),
            "",
            *_expected(expected),
            *_closing(made),
        ]
    )


def _table(made: Report) -> Iterator[tuple[str, str, str, str]]:
    yield "", "deliveries", "share", "people"
    for answer, name in NAMES.items():
        count = made.answers[answer]
        yield name, f"{count:,}", _share(count, made.recipients), f"{made.people[answer]:,}"
        states = [state for state, given in ANSWERS.items() if given is answer]
        for state in states:
            if made.states[state] and made.states[state] != count:
                yield f"    {state}", f"{made.states[state]:,}", "", ""
    total, people = sum(made.answers.values()), sum(made.people.values())
    yield "", "-" * len(f"{total:,}"), "", "-" * len(f"{people:,}")
    yield "Sum", f"{total:,}", "", f"{people:,}"
    yield "Recipients at acceptance", f"{made.recipients:,}", "", ""


def _share(count: int, whole: int) -> str:
    return f"{count / whole:.1%}" if whole else ""


def _reasons(made: Report) -> Iterator[str]:
    """Why not, the most frequent first, each with its advice."""
    ranked = sorted(made.reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    if ranked:
        yield from ("", "Why")
        width = len(f"{ranked[0][1]:,}")
        for reason, count in ranked:
            yield f"  {count:>{width},}  {reason}"
            yield wrapped(advice(reason) or "", indent=width + 4)


def _engagement(made: Report) -> Iterator[str]:
    """Opened and clicked, by people and by whom else."""
    found = {kind: counted for kind, counted in made.engagement.items() if counted.with_machines}
    if found:
        yield ""
    for kind, counted in found.items():
        yield (
            f"{kind.capitalize()} by a person: {counted.human:,} (at most {counted.at_most:,};"
            f" {counted.with_machines - counted.at_most:,} by machines alone)."
        )


def _expected(expected: Forecast | None) -> Iterator[str]:
    """What is still to go out, and until when; nothing where all is handed over."""
    if expected is None or expected.limited_by is None:
        return
    yield f"{expected.remaining:,} are not handed over yet; {expected.per_s:,.1f} a second lately."
    if expected.through_at is not None:
        yield f"At this pace the last one goes at {moment(expected.through_at)}."
    yield SENTENCES[expected.limited_by]


def _closing(made: Report) -> Iterator[str]:
    if made.paused_at is not None:
        yield f"Paused since {moment(made.paused_at)}: nothing more of it is handed over."
    if made.duplicates:
        yield f"Named twice in one message and written to once: {made.duplicates:,}."
    if made.handed_over:
        yield (
            f"{made.final:,} of {made.handed_over:,} handed over have their final word"
            f" ({made.final / made.handed_over:.1%})."
        )
    if made.silent_since is not None:
        yield f"Nothing was heard of the others since {moment(made.silent_since)}."
    yield (
        "Balanced: every recipient is in exactly one line."
        if made.balanced
        else "NOT BALANCED: the lines do not add up to the recipients. Run `postroom verify`."
    )
