"""Feedback-ID: what stands in it, and whom its identifiers name."""

from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.feedback_id import SENDER, feedback_id, named_in

names = st.from_regex(r"[a-z0-9_-]{1,20}", fullmatch=True)


def test_it_names_communication_application_and_sender() -> None:
    assert feedback_id("shop", "price-change") == "shop.price-change::app-shop:postroom"
    assert feedback_id("shop", None) == "::app-shop:postroom"
    assert 5 <= len(SENDER) <= 15


@given(st.text(max_size=30), st.none() | st.text(min_size=1, max_size=30))
def test_it_is_one_line_of_four_parts_none_of_them_twice(
    application: str, communication: str | None
) -> None:
    value = feedback_id(application, communication)
    assert value.isascii()
    assert value.isprintable()
    parts = value.split(":")
    assert len(parts) == 4
    given = [part for part in parts if part]
    assert len(set(given)) == len(given)


@given(names, names)
def test_its_identifiers_lead_back(application: str, communication: str) -> None:
    which, _, whose, sender = feedback_id(application, communication).split(":")
    if not application.startswith("app-"):
        assert named_in(which) == (application, communication)
    assert named_in(whose) == (application, None)
    assert named_in(sender) is None
