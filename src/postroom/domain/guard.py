"""The guard: whether some mail comes near the lines of providers and mailbox operators.

A cell is mail that belongs together: of one application, From domain, account and kind, of one
communication or of all, to one operator's mailboxes or to everybody. It is judged by sums over
sliding windows. Rates are of what was handed over in the window, whenever the words about it came.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from math import sqrt

from postroom.domain.flow import Tells
from postroom.domain.guard_lines import Line, Measure
from postroom.domain.lane import Lane
from postroom.domain.mail_kind import MailKind
from postroom.domain.reason_table import REASONS, Fault, Permanence

HARD: frozenset[str] = frozenset(
    name
    for name, reason in REASONS.items()
    if reason.fault is Fault.RECIPIENT and reason.permanence is Permanence.PERMANENT
)
"""Reasons that count as a bounce: for the recipient's sake, and for good."""

WINDOWS: tuple[timedelta, ...] = (timedelta(hours=1), timedelta(days=1), timedelta(days=7))
"""Each sees what the others miss: a sudden bad list, a bad day, a slow rise."""

SAMPLE_MIN = {Measure.BOUNCES: 200, Measure.COMPLAINTS: 1000}
"""Of fewer no rate is taken."""
_WARN, _SLOW, _PAUSE = 0.5, 0.7, 0.85
"""Parts of the line at which something happens."""
_CALM = 0.4
"""Part of the line below which a warning ends."""
_URGENT_TIMES = 2.0
"""Times the line at which even mail that somebody waits for is held."""
_URGENT_FIRST, _URGENT_SHARE = 500, 0.2
"""So much of the first so many may fail."""
_DEVIATIONS = 3.5
"""How sure it must be, before mail is held, that more than half of the line is no chance: in 2,000
lists with 2 % dead addresses one is held by chance; of lists with 6 % and more all are found."""


class Level(IntEnum):
    """How near the line a cell is."""

    CALM = 0
    WARN = 1
    """Half of the line is reached."""
    SLOW = 2
    """Seven tenths are: its owner is to send less."""
    ALERT = 3
    """The cell's mail would be held, but somebody waits for it: operators are called."""
    PAUSE = 4
    """The cell's mail is held until a person lets it go on."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Sums over a window."""

    handed: int = 0
    """Hand-overs that the provider took."""
    told: int = 0
    """Deliveries with a first final word."""
    failed: int = 0
    """Of these, for a reason in `HARD`."""
    audible: int = 0
    """Delivered where a complaint would be told of."""
    complained: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.handed + other.handed,
            self.told + other.told,
            self.failed + other.failed,
            self.audible + other.audible,
            self.complained + other.complained,
        )


@dataclass(frozen=True, slots=True)
class Judgement:
    """How a cell stands, by the line that it is nearest to."""

    level: Level
    line: Line
    bad: int
    of: int

    @property
    def said(self) -> str:
        """The figures, as part of a sentence."""
        return (
            f"{self.bad:,} {self.line.measure} of {self.of:,} ({self.bad / self.of:.2%});"
            f" the line of {self.line.whose} is {self.line.share:.2%}"
        )


def waits_for_somebody(lane: Lane, kind: MailKind) -> bool:
    """Whether holding such mail may hurt a person: it is urgent, or neither bulk nor marketing."""
    return lane is Lane.URGENT or (lane is Lane.NORMAL and kind is not MailKind.MARKETING)


def total(counts: Iterable[Counts]) -> Counts:
    """Their sum."""
    return sum(counts, Counts())


def rate(measure: Measure, counts: Counts, tells: Tells) -> tuple[int, int] | None:
    """How many are bad, of how many; None where that cannot be measured.

    An account that tells of failures only is measured by what was handed to it, one that tells
    nothing not at all. Complaints are not measurable where no operator would tell of them.
    """
    if tells is Tells.NOTHING:
        return None
    if measure is Measure.BOUNCES:
        of = counts.handed if tells is Tells.FAILURE else counts.told
        return (counts.failed, of) if of else None
    return (counts.complained, counts.audible) if counts.audible else None


def judged(
    counts: Counts, lines: Iterable[Line], tells: Tells, *, is_pressing: bool
) -> Judgement | None:
    """How near the nearest line the cell is; None where nothing can be measured."""
    found = [_against(line, counts, tells, is_pressing) for line in lines]
    return max(
        (one for one in found if one is not None),
        key=lambda one: (one.level, one.bad / one.of / one.line.share),
        default=None,
    )


def _against(line: Line, counts: Counts, tells: Tells, is_pressing: bool) -> Judgement | None:
    measured = rate(line.measure, counts, tells)
    if measured is None:
        return None
    bad, of = measured
    level = _pressing_level(line, bad, of) if is_pressing else _level(line, bad, of)
    return Judgement(level, line, bad, of)


def _level(line: Line, bad: int, of: int) -> Level:
    if of < SAMPLE_MIN[line.measure]:
        return Level.CALM
    level = level_of_share(line, bad / of)
    if level is Level.PAUSE and surely_above(bad, of) <= _WARN * line.share:
        return Level.SLOW
    return level


def level_of_share(line: Line, share: float) -> Level:
    """The level of a share that is no matter of chance."""
    part = share / line.share
    reached = ((_PAUSE, Level.PAUSE), (_SLOW, Level.SLOW), (_WARN, Level.WARN))
    return next((level for least, level in reached if part >= least), Level.CALM)


def _pressing_level(line: Line, bad: int, of: int) -> Level:
    """Mail that somebody waits for is held only where it is beyond doubt."""
    is_bounces = line.measure is Measure.BOUNCES
    if is_bounces and bad > _URGENT_SHARE * max(of, _URGENT_FIRST):
        return Level.PAUSE
    level = _level(line, bad, of)
    if level is not Level.PAUSE:
        return level
    sure = surely_above(bad, of) > line.share
    return Level.PAUSE if sure and bad >= _URGENT_TIMES * line.share * of else Level.ALERT


def surely_above(bad: int, of: int) -> float:
    """The least share that is likely to have shown `bad` of `of` (E. B. Wilson, 1927)."""
    square = _DEVIATIONS**2
    share = bad / of
    middle = share + square / (2 * of)
    spread = _DEVIATIONS * sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, (middle - spread) / (1 + square / of))


def is_over(judgement: Judgement | None) -> bool:
    """Whether a warning that stands may end: it is calm again, with some distance."""
    if judgement is None:
        return True
    return judgement.bad < _CALM * judgement.line.share * judgement.of
