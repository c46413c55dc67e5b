"""Routes: which accounts may carry a delivery, by whose mail it is and where it goes."""

from collections.abc import Iterable
from dataclasses import dataclass

from postroom.domain.address import is_allowed_domain
from postroom.domain.lane import Lane


@dataclass(frozen=True, slots=True)
class Route:
    """The accounts for deliveries that fit; what is None fits everything."""

    id: int
    accounts: tuple[int, ...]
    """Their ids, the preferred one first."""
    weights: tuple[float, ...] | None = None
    """One for each account; None: the first that is healthy carries everything."""
    application_id: int | None = None
    lane: Lane | None = None
    from_domain: str | None = None
    """`example.com` is that one, `.example.com` are all below it."""
    recipient_domain: str | None = None
    """Written like `from_domain`."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a route may ask of a delivery."""

    application_id: int
    lane: Lane
    from_domain: str
    recipient_domain: str


def fits(route: Route, traits: Traits) -> bool:
    """Whether the route is meant for such a delivery."""
    return fits_message(route, traits) and _is_of(traits.recipient_domain, route.recipient_domain)


def fits_message(route: Route, traits: Traits) -> bool:
    """Whether it is meant for the message, wherever a delivery of it goes."""
    return (
        route.application_id in (None, traits.application_id)
        and route.lane in (None, traits.lane)
        and _is_of(traits.from_domain, route.from_domain)
    )


def specificity(route: Route) -> tuple[tuple[int, int], tuple[int, int], bool, bool]:
    """Greater for the route that says more of a delivery.

    Where it goes counts most, for mail that must stay in the house stays there whoever sends it;
    then the From domain, the application, the lane. A domain says more than all those below
    another, and these say more the longer their common part is. Two routes that say equally much
    and fit one delivery say the same, which the ledger refuses.
    """
    return (
        _says(route.recipient_domain),
        _says(route.from_domain),
        route.application_id is not None,
        route.lane is not None,
    )


def route_for(routes: Iterable[Route], traits: Traits) -> Route | None:
    """The most specific route that fits; None: every account may carry the delivery."""
    found = [route for route in routes if fits(route, traits)]
    return max(found, key=specificity, default=None)


def _is_of(domain: str, rule: str | None) -> bool:
    return rule is None or is_allowed_domain(domain, (rule,))


def _says(rule: str | None) -> tuple[int, int]:
    if rule is None:
        return (0, 0)
    return (1, len(rule)) if rule.startswith(".") else (2, 0)
