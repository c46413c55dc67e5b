"""Tags are found as a browser finds them: the cases are those of the standard's tokenizer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.html_scan import attribute_value, tags


def hrefs(text: str) -> list[str | None]:
    """The values of `href` as they stand in the text, of every `<a>`."""
    found = [tag.attributes.get("href") for tag in tags(text) if tag.name == "a"]
    return [None if span is None else text[span.start : span.end] for span in found]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<a href="x">', ["x"]),
        ("<a href='x\"y'>", ['x"y']),
        ("<a href=x/y/>", ["x/y/"]),
        ("<a href = \n 'x' >", ["x"]),
        ("<A HREF=x>", ["x"]),
        ("<a\thref=x\fclass=y>", ["x"]),
        ("<a/href=x>", ["x"]),
        ("<a class=y/href=x>", [None]),
        ('<a title="a>b" href=x>', ["x"]),
        ('<a title="<a href=1>" href=x>', ["x"]),
        ('<a href="x"href="y">', ["x"]),
        ('<a "href=x>', [None]),
        ("<a =href=x>", [None]),
        ("<a href>", [None]),
        ("<a href=>", [None]),
        ('<a href="">', [""]),
        ("<a href='x>", []),
        ("<a href=x", []),
        ("<a", []),
        ("< a href=x>", []),
        ("<abbr href=x><a href=y>", ["y"]),
        ("<ahref=x>", []),
        ("</a href=x>", []),
        ("1<2 <a href=x>", ["x"]),
        ("<<a href=x>", ["x"]),
        ("<!-- <a href=x> --><a href=y>", ["y"]),
        ("<!--><a href=x>", ["x"]),
        ("<!---><a href=x>", ["x"]),
        ("<!-- --!><a href=x>", ["x"]),
        ("<!-- -- ><a href=x>", []),
        ("<!doctype html '><a href=x>'>", ["x"]),
        ("<?xml ?><a href=x>", ["x"]),
        ("</ <a href=x><a href=y>", ["y"]),
        ("</><a href=x>", ["x"]),
        ("<title><a href=x></title><a href=y>", ["y"]),
        ("<title></titles><a href=x></TITLE ><a href=y>", ["y"]),
        ("<style><!-- </style><a href=x>", ["x"]),
        ("<textarea><a href=x>", []),
        ("<plaintext><a href=x></plaintext><a href=y>", []),
        ("<noscript><a href=x></noscript>", ["x"]),
        ("<script>'<a href=x>'</script><a href=y>", ["y"]),
        ("<script><!-- <script> </script> <a href=x> --></script><a href=y>", ["y"]),
        ("<script><!--> <script> </script><a href=x>", ["x"]),
        ("<script><!-- </script><a href=x>", ["x"]),
        ("<script><!--<scripts></script><a href=x>", ["x"]),
    ],
)
def test_links_are_those_that_a_browser_sees(text: str, found: list[str | None]) -> None:
    assert hrefs(text) == found


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("a=1&amp;b=2", "a=1&b=2"),
        ("a=1&b=2", "a=1&b=2"),
        ("a=1&copy=2", "a=1&copy=2"),
        ("a=1&copyright", "a=1&copyright"),
        ("a=1&copy", "a=1©"),
        ("a=1&copy.b", "a=1©.b"),
        ("a=1&copy\u00e9", "a=1©\u00e9"),
        ("a=1&copy;=2", "a=1©=2"),
        ("a=1&ampx=2", "a=1&ampx=2"),
        ("&notin;", "∉"),
        ("&notit;", "&notit;"),
        ("&unknown;", "&unknown;"),
        ("&#38;&#x26;&#X26", "&&&"),
        ("&#", "&#"),
        ("&#x", "&#x"),
        ("&#0;&#xD800;&#x110000;", "\ufffd\ufffd\ufffd"),
        ("&#128;", "€"),
        ("&#1;", "\x01"),
        ("&#" + "9" * 5_000 + ";", "\ufffd"),
    ],
)
def test_references_in_attributes_are_read_as_the_standard_has_it(written: str, value: str) -> None:
    assert attribute_value(written) == value


@given(st.text(st.sampled_from("<>/!-ascriptle\"'= &;#x\n"), max_size=60))
def test_tags_follow_one_another_and_attributes_lie_inside(text: str) -> None:
    end = 0
    for tag in tags(text):
        assert end <= tag.start < tag.end <= len(text)
        assert text[tag.start] == "<"
        assert text[tag.end - 1] == ">"
        for span in tag.attributes.values():
            assert span is None or tag.start < span.start <= span.end < tag.end
        end = tag.end


@pytest.mark.parametrize(
    "piece", ["<", "<a ", "<a x=", "<a x='", "<!--", "<script><!--", "<title>", "&", "&#", "</"]
)
def test_a_megabyte_of_hostile_text_is_read_in_one_go(piece: str) -> None:
    """One that is read again from each of its pieces takes hours."""
    text = piece * 200_000
    assert hrefs(text) == []
    assert attribute_value(text) == text
