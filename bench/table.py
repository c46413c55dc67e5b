"""What was measured, as rows of one table."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

_HEAD = ("row", "ours", "least to most", "against", "theirs", "ratio", "target", "met?")


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison: the median of some runs of ours by the median of theirs."""

    what: str
    unit: str
    ours: Sequence[float]
    """One value a run."""
    against: str
    theirs: Sequence[float]
    """Empty: there is nothing to compare with on this machine, as `against` says."""
    least: float | None = None
    """The target: a ratio of at least this; None: there is none, or `most` is it."""
    most: float | None = None
    """The target: a ratio of at most this."""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours by theirs; None where nothing was compared."""
        return median(self.ours) / median(self.theirs) if self.theirs else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.least is None and self.most is None:
            return None
        if self.ratio is None:
            return False
        return (self.least or 0) <= self.ratio <= (self.most or self.ratio)


def rendered(rows: Iterable[Row]) -> str:
    """The table in Markdown, which also reads well in a terminal, and the notes below it."""
    rows = list(rows)
    cells = [_HEAD, tuple("---" for _ in _HEAD), *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in cells
    ]
    notes = [f"- {row.what}: {row.note}." for row in rows if row.note]
    return "\n".join([*lines, "", *notes])


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.what,
        f"{number(median(row.ours))} {row.unit}",
        f"{number(min(row.ours))} to {number(max(row.ours))}",
        row.against,
        f"{number(median(row.theirs))} {row.unit}" if row.theirs else "-",
        "-" if row.ratio is None else f"{row.ratio:.2f}",
        _target(row),
        {True: "yes", False: "no", None: "-"}[row.met],
    )


def _target(row: Row) -> str:
    if row.least is not None:
        return f">= {row.least:g}"
    return "-" if row.most is None else f"<= {row.most:g}"


def number(value: float) -> str:
    """With as many digits as one reads."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
