"""`postroom route`: which accounts carry which mail, in order or by weight."""

import math
from argparse import ArgumentParser, Namespace

from postroom.domain.address import AddressError, parse_domain
from postroom.domain.lane import Lane
from postroom.ledger import account_health, accounts, routes
from postroom.management import failover
from postroom.management.commands import refusal
from postroom.management.commands.printing import add_json, print_done, print_rows
from postroom.management.failover import Standing
from postroom.management.workplace import ledger_open


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    _arrange_add(actions.add_parser("add", help="let these accounts carry such mail, and no other"))
    listing = actions.add_parser("list", help="show all routes, and how their accounts do")
    listing.set_defaults(act=_list)
    remove = actions.add_parser("remove", help="let such mail take the next route that fits")
    remove.add_argument("route", type=int, help="its number, as `list` shows it")
    remove.set_defaults(act=_remove)
    for action in (listing, remove):
        add_json(action)


def _arrange_add(add: ArgumentParser) -> None:
    add.add_argument(
        "accounts",
        nargs="+",
        metavar="ACCOUNT[=WEIGHT]",
        help="the first healthy one carries everything; with weights they share",
    )
    add.add_argument("--application", help="only its mail")
    add.add_argument("--lane", choices=[lane.label for lane in Lane], help="only this lane")
    for name, whose in (("from", "the sender's"), ("recipient", "the recipient's")):
        add.add_argument(
            f"--{name}-domain",
            metavar="DOMAIN",
            help=f"only where it is {whose} domain; `.example.com` is every one below",
        )
    add_json(add)
    add.set_defaults(act=_add)


def run(arguments: Namespace) -> int:
    """Does what the action says."""
    with ledger_open():
        status: int = arguments.act(arguments)
    return status


def _add(arguments: Namespace) -> int:
    chosen = list(map(_chosen, arguments.accounts))
    if len({weight is None for _, weight in chosen}) > 1:
        raise refusal.Refusal("Give a weight to every account, or to none.")
    if len({name for name, _ in chosen}) < len(chosen):
        raise refusal.Refusal("An account stands in a route once.")
    lane = None if arguments.lane is None else Lane.of_label(arguments.lane)
    from_domain, to_domain = map(_rule, (arguments.from_domain, arguments.recipient_domain))
    simulated = _kind([name for name, _ in chosen])
    with refusal.of_values():
        try:
            made = routes.add(
                simulated, arguments.application, lane, from_domain, to_domain, chosen
            )
        except LookupError as error:
            raise refusal.Refusal(f"{error.args[0]}.".capitalize()) from None
    said = next(one.said for one in failover.standings() if one.route.route.id == made)
    warning = f" It has {said}." if said else ""
    done = f"Route {made} is in force within seconds.{warning}"
    print_done(arguments, {"route": made, "failover": said or "yes"}, done)
    return 0


def _chosen(written: str) -> tuple[str, float | None]:
    name, equals, weight = written.partition("=")
    if not equals:
        return name, None
    try:
        value = float(weight)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise refusal.Refusal(f"{written}: a weight is a number above zero.")
    return name, value


def _rule(written: str | None) -> str | None:
    if written is None:
        return None
    below = "." if written.startswith(".") else ""
    try:
        return below + parse_domain(written.removeprefix("."))
    except AddressError as error:
        raise refusal.Refusal(f"{written}: {error}") from None


def _kind(names: list[str]) -> bool:
    """Whether the accounts are simulated; a route is for one kind of mail."""
    known = {row.name: row.simulated for row in accounts.all_accounts()}
    for name in names:
        if name not in known:
            raise refusal.Refusal(f"There is no account {name}; see `postroom account list`.")
    kinds = {known[name] for name in names}
    if len(kinds) > 1:
        raise refusal.Refusal("A route is for live or for simulated accounts, not for both.")
    return kinds.pop()


def _list(arguments: Namespace) -> int:
    health = account_health.standing()
    states = {id: str(one.state) for id, (one, _) in health.items()}
    print_rows(arguments, [_row(one, states) for one in failover.standings()])
    return 0


def _row(one: Standing, states: dict[int, str]) -> dict[str, object]:
    named, route = one.route, one.route.route
    weights = route.weights or [None] * len(route.accounts)
    return {
        "route": route.id,
        "application": named.application,
        "lane": None if route.lane is None else route.lane.label,
        "from_domain": route.from_domain,
        "recipient_domain": route.recipient_domain,
        "simulated": named.simulated,
        "accounts": [
            name if weight is None else f"{name}={weight:g}"
            for name, weight in zip(named.accounts, weights, strict=True)
        ],
        "health": [states.get(id, "not judged yet") for id in route.accounts],
        "failover": one.said or "yes",
    }


def _remove(arguments: Namespace) -> int:
    if not routes.remove(arguments.route):
        raise refusal.Refusal(f"There is no route {arguments.route}; see `postroom route list`.")
    print_done(
        arguments,
        {"route": arguments.route, "removed": True},
        f"Route {arguments.route} is no more.",
    )
    return 0
