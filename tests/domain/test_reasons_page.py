"""The page about the reasons says what the code does."""

from pathlib import Path

from postroom.domain.reason_table import REASONS, Suppress

PAGE = Path(__file__).parents[2] / "docs" / "reasons.md"
SUPPRESS = {Suppress.NOW: "at once", Suppress.ON_REPEAT: "on repeat", Suppress.NO: "no"}


def test_the_page_of_reasons_has_every_row_of_the_table_and_no_other() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    rows = [line for line in lines if line.startswith("| `")]
    assert rows == [
        f"| `{row.name}` | {row.fault} | {row.permanence or 'none'} | {SUPPRESS[row.suppress]} "
        f"| {row.advice} | {row.source} |"
        for row in REASONS.values()
    ]
