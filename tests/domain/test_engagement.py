"""Who hit: the rules one by one, and that their order and that of the hits decide nothing."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.engagement import Hit, Judgement, judged

HANDED = datetime(2026, 11, 24, 9, tzinfo=UTC)
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"


def hit(
    after_s: float = 60, url: str = "", method: str = "GET", agent: str = BROWSER, who: str = "::1"
) -> Hit:
    return Hit(HANDED + timedelta(seconds=after_s), method, url, who, agent)


def only(one: Hit) -> Judgement:
    (judgement,) = judged([one], HANDED)
    return judgement


@pytest.mark.parametrize(
    "agent", [BROWSER, GMAIL, "Microsoft Office/16.0 (Microsoft Outlook 16.0)"]
)
def test_nothing_speaks_against_a_person(agent: str) -> None:
    assert only(hit(agent=agent)) == Judgement(False, "none")


def test_who_only_asks_for_the_head_sees_nothing() -> None:
    assert only(hit(method="HEAD")) == Judgement(True, "head")


@pytest.mark.parametrize(
    "agent",
    [
        "Mozilla/5.0",
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko)"
            " Chrome/42.0.2311.135 Safari/537.36 Edge/12.246 Mozilla/5.0"
        ),
        "Mozilla/5.0 (compatible; Googlebot/2.1)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 AppleWebKit/537.36 BingPreview/1.0b",
        "python-requests/2.32",
        "curl/8.9",
        "Go-http-client/2.0",
        "Mozilla/5.0 HeadlessChrome/120.0",
        "BarracudaCentral",
    ],
)
def test_known_prefetchers_scanners_and_programs_are_machines(agent: str) -> None:
    assert only(hit(agent=agent)) == Judgement(True, "agent")


def test_nobody_is_that_fast() -> None:
    assert only(hit(after_s=4.9)) == Judgement(True, "too_soon")
    assert only(hit(after_s=5)) == Judgement(False, "none")
    assert only(hit(after_s=-1)) == Judgement(True, "too_soon")


def test_without_an_agent_nobody_can_tell() -> None:
    assert only(hit(agent="")) == Judgement(None, "no_agent")


def test_three_links_within_three_seconds_are_no_persons() -> None:
    clicks = [hit(60 + n, f"https://a.example/{n}", who=str(n)) for n in range(3)]
    assert {one.rule for one in judged(clicks, HANDED)} == {"burst"}
    slower = [hit(60 + 2 * n, f"https://a.example/{n}") for n in range(3)]
    assert {one.rule for one in judged(slower, HANDED)} == {"none"}
    same = [hit(60 + n / 10, "https://a.example/") for n in range(9)]
    assert {one.rule for one in judged(same, HANDED)} == {"none"}


def test_a_burst_ends_where_the_links_are_spread_out_again() -> None:
    times = (60, 61, 62, 90, 120)
    clicks = [hit(at, f"https://a.example/{at}", who=str(at)) for at in times]
    assert [one.rule for one in judged(clicks, HANDED)] == ["burst"] * 3 + ["none"] * 2


def test_who_comes_with_a_scanner_is_one() -> None:
    clicks = [hit(60 + n, f"https://a.example/{n}", who="scanner") for n in range(3)]
    picture, later, other = hit(70, who="scanner"), hit(80, who="scanner"), hit(61, who="ann")
    found = judged([*clicks, picture, later, other], HANDED)
    assert [one.rule for one in found[3:]] == ["company", "none", "none"]


def test_what_was_judged_stays_when_who_came_is_forgotten() -> None:
    earlier = Judgement(True, "agent")
    forgotten = replace(hit(agent="", who="x"), address=None, earlier=earlier)
    assert only(forgotten) == earlier
    clicks = [
        replace(hit(60, f"https://a.example/{n}"), address=None, earlier=Judgement(False, "none"))
        for n in range(3)
    ]
    assert {one.rule for one in judged(clicks, HANDED)} == {"burst"}


HITS = st.builds(
    hit,
    st.integers(0, 30),
    st.sampled_from(["", "https://a.example", "https://b.example", "https://c.example"]),
    st.sampled_from(["GET", "HEAD"]),
    st.sampled_from([BROWSER, "", "curl/8"]),
    st.sampled_from(["1", "2"]),
)


@given(st.lists(HITS, max_size=12), st.randoms())
def test_the_order_in_which_hits_are_known_changes_nothing(
    hits: list[Hit], chance: random.Random
) -> None:
    places = list(range(len(hits)))
    chance.shuffle(places)
    there = judged(hits, HANDED)
    assert judged([hits[place] for place in places], HANDED) == [there[place] for place in places]
