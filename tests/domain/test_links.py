"""Links are replaced where they stand, and no other byte changes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.links import page_of, replaced, url_of


def rewritten(html: str, at_end: str = "") -> str:
    """The text with every link replaced by its number."""
    numbers = iter(range(1_000))
    return replaced(html, page_of(html), lambda _: f"#{next(numbers)}", at_end)


@pytest.mark.parametrize(
    ("html", "result"),
    [
        ('<a href="x">1</a> <a href=y>2</a>', '<a href="#0">1</a> <a href=#1>2</a>'),
        ('<a href="x" data-no-track>', '<a href="x" data-no-track>'),
        ('<a DATA-NO-TRACK="" href="x">', '<a DATA-NO-TRACK="" href="x">'),
        (
            '<link href="x"><area href="x"><img src="x">',
            '<link href="x"><area href="x"><img src="x">',
        ),
        ("<!-- <a href='x'> -->", "<!-- <a href='x'> -->"),
        ("<a HREF = 'x' title=\"a>b\">", "<a HREF = '#0' title=\"a>b\">"),
    ],
)
def test_only_links_are_replaced(html: str, result: str) -> None:
    assert rewritten(html) == result


@pytest.mark.parametrize(
    ("html", "result"),
    [
        ("<body>x</body></html>", "<body>x+</body></html>"),
        ("<body>x</BODY >", "<body>x+</BODY >"),
        ("<p>x</p>", "<p>x</p>+"),
        ("", "+"),
        ("x<!-- </body> -->", "x<!-- </body> -->+"),
        ("</body>x</body>", "</body>x+</body>"),
        ("</body><a href=x>", "</body><a href=#0>+"),
    ],
)
def test_what_is_added_stands_at_the_end_of_the_body(html: str, result: str) -> None:
    assert rewritten(html, "+") == result


@given(st.text(st.sampled_from("</>!-a hrefbody=x'\"&\n"), max_size=80))
def test_what_is_put_back_gives_the_original(html: str) -> None:
    page = page_of(html)
    assert replaced(html, page, lambda written: written) == html
    marked = replaced(html, page, lambda written: f"\u2039{written}\u203a", "\u2042")
    assert marked.translate({0x2039: None, 0x203A: None, 0x2042: None}) == html


@given(st.lists(st.sampled_from(["<a href='x'>", "<p>", "text", "<!-- a -->", "<a href=y >"])))
def test_a_rewritten_text_has_its_links_in_the_same_places(pieces: list[str]) -> None:
    html = "".join(pieces)
    again = rewritten(html)
    values = [again[span.start : span.end] for span in page_of(again).links]
    assert values == [f"#{number}" for number in range(len(page_of(html).links))]


def test_a_url_is_read_without_what_stands_around_it() -> None:
    assert url_of(" \n https://shop.example/?a=1&amp;b=2\t") == "https://shop.example/?a=1&b=2"
    assert url_of("https://shop\r\n.example/a&#10;b\tc d") == "https://shop.example/abc d"
