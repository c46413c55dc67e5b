"""What is odd about an address: slips of the pen at common domains, offices, thrown-away boxes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.address_hints import About, Hint, hints


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("ann@gmail.com", []),
        ("ann@gmial.com", [Hint(About.TYPO, "ann@gmail.com")]),
        ("ann@gmal.com", [Hint(About.TYPO, "ann@gmail.com")]),
        ("ann@gmaill.com", [Hint(About.TYPO, "ann@gmail.com")]),
        ("ann@hotmail.con", [Hint(About.TYPO, "ann@hotmail.com")]),
        ("ann@outlook.co", [Hint(About.TYPO, "ann@outlook.com")]),
        ("ann@mail.com", []),
        ("ann@corp.example", []),
        ("ann@gmailcorp.com", []),
        ("Info+news@corp.example", [Hint(About.ROLE)]),
        ("x@mailinator.com", [Hint(About.DISPOSABLE)]),
        ("sales@yahooo.com", [Hint(About.TYPO, "sales@yahoo.com"), Hint(About.ROLE)]),
    ],
)
def test_what_is_odd_is_said(address: str, found: list[Hint]) -> None:
    assert list(hints(address)) == found


@given(st.integers(0, 8), st.sampled_from("abcxyz."))
def test_any_letter_too_much_is_one_slip(place: int, letter: str) -> None:
    written = "gmail.com"[:place] + letter + "gmail.com"[place:]
    assert [one.suggestion for one in hints(f"ann@{written}")] == ["ann@gmail.com"]
