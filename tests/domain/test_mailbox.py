"""Mailboxes: a display name with its address, as written by people and as put into a header."""

from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.address import (
    AddressError,
    format_mailbox,
    parse_address,
    parse_mailbox,
    parse_name,
)

READ = [
    ("a@example.com", None, "a@example.com"),
    (" <a@example.com> ", None, "a@example.com"),
    ("Taro Yamada <a@example.com>", "Taro Yamada", "a@example.com"),
    ("Taro   Yamada\t<a@example.com>", "Taro Yamada", "a@example.com"),
    ("山田 太郎 <a@example.com>", "山田 太郎", "a@example.com"),
    ("Dr. J. Who <a@example.com>", "Dr. J. Who", "a@example.com"),
    ('"Acme, Inc." <a@example.com>', "Acme, Inc.", "a@example.com"),
    (r'"The \"Boss\" \\o/" <a@example.com>', r'The "Boss" \o/', "a@example.com"),
    ('"b@example.org" <a@example.com>', "b@example.org", "a@example.com"),
    ('"b <b@example.org>" <a@example.com>', "b <b@example.org>", "a@example.com"),
    ('"A" B "C" <a@example.com>', "A B C", "a@example.com"),
    ('"" <a@example.com>', None, "a@example.com"),
    ("Acme (Support) <a@example.com>", "Acme (Support)", "a@example.com"),
    ("a@example.com (Cron Daemon)", "Cron Daemon", "a@example.com"),
    ("Cron <a@example.com> (on host b)", "Cron", "a@example.com"),
    ('Name <"a<b>"@example.com>', "Name", '"a<b>"@example.com'),
    ('"a<b>"@example.com', None, '"a<b>"@example.com'),
    ("=?utf-8?q?J=C3=B6rg_M?= <a@example.com>", "Jörg M", "a@example.com"),
    ("=?UTF-8?B?5bGx55Sw?= <a@example.com>", "山田", "a@example.com"),
    ("=?iso-2022-jp?B?GyRCOzNFRBsoQg==?= <a@example.com>", "山田", "a@example.com"),
    ("=?utf-8*de?q?J=C3=B6rg?= =?utf-8?q?_M?= <a@example.com>", "Jörg M", "a@example.com"),
    ("=?utf-8?q?J=C3?= =?utf-8?q?=B6rg?= <a@example.com>", "Jörg", "a@example.com"),
    ("=?utf-8?q?A,_B?= <a@example.com>", "A, B", "a@example.com"),
    ("=?utf-8?q?=FF?= <a@example.com>", "=?utf-8?q?=FF?=", "a@example.com"),
    ("=?no-such?q?a?= <a@example.com>", "=?no-such?q?a?=", "a@example.com"),
    ('"=?utf-8?q?J=C3=B6rg?=" <a@example.com>', "=?utf-8?q?J=C3=B6rg?=", "a@example.com"),
]

REFUSED = [
    ("Name <a@example.com", "not of the form"),
    ("Name <>", "empty"),
    ("Name <a@example.com> <b@example.com>", "not of the form"),
    ("a@example.com, b@example.com", "more than one @"),
    ("Acme, Inc. <a@example.com>", "has , in it; put the name in quotes"),
    ("b@example.org <a@example.com>", "has @ in it; put the name in quotes"),
    ("Team: <a@example.com>", "has : in it; put the name in quotes"),
    ('"open <a@example.com>', "not of the form"),
    ("undisclosed-recipients:;", "no @"),
    ("a@example.com (one) (two)", "character that domains cannot have"),
    ("a(comment)@example.com", "has ( in it"),
    ("Name\r\nBcc: <b@example.com>", "a line break (U+000D)"),
    ("Name\x00 <a@example.com>", "a NUL (U+0000)"),
    ("=?utf-8?q?a=0D=0ABcc:_b?= <a@example.com>", "a line break (U+000D)"),
    ("a@example.com (=?utf-8?q?=00?=)", "a NUL (U+0000)"),
    ("N\u202eame <a@example.com>", "an invisible character (U+202E)"),
    ("N" * 257 + " <a@example.com>", "more than 256 characters"),
    ("N" * 2000 + " <a@example.com>", "more than 2000 characters"),
]

ADDRESS = parse_address("a@example.com")

printable = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=80)


@pytest.mark.parametrize(("text", "name", "spec"), READ)
def test_a_mailbox_gives_name_and_address(text: str, name: str | None, spec: str) -> None:
    assert parse_mailbox(text) == (name, parse_address(spec))


@pytest.mark.parametrize(("text", "why"), REFUSED)
def test_what_is_no_mailbox_is_refused_with_a_sentence(text: str, why: str) -> None:
    with pytest.raises(AddressError) as refusal:
        parse_mailbox(text)
    assert why in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (None, "a@example.com"),
        ("  ", "a@example.com"),
        ("Taro Yamada", "Taro Yamada <a@example.com>"),
        ("J. Doe", '"J. Doe" <a@example.com>'),
        ('The "Boss"', r'"The \"Boss\"" <a@example.com>'),
        ("b@example.org", '"b@example.org" <a@example.com>'),
        ("=?utf-8?q?x?=", "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <a@example.com>"),
        ("Jörg", "=?utf-8?b?SsO2cmc=?= <a@example.com>"),
    ],
)
def test_a_name_is_quoted_or_encoded_where_a_header_needs_it(name: str | None, value: str) -> None:
    assert format_mailbox(name, ADDRESS) == value


@pytest.mark.parametrize("name", ["a\r\nBcc: b@example.com", "a\n", "a\x00", "\ud800", "\u2028"])
def test_no_control_character_gets_into_a_header(name: str) -> None:
    with pytest.raises(AddressError):
        format_mailbox(name, ADDRESS)


def test_an_address_beyond_ascii_stays_as_it_is() -> None:
    assert format_mailbox("日本", parse_address("日本@example.jp")).endswith(" <日本@example.jp>")


@given(printable)
def test_what_is_put_into_a_header_is_read_back(name: str) -> None:
    value = format_mailbox(name, ADDRESS)
    assert value.isascii()
    assert value.isprintable()
    assert parse_mailbox(value) == (parse_name(name), ADDRESS)


@given(printable)
def test_the_standard_library_reads_the_same_name(name: str) -> None:
    phrase, spec = parseaddr(format_mailbox(name, ADDRESS))
    assert str(make_header(decode_header(phrase))) == (parse_name(name) or "")
    assert spec == ADDRESS.spec


@given(st.text('az <>"\\@.,()=?_\r\n\x00öB8-', max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        name, address = parse_mailbox(text)
    except AddressError:
        return
    assert (name or "x").isprintable()
    assert parse_address(address.spec) == address
