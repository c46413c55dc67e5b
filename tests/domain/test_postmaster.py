"""Figures of Postmaster Tools: columns by name, rates as shares or per cent, and bad rows told."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.postmaster import BadRow, Figure, NoFigures, read

DAY = date(2026, 11, 23)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["Date,Domain,Spam rate", "2026-11-23,Example.com,0.12%"],
            Figure("example.com", DAY, "", 0.0012),
        ),
        (
            ["\ufeffdomain,userReportedSpamRatio,date", "example.com,0.0012,2026/11/23"],
            Figure("example.com", DAY, "", 0.0012),
        ),
        (
            ["Date,Identifier,Volume,Spam rate,Domain", "2026-11-23,shop.a,9,1%,example.com"],
            Figure("example.com", DAY, "shop.a", 0.01),
        ),
    ],
)
def test_columns_are_known_by_name(lines: list[str], expected: Figure) -> None:
    (found,) = read(lines)
    assert isinstance(found, Figure)
    assert (found.domain, found.day, found.identifier) == (
        expected.domain,
        expected.day,
        expected.identifier,
    )
    assert found.rate == pytest.approx(expected.rate)


def test_a_domain_may_be_given_for_the_whole_file() -> None:
    (found,) = read(["date,spam rate", "2026-11-23,0"], "example.com")
    assert found == Figure("example.com", DAY, "", 0.0)


@pytest.mark.parametrize("row", ["2026-13-01,0", "2026-11-23,much", "2026-11-23,12", "2026-11-23"])
def test_a_row_that_cannot_be_read_is_told_with_its_line_and_the_others_count(row: str) -> None:
    bad, good = read(["date,spam rate", row, "2026-11-23,0"], "example.com")
    assert isinstance(bad, BadRow)
    assert bad.line == 2
    assert isinstance(good, Figure)


def test_a_file_without_its_columns_says_which() -> None:
    with pytest.raises(NoFigures, match="domain, rate"):
        list(read(["Date,IP reputation"]))


@given(st.lists(st.text(), max_size=5))
def test_no_file_breaks_it(lines: list[str]) -> None:
    rows = read(["date,spam rate", *(line.replace("\r", " ") for line in lines)], "example.com")
    assert all(isinstance(row, Figure | BadRow) for row in rows)
