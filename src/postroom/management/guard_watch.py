"""The guard at work: judges all mail every few seconds, warns, and holds what goes too far."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass, replace
from datetime import timedelta

from postroom.domain.flow import Tells
from postroom.domain.guard import (
    SAMPLE_MIN,
    WINDOWS,
    Counts,
    Judgement,
    Level,
    is_over,
    judged,
    total,
)
from postroom.domain.guard_lines import MAILBOXES, Measure, of_operator, of_provider
from postroom.ledger import guard, guard_cases
from postroom.ledger.guard import Tally
from postroom.ledger.guard_cases import Case, Cell
from postroom.providers.registry import PROVIDERS

log = logging.getLogger(__name__)

EVERY_S = 3.0
"""Pace of the looks at the last hour: a bad list is found while it goes out."""
SLOWLY_EVERY_S = 60.0
"""Pace of the looks at days, which read more and change less."""

_OPERATORS = {domain: name for name, domains in MAILBOXES.items() for domain in domains}

Windows = Mapping[timedelta, list[Tally]]


@dataclass(frozen=True, slots=True)
class Seen:
    """How a cell stands in the window in which it stands worst."""

    judgement: Judgement
    window: timedelta
    tells: Tells
    """What its account tells."""

    @property
    def said(self) -> str:
        """The figures and their window."""
        return f"{self.judgement.said}; of what was handed over within {_NAMED[self.window]}"


_NAMED = dict(zip(WINDOWS, ("an hour", "a day", "a week"), strict=True))


def look() -> int:
    """How many cells came nearer to a line, by the last hour."""
    return _look(WINDOWS[:1])


def look_back() -> int:
    """How many came nearer to a line, or away from it, by all windows."""
    return _look(WINDOWS)


def _look(windows: Iterable[timedelta]) -> int:
    cases = {case.cell: case for case in guard_cases.standing()}
    read_at, found = guard.tallies(windows)
    held = {cell for cell, case in cases.items() if case.level is Level.PAUSE}
    seen = dict(_narrowed(cell, one) for cell, one in judge(found, held).items())
    raised = {
        cell: one.judgement.level
        for cell, one in seen.items()
        if one.judgement.level is not Level.CALM
        and guard_cases.note(cell, one.judgement.level, one.said, read_at)
    }
    ended = _end(cases, seen) if len(found) == len(WINDOWS) else 0
    _tell(raised)
    return len(raised) + ended


def _narrowed(cell: Cell, one: Seen) -> tuple[Cell, Seen]:
    """The cell that causes it: of mail that is to be held for its bounces, that to one receiver,
    where it is known that the rest would go on."""
    bounces = one.judgement.line.measure is Measure.BOUNCES
    if one.judgement.level is not Level.PAUSE or cell.receiver is not None or not bounces:
        return cell, one
    if one.tells is Tells.FAILURE:
        return cell, one  # how much of it reached each receiver is not known
    worst = guard.worst_receiver(one.window, *astuple(cell)[:-1])
    if worst is None:
        return cell, one
    domain, its = worst
    rest = Counts(told=one.judgement.of - its.told, failed=one.judgement.bad - its.failed)
    others = judged(rest, (one.judgement.line,), one.tells, is_pressing=cell.is_pressing)
    if rest.told < SAMPLE_MIN[Measure.BOUNCES] or (others and others.level >= Level.ALERT):
        return cell, one
    judgement = replace(one.judgement, bad=its.failed, of=its.told)
    return replace(cell, receiver=domain), replace(one, judgement=judgement)


def judge(found: Windows, held: Collection[Cell]) -> dict[Cell, Seen]:
    """Every cell of which a rate can be taken, in its worst window.

    A communication that goes too far is held alone: what is left is judged without it, so that
    the rest of its application goes on where that is sound.
    """
    worst: dict[Cell, Seen] = {}
    for window, tallies in found.items():
        for cell, mine in _groups(tallies, _communication_of):
            _keep_worst(worst, cell, mine, window)
    apart = {cell for cell, one in worst.items() if one.judgement.level is Level.PAUSE} | set(held)
    for window, tallies in found.items():
        rest = [one for one in tallies if _communication_of(one) not in apart]
        for cell, mine in _groups(rest, _whole_of):
            if len({one.communication_id for one in mine}) > 1 or mine[0].communication_id is None:
                _keep_worst(worst, cell, mine, window)
        for cell, mine in _groups(rest, _operator_of):
            _keep_worst(worst, cell, mine, window)
    return worst


def _communication_of(one: Tally) -> Cell | None:
    return None if one.communication_id is None else _cell(one, one.communication_id)


def _whole_of(one: Tally) -> Cell:
    return _cell(one, None)


def _operator_of(one: Tally) -> Cell | None:
    operator = _OPERATORS.get(one.receiver)
    return None if operator is None else replace(_cell(one, None), receiver=operator)


def _cell(one: Tally, communication_id: int | None) -> Cell:
    return Cell(
        one.application_id,
        communication_id,
        one.account_id,
        one.from_domain,
        one.kind,
        one.is_pressing,
    )


def _groups(
    tallies: Iterable[Tally], cell_of: Callable[[Tally], Cell | None]
) -> Iterator[tuple[Cell, list[Tally]]]:
    groups: dict[Cell, list[Tally]] = {}
    for one in tallies:
        cell = cell_of(one)
        if cell is not None:
            groups.setdefault(cell, []).append(one)
    yield from groups.items()


def _keep_worst(worst: dict[Cell, Seen], cell: Cell, mine: list[Tally], window: timedelta) -> None:
    provider = mine[0].provider
    lines = of_provider(provider) if cell.receiver is None else of_operator(cell.receiver)
    tells = PROVIDERS[provider].tells
    counts = total(one.counts for one in mine)
    found = judged(counts, lines, tells, is_pressing=cell.is_pressing)
    if found is not None and (cell not in worst or found.level > worst[cell].judgement.level):
        worst[cell] = Seen(found, window, tells)


def _end(cases: Mapping[Cell, Case], seen: Mapping[Cell, Seen]) -> int:
    """How many warnings are over; what holds mail waits for a person."""
    ended = 0
    for cell, case in cases.items():
        one = seen.get(cell)
        calm = is_over(one.judgement if one else None)
        if calm and case.level is not Level.PAUSE and guard_cases.end(case.id):
            log.info("guard: %s is calm again", name_of(case))
            ended += 1
    return ended


def _tell(raised: Mapping[Cell, Level]) -> None:
    for case in guard_cases.standing():
        if case.cell not in raised:
            continue
        said = f"{name_of(case)} {_SAID[case.level]}: {case.said}"
        if case.level >= Level.ALERT:
            log.error("ALARM guard: %s", said)
        else:
            log.warning("guard: %s", said)


_SAID = {
    Level.WARN: "is half way to the line",
    Level.SLOW: "nears the line: send less",
    Level.ALERT: "is at the line, and goes on because somebody waits for it",
    Level.PAUSE: "is held until a person lets it go on",
}


def name_of(case: Case) -> str:
    """Whose mail it is, in words."""
    what = case.communication or "all mail"
    sort = (
        f"{case.cell.kind} mail that somebody waits for"
        if case.cell.is_pressing
        else (f"{case.cell.kind} mail that can wait")
    )
    where = f" to {case.cell.receiver}" if case.cell.receiver else ""
    return (
        f"{what} of {case.application} from {case.cell.from_domain} over {case.account}"
        f" ({sort}{where})"
    )


def sentences() -> list[tuple[Level, str]]:
    """What stands, the gravest first, with what to do."""
    return [(case.level, _sentence(case)) for case in guard_cases.standing()]


def _sentence(case: Case) -> str:
    since = f"{case.changed_at:%Y-%m-%d %H:%M} UTC"
    do = f" `postroom guard resume {case.id}`." if case.level is Level.PAUSE else ""
    return f"{name_of(case)} {_SAID[case.level]}, since {since}: {case.said}.{do}"
