"""Which ways the deliveries of a message may take: by routes, sender domains and health."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from postroom.domain.lane import Lane
from postroom.domain.route import Route, Traits, fits_message, route_for
from postroom.domain.sharing import preference
from postroom.ledger.queue import Claimed
from postroom.sending.messages import Message
from postroom.sending.roads import Way


class FromNotVerified(Exception):
    """No account may carry mail from this From domain."""


class RouteClosed(Exception):
    """No account of the route may carry mail from this From domain."""


class RouteAtRest(Exception):
    """Every account of the route is stopped."""


@dataclass(frozen=True, slots=True)
class RoadMap:
    """What a sender knows of the roads for one kind of mail (simulated or not)."""

    ways: Sequence[Way] = ()
    """Of all accounts in use, in the order of their making."""
    routes: Sequence[Route] = ()
    shares: Mapping[int, float] = field(default_factory=dict)
    """By account: the part of its usual mail that it carries."""
    sound: frozenset[int] = frozenset()
    """Accounts that carry urgent mail, and what has failed once, before all others."""

    def by_route(
        self, message: Message, claimed: Sequence[Claimed]
    ) -> list[tuple[Route | None, Sequence[Claimed]]]:
        """The claims of each route; None: those that no route is for."""
        near = [route for route in self.routes if fits_message(route, _traits(message, ""))]
        if all(route.recipient_domain is None for route in near):
            return [(route_for(near, _traits(message, "")), claimed)]
        chosen: dict[str, Route | None] = {}
        groups: dict[int, tuple[Route | None, list[Claimed]]] = {}
        for one in claimed:
            domain = one.recipient.rpartition("@")[2]
            if domain not in chosen:
                chosen[domain] = route_for(near, _traits(message, domain))
            route = chosen[domain]
            groups.setdefault(route.id if route else 0, (route, []))[1].append(one)
        return list(groups.values())

    def by_ways(
        self, message: Message, claimed: Sequence[Claimed], route: Route | None
    ) -> Iterator[tuple[Sequence[Way], Sequence[Claimed]]]:
        """The claims that take the same ways, with these ways in order of preference.

        Raises FromNotVerified, RouteClosed, RouteAtRest.
        """
        ways = self._eligible(message, route)
        for accounts, group in self._by_preference(list(ways), claimed, route):
            yield [way for id in accounts for way in ways[id]], group

    def carrying(self, accounts: frozenset[int]) -> frozenset[int]:
        """Those of the accounts that carry anything."""
        return frozenset(id for id in accounts if self._share(id) > 0)

    def is_left(self, account_id: int, others: frozenset[int], lane: Lane) -> bool:
        """Whether mail that is on its way to the account is better taken by one of the others."""
        if self._share(account_id) == 0:
            return bool(self.carrying(others))
        return lane is Lane.URGENT and account_id not in self.sound and bool(others & self.sound)

    def _share(self, account_id: int) -> float:
        return self.shares.get(account_id, 1.0)

    def _eligible(self, message: Message, route: Route | None) -> dict[int, list[Way]]:
        """The ways of each account that may carry the message, the route's first account first."""
        ways: dict[int, list[Way]] = {}
        for way in self.ways:
            ways.setdefault(way.account.id, []).append(way)
        if route is not None:
            ways = {id: ways[id] for id in route.accounts if id in ways}
            if not ways:
                raise RouteAtRest
        domain = message.from_domain
        eligible = {id: some for id, some in ways.items() if some[0].carries_from(domain)}
        if not eligible and route is not None:
            raise RouteClosed(f"{domain} is not verified and aligned at any account of its route")
        if not eligible:
            raise FromNotVerified(f"{domain} is not verified and aligned at any account in use")
        return eligible

    def _by_preference(
        self, accounts: list[int], claimed: Sequence[Claimed], route: Route | None
    ) -> Iterator[tuple[tuple[int, ...], Sequence[Claimed]]]:
        weights = None
        if route is not None and route.weights is not None:
            given = dict(zip(route.accounts, route.weights, strict=True))
            weights = [given[id] for id in accounts]
        shares = {id: self._share(id) for id in accounts}
        alike = {(share, id in self.sound) for id, share in shares.items()}
        if len(accounts) == 1 or (weights is None and len(alike) == 1):
            yield tuple(accounts), claimed
            return
        careful = {id: float(id in self.sound) for id in accounts}
        groups: dict[tuple[int, ...], list[Claimed]] = {}
        for one in claimed:
            is_careful = one.lane is Lane.URGENT or one.tries > 0
            heeded = careful if is_careful and any(careful.values()) else shares
            order = preference(one.delivery_id, accounts, weights, heeded)
            groups.setdefault(order, []).append(one)
        yield from groups.items()


def _traits(message: Message, recipient_domain: str) -> Traits:
    stored = message.stored
    return Traits(stored.application_id, stored.lane, message.from_domain, recipient_domain)
