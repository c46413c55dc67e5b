"""Encoded words: RFC 2047, both ways."""

from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain import encoded_word

characters = st.text(st.characters(exclude_categories=["Cs"]))


@given(characters)
def test_what_is_encoded_is_decoded_again(text: str) -> None:
    assert encoded_word.decode(encoded_word.encode(text)) == text


@given(characters)
def test_every_word_is_short_ascii_and_holds_whole_characters(text: str) -> None:
    words = encoded_word.encode(text).split(" ")
    assert all(len(word) <= 75 and word.isascii() for word in words)
    assert "".join(map(encoded_word.decode, words)) == text


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_the_standard_library_reads_the_same(text: str) -> None:
    assert str(make_header(decode_header(encoded_word.encode(text)))) == text


@given(st.text("=?utf-8bqBQ_ 0AZ/+*\t."))
def test_decoding_never_fails(text: str) -> None:
    assert isinstance(encoded_word.decode(text), str)


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("plain", "plain"),
        ("a =?utf-8?q?=C3=B6?= b", "a ö b"),
        ("=?utf-8?q?a?= =?utf-8?q?b?=", "ab"),
        ("=?utf-8?q?a?=\t=?iso-8859-1?q?=F6?=", "aö"),
        ("=?utf-8?q?a_b?=", "a b"),
        ("=?utf-8?b?w7Y?=", "ö"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
        ("=?utf-8?b?!?=", ""),
        ("=?utf-8?q?a b?=", "=?utf-8?q?a b?="),
        ("=?rot13?q?a?=", "=?rot13?q?a?="),
    ],
)
def test_encoded_words_are_read_and_all_else_stays(text: str, decoded: str) -> None:
    assert encoded_word.decode(text) == decoded
