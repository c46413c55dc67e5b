"""Tracking addresses: only who has the keys can make one, and no part fits another's."""

import base64
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.tracking import Followed, Keys, Kind, path, read, recipient, target

MESSAGE, OTHER_MESSAGE = UUID(int=1), UUID(int=2)
COPY, OTHER_COPY = UUID(int=3), UUID(int=4)
KEYS = Keys.of("today's secret")
URL = "https://shop.example/a?b=1&c=%20#d"
TOKEN = f"{recipient(MESSAGE, COPY, KEYS)}.{target(Kind.CLICK, MESSAGE, URL, KEYS)}"


@given(st.sampled_from(Kind), st.uuids(), st.uuids(), st.text(st.characters(codec="utf-8")))
def test_an_address_says_what_was_put_in(kind: Kind, message: UUID, copy: UUID, url: str) -> None:
    token = f"{recipient(message, copy, KEYS)}.{target(kind, message, url, KEYS)}"
    assert read(kind, token, [KEYS]) == Followed(kind, message, copy, url)


def test_the_part_of_a_recipient_has_one_length_and_needs_no_escaping() -> None:
    part = recipient(MESSAGE, COPY, KEYS)
    assert len(part) == 36
    assert path(Kind.OPEN, part, "x") == f"/t/o/{part}.x.gif"


def test_an_earlier_secret_still_verifies_and_a_foreign_one_never_does() -> None:
    assert read(Kind.CLICK, TOKEN, [Keys.of("tomorrow's secret"), KEYS]) is not None
    assert read(Kind.CLICK, TOKEN, [Keys.of("tomorrow's secret")]) is None


def test_a_link_is_no_picture() -> None:
    assert read(Kind.OPEN, TOKEN, [KEYS]) is None


def test_a_recipient_of_another_message_or_installation_fits_no_target() -> None:
    what = TOKEN.partition(".")[2]
    for whose in (
        recipient(OTHER_MESSAGE, COPY, KEYS),
        recipient(MESSAGE, COPY, Keys.of("another house")),
    ):
        assert read(Kind.CLICK, f"{whose}.{what}", [KEYS]) is None
    assert read(Kind.CLICK, f"{recipient(MESSAGE, OTHER_COPY, KEYS)}.{what}", [KEYS]) is not None


def test_one_part_is_never_taken_for_the_other() -> None:
    whose, _, what = TOKEN.partition(".")
    for token in (f"{what}.{whose}", f"{whose}.{whose}", f"{what}.{what}", whose, what, f".{what}"):
        assert read(Kind.CLICK, token, [KEYS]) is None


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii", categories=["L", "N"]))
def test_another_letter_anywhere_in_it_leads_nowhere(place: int, letter: str) -> None:
    changed = TOKEN[:place] + letter + TOKEN[place + 1 :]
    if changed != TOKEN:
        assert read(Kind.CLICK, changed, [KEYS]) is None


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    assert read(Kind.CLICK, text, [KEYS]) is None
    assert read(Kind.CLICK, f"{recipient(MESSAGE, COPY, KEYS)}.{text}", [KEYS]) is None


@given(st.binary(max_size=80))
def test_any_bytes_are_answered(data: bytes) -> None:
    what = base64.urlsafe_b64encode(data).decode().rstrip("=")
    whose = recipient(MESSAGE, COPY, KEYS)
    assert read(Kind.CLICK, f"{whose}.{what}", [KEYS]) is None
    assert read(Kind.CLICK, f"{what}.{TOKEN.partition('.')[2]}", [KEYS]) is None


@pytest.mark.parametrize("end", ["=", "==", "\n", ".", "/x"])
def test_there_is_one_way_to_write_an_address(end: str) -> None:
    assert read(Kind.CLICK, TOKEN + end, [KEYS]) is None
