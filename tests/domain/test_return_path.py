"""Return paths: only who has the key can make one, and nobody can change one."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.address import parse_address
from postroom.domain.return_path import address, handover_of, key_of

HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")
KEY = key_of("today's secret")


def local_part(path: str) -> str:
    return path.partition("@")[0]


@given(st.uuids(), st.text(min_size=1))
def test_a_return_path_leads_back_to_its_hand_over(handover_id: UUID, secret: str) -> None:
    key = key_of(secret)
    path = parse_address(address(handover_id, "bounce.corp.example", key))
    assert path.domain == "bounce.corp.example"
    assert len(path.local) <= 64
    assert handover_of(path.local, [key]) == handover_id


def test_the_case_of_its_letters_does_not_matter() -> None:
    path = local_part(address(HANDOVER, "corp.example", KEY))
    assert handover_of(path.upper(), [KEY]) == HANDOVER


def test_an_earlier_key_still_verifies_and_a_foreign_one_never_does() -> None:
    path = local_part(address(HANDOVER, "corp.example", key_of("yesterday's secret")))
    assert handover_of(path, [KEY, key_of("yesterday's secret")]) == HANDOVER
    assert handover_of(path, [KEY]) is None


@given(st.integers(0, 43), st.sampled_from("abcdefghijklmnopqrstuvwxyz234567"))
def test_another_letter_anywhere_in_it_is_another_path(position: int, letter: str) -> None:
    path = local_part(address(HANDOVER, "corp.example", KEY))
    changed = path[: position + 2] + letter + path[position + 3 :]
    # The last letter carries bits that belong to no byte.
    if changed != path and position < 43:
        assert handover_of(changed, [KEY]) is None


@pytest.mark.parametrize("text", ["", "b-", "b-aa", "postmaster", "b-" + "a" * 44, "b-é", "b-1"])
def test_what_is_no_token_names_nothing(text: str) -> None:
    assert handover_of(text, [KEY]) is None


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    assert handover_of(text, [KEY]) is None
    assert handover_of(f"b-{text}", [KEY]) is None
