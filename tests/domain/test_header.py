"""Headers of an application: what a name and a value may hold, and which names are not its own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.header import (
    RESERVED,
    RESERVED_PREFIXES,
    HeaderError,
    HeaderLimits,
    check_header,
    check_headers,
    reason_reserved,
)

LIMITS = HeaderLimits(count_max=3, name_chars_max=76, value_octets_max=20)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Campaign", "price change"),
        ("References", "<a@example.com>"),
        ("List-Unsubscribe", "<mailto:a@b.example>"),
        ("Auto-Submitted", "no"),
        ("X-Tab", "a\tb"),
        ("X-Japanese", "日本"),
        ("!#'*+", "x"),
        ("X-" + "n" * 74, "x" * 20),
    ],
)
def test_an_ordinary_header_is_carried(name: str, value: str) -> None:
    check_header(name, value, LIMITS)


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("", "x", "no header name"),
        ("X Y", "x", "no header name"),
        ("X:", "x", "no header name"),
        ("X\r\nBcc", "x", "no header name"),
        ("X\n", "x", "no header name"),
        ("X-ö", "x", "no header name"),
        ("X-" + "n" * 75, "x", "more than 76 characters"),
        ("X-A", "", "no value"),
        ("X-A", " \t ", "no value"),
        ("X-A", "a\r\nBcc: b@example.com", "a line break (U+000D)"),
        ("X-A", "a\n b", "a line break (U+000A)"),
        ("X-A", "a\x00", "a NUL (U+0000)"),
        ("X-A", "a\x0b", "a control character (U+000B)"),
        ("X-A", "a\u2028b", "a line break (U+2028)"),
        ("X-A", "\udc80", "a lone surrogate (U+DC80)"),
        ("X-A", "x" * 21, "more than 20 octets"),
        ("X-A", "ö" * 11, "more than 20 octets"),
        ("SUBJECT", "x", "cannot be set: it has a field of its own"),
        ("Content-Type", "text/html", "cannot be set: it follows from"),
        ("x-postroom-lane", "urgent", "cannot be set: Postroom writes it"),
        ("X-SMTPAPI", "{}", "cannot be set: it steers the provider"),
        ("X-SG-EID", "x", "cannot be set: it steers the provider"),
    ],
)
def test_what_cannot_be_carried_is_refused_with_a_sentence(name: str, value: str, why: str) -> None:
    with pytest.raises(HeaderError) as refusal:
        check_header(name, value, LIMITS)
    assert why in str(refusal.value)


def test_every_reserved_name_is_refused_in_any_case_with_its_reason() -> None:
    prefixed = {prefix + "anything": reason for prefix, reason in RESERVED_PREFIXES.items()}
    for name, reason in (RESERVED | prefixed).items():
        assert name == name.lower()
        assert reason_reserved(name.title()) == reason
        with pytest.raises(HeaderError, match="cannot be set"):
            check_header(name.upper(), "x", LIMITS)


def test_a_name_may_occur_once_whatever_its_case() -> None:
    check_headers([("X-A", "1"), ("X-B", "2")], LIMITS)
    with pytest.raises(HeaderError, match="The header x-a is given twice"):
        check_headers([("X-A", "1"), ("x-a", "2")], LIMITS)


def test_headers_are_counted() -> None:
    with pytest.raises(HeaderError, match="more than 3 headers"):
        check_headers([(f"X-{n}", "1") for n in range(4)], LIMITS)


@given(st.text(), st.text())
def test_what_is_carried_is_one_line(name: str, value: str) -> None:
    try:
        check_header(name, value, LIMITS)
    except HeaderError:
        return
    assert len(f"{name}: {value}".splitlines()) == 1
    assert "\x00" not in name + value
