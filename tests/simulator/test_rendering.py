from hypothesis import given
from hypothesis import strategies as st

from postroom.simulator.faces.sendgrid.rendering import Filler


def test_every_tag_is_replaced_in_every_text() -> None:
    filler = Filler(["-a-", "%b%"], ["-a- and %b%", "-a--a-", "none"])
    assert filler.fill({"-a-": "1", "%b%": "2"}) == ["1 and 2", "11", "none"]


def test_the_longest_tag_wins() -> None:
    assert Filler(["-a", "-ab"], ["-ab"]).fill({"-a": "1", "-ab": "2"}) == ["2"]


def test_values_may_hold_tags_up_to_four_levels_deep() -> None:
    tags = [f"-{n}-" for n in range(6)]
    values = dict(zip(tags, [*tags[1:], "end"], strict=True))
    assert Filler(tags, ["-2-"]).fill(values) == ["end"]
    assert Filler(["-a-"], ["-a-"]).fill({"-a-": "x-a-"})[0].startswith("xxxx")


def test_a_tag_is_literal_text_and_no_pattern() -> None:
    assert Filler([".*"], ["a.*b"]).fill({".*": "\\1"}) == ["a\\1b"]


@given(st.text(), st.dictionaries(st.text(min_size=1), st.just("")))
def test_nothing_of_a_tag_is_left_when_all_values_are_empty(
    text: str, values: dict[str, str]
) -> None:
    (filled,) = Filler(list(values), [text]).fill(values)
    assert len(filled) <= len(text)


@given(st.text())
def test_without_tags_the_text_stays(text: str) -> None:
    assert Filler([], [text]).fill({}) == [text]
