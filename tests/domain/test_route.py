"""Of all routes that fit a delivery, the one that says most about it is taken."""

from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.lane import Lane
from postroom.domain.route import Route, Traits, fits, route_for, specificity

MAIL = Traits(1, Lane.BULK, "news.corp.example", "groups.corp.example")
ANY = Route(1, (1,))


def route(id: int, **says: Any) -> Route:
    return replace(ANY, id=id, **says)


ASCENDING = [
    ANY,
    route(2, lane=Lane.BULK),
    route(3, application_id=1),
    route(4, application_id=1, lane=Lane.BULK),
    route(5, from_domain=".corp.example"),
    route(6, from_domain=".corp.example", lane=Lane.BULK),
    route(7, from_domain="news.corp.example"),
    route(8, from_domain="news.corp.example", application_id=1, lane=Lane.BULK),
    route(9, recipient_domain=".example"),
    route(10, recipient_domain=".corp.example"),
    route(11, recipient_domain="groups.corp.example"),
    route(12, recipient_domain="groups.corp.example", lane=Lane.BULK),
]
"""All of them fit the mail."""


def test_where_a_mail_goes_counts_before_where_it_comes_from_and_whose_it_is() -> None:
    assert sorted(ASCENDING, key=specificity) == ASCENDING
    assert all(fits(one, MAIL) for one in ASCENDING)


@pytest.mark.parametrize("count", range(1, len(ASCENDING) + 1))
def test_the_most_specific_is_taken_whatever_the_order_they_were_made_in(count: int) -> None:
    few = ASCENDING[max(0, count - 4) : count]
    for order in permutations(few):
        assert route_for(order, MAIL) == ASCENDING[count - 1]


@pytest.mark.parametrize(
    "other",
    [
        route(1, application_id=2),
        route(1, lane=Lane.URGENT),
        route(1, from_domain="corp.example"),
        route(1, from_domain=".news.corp.example"),
        route(1, recipient_domain="corp.example"),
        route(1, recipient_domain=".groups.corp.example"),
    ],
)
def test_a_route_for_other_mail_does_not_fit(other: Route) -> None:
    assert not fits(other, MAIL)
    assert route_for([other], MAIL) is None
    assert route_for([other, ANY], MAIL) == ANY


RULES = st.sampled_from([None, ".example", ".b.example", "a.b.example", "b.example"])
ROUTES = st.builds(
    Route,
    id=st.just(1),
    accounts=st.just((1,)),
    application_id=st.sampled_from([None, 1, 2]),
    lane=st.sampled_from([None, *Lane]),
    from_domain=RULES,
    recipient_domain=RULES,
)
DOMAINS = st.sampled_from(["a.b.example", "b.example", "c.example"])


@given(ROUTES, ROUTES, st.integers(1, 2), st.sampled_from(Lane), DOMAINS, DOMAINS)
def test_two_routes_that_fit_one_delivery_are_never_equally_specific(
    one: Route, other: Route, application: int, lane: Lane, sender: str, recipient: str
) -> None:
    traits = Traits(application, lane, sender, recipient)
    if fits(one, traits) and fits(other, traits) and one != other:
        assert specificity(one) != specificity(other)


@given(ROUTES, st.sampled_from(["application_id", "lane", "from_domain", "recipient_domain"]))
def test_whoever_says_less_is_less_specific(one: Route, what: str) -> None:
    without: dict[str, Any] = {what: None}
    less = replace(one, **without)
    assert less == one or specificity(less) < specificity(one)
