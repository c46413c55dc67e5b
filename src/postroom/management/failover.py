"""Where another account takes over when one fails, and where none does."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from postroom.domain.address import is_allowed_domain
from postroom.domain.route import Route
from postroom.ledger import accounts, routes, sender_domains
from postroom.ledger.accounts import AccountRow
from postroom.ledger.routes import NamedRoute
from postroom.providers.registry import PROVIDERS
from postroom.sending.roads import is_carried


@dataclass(frozen=True, slots=True)
class Standing:
    """A route, and for which From domains nobody stands by."""

    route: NamedRoute
    alone: Mapping[str, tuple[str, ...]]
    """From domain, or `any`, to the accounts that may carry mail from it: one or none."""

    @property
    def said(self) -> str | None:
        """What is missing, as a sentence; None: nothing is."""
        if not self.alone:
            return None
        who = "; ".join(
            f"{domain} by {names[0]} alone" if names else f"{domain} by nobody"
            for domain, names in sorted(self.alone.items())
        )
        return f"no failover: mail from {who}"


def standings() -> list[Standing]:
    """Every route in force, and how it stands."""
    in_use, carried = _in_use(), sender_domains.carried()
    return [
        Standing(one, _alone(one.route, one.simulated, in_use, carried))
        for one in routes.in_force()
    ]


def sentences() -> Iterator[str]:
    """What an operator is to know: routes without failover, and live mail outside of all routes."""
    for one in standings():
        if one.said:
            yield f"Route {one.route.route.id} has {one.said}."
    in_use, carried = _in_use(), sender_domains.carried()
    live = tuple(row.id for row in in_use.values() if not row.simulated)
    if live and carried:
        everything = NamedRoute(Route(0, live), False, None, ())
        alone = _alone(everything.route, False, in_use, carried)
        if alone:
            yield f"Mail without a route has {Standing(everything, alone).said}."


def _in_use() -> dict[int, AccountRow]:
    return {
        row.id: row
        for row in accounts.all_accounts()
        if not row.stopped and row.provider in PROVIDERS
    }


def _alone(
    route: Route,
    simulated: bool,
    in_use: Mapping[int, AccountRow],
    carried: Mapping[int, Collection[str]],
) -> dict[str, tuple[str, ...]]:
    rows = [in_use[id] for id in route.accounts if id in in_use]
    if simulated:
        names = tuple(row.name for row in rows)
        return {"any": names} if len(names) < 2 else {}
    carriers = {
        domain: tuple(
            row.name for row in rows if is_carried(domain, row.provider, carried.get(row.id, ()))
        )
        for domain in _from_domains(route, carried)
    }
    if not carriers:
        return {"any": ()}
    return {domain: names for domain, names in carriers.items() if len(names) < 2}


def _from_domains(route: Route, carried: Mapping[int, Collection[str]]) -> Sequence[str]:
    """The From domains that the route's mail may have, as far as they are known."""
    rule = route.from_domain
    if rule is not None and not rule.startswith("."):
        return [rule]
    known = {domain for domains in carried.values() for domain in domains}
    return sorted(one for one in known if rule is None or is_allowed_domain(one, (rule,)))
