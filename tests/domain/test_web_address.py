"""Where a link may lead through us: http and https alone, and nothing but where it led."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.web_address import CHARS_MAX, location

SAME = [
    "https://shop.example",
    "http://shop.example:8080/",
    "HTTPS://Shop.Example/A?b=c&d=%2F%zz#e?f",
    "https://shop.example?q=|{}[]^`\"<>'~!$()*,;:@&=+",
    "https://[2001:db8::1]:443/x",
    "https://shop.example/..//./%00",
    "https://xn--bcher-kva.example/",
]


@pytest.mark.parametrize("url", SAME)
def test_what_is_ascii_stays_as_the_link_had_it(url: str) -> None:
    assert location(url) == url


@pytest.mark.parametrize(
    ("url", "ascii_url"),
    [
        ("https://bücher.example/ü?ä#ö", "https://xn--bcher-kva.example/%C3%BC?%C3%A4#%C3%B6"),
        ("https://shop.example/two words", "https://shop.example/two%20words"),
        ("https://shop.example/\u20ac%20", "https://shop.example/%E2%82%AC%20"),
        ("https://shop.example/\x85\u2028", "https://shop.example/%C2%85%E2%80%A8"),
    ],
)
def test_the_rest_is_written_as_a_browser_would(url: str, ascii_url: str) -> None:
    assert location(url) == ascii_url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "data:text/html,x",
        "mailto:ann@corp.example",
        "tel:+49",
        "ftp://shop.example/",
        "//shop.example/",
        "/shop",
        "shop.example",
        "#top",
        "?a=b",
        "https:",
        "https:/shop.example",
        "https:shop.example",
        "https://",
        "https:///shop.example",
        "https://?shop.example",
        "https://user@shop.example/",
        "https://user:pass@shop.example/",
        "https://shop.example\\@evil.example/",
        "https:\\\\shop.example",
        "https://shop.example:port/",
        "https://shop%2eexample/",
        "https://a b.example/",
        "https://\u2028.example/",
        " https://shop.example",
        "https://shop.example/\r\nSet-Cookie: a=b",
        "https://shop.example/\n",
        "https://shop.example/\t",
        "https://shop.example/\x00",
        "https://shop.example/\x7f",
        "https://shop.example/\ud800",
        "https://-\u00fc-.example/",
        "https://shop.example/" + "x" * CHARS_MAX,
    ],
)
def test_everything_else_is_no_such_address(url: str) -> None:
    assert location(url) is None


@given(st.text())
def test_whatever_is_led_to_is_ascii_on_one_line_and_means_the_same(text: str) -> None:
    for url in (text, f"https://shop.example/{text}", f"https://{text}"):
        found = location(url)
        if found is not None:
            assert found.isascii()
            assert found.isprintable()
            assert " " not in found
            assert found.lower().startswith(("http://", "https://"))
    found = location(f"https://shop.example/{text}")
    assert found is None or unquote(found) == unquote(f"https://shop.example/{text}")
