"""`postroom app`: the applications, and the networks the relay listener knows them by."""

import re
from argparse import (
    SUPPRESS,
    ArgumentParser,
    ArgumentTypeError,
    BooleanOptionalAction,
    Namespace,
)
from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict

from postroom.domain.mail_kind import MailKind
from postroom.domain.web_address import location
from postroom.ledger import keys, urgent
from postroom.management.commands import refusal
from postroom.management.commands.printing import add_json, print_done, print_rows
from postroom.management.workplace import ledger_open

_FIELDS = (
    "from_domains",
    "allow_list",
    "join_repeats",
    "refuse_suppressed",
    "relay_urgent",
    "recipients_per_s",
    "recipients_per_day",
    "urgent_per_day",
    "track",
    "tracking_url",
    "tracked_by_provider",
    "private_kinds",
    "anonymous_hits",
)
_NUMBER_MAX = 2**31 - 1
_ORIGIN = re.compile("https?://[^/?#]+")


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    _arrange_add(actions.add_parser("add", help="make an application, or change it"))
    listing = actions.add_parser("list", help="show all applications")
    add_json(listing)
    listing.set_defaults(act=_list)
    _arrange_network(
        actions.add_parser("network", help="the source networks of the relay listener")
    )


def _arrange_add(add: ArgumentParser) -> None:
    add_json(add)
    # What is not said has no attribute, so that None can take a limit away.
    add.argument_default = SUPPRESS
    add.add_argument("application")
    add.add_argument(
        "--from-domain",
        action="append",
        metavar="DOMAIN",
        dest="from_domains",
        help="where its relayed mail may come from (may be repeated; replaces the whole list)",
    )
    add.add_argument(
        "--allow",
        action="append",
        metavar="ADDRESS_OR_DOMAIN",
        dest="allow_list",
        help="whom its team keys may write to (may be repeated; replaces the whole list)",
    )
    add.add_argument(
        "--join-repeats",
        action=BooleanOptionalAction,
        help="a repeat of the same mail by SMTP within 24 h is the same message",
    )
    add.add_argument(
        "--refuse-suppressed",
        action=BooleanOptionalAction,
        help="answer 550 at RCPT for a suppressed recipient",
    )
    _arrange_limits(add)
    _arrange_tracking(add)
    add.set_defaults(act=_add)


def _arrange_limits(add: ArgumentParser) -> None:
    add.add_argument(
        "--relay-urgent",
        action=BooleanOptionalAction,
        help="its relayed mail may ask for lane urgent",
    )
    for unit, name in (("second", "--recipients-per-s"), ("day", "--recipients-per-day")):
        add.add_argument(
            name,
            type=_number_or("none", least=1),
            metavar="N",
            help=f"recipients that are handed over in a {unit} at the most; `none`: no limit",
        )
    add.add_argument(
        "--urgent-per-day",
        type=_number_or("default", least=0),
        metavar="N",
        help="urgent recipients of a day; more go as normal; `default`: POSTROOM_URGENT_PER_DAY",
    )


def _arrange_tracking(add: ArgumentParser) -> None:
    add.add_argument(
        "--track",
        type=_words({"opens", "clicks"}),
        metavar="opens,clicks",
        help="count these where a message does not say; `none`: nothing",
    )
    add.add_argument(
        "--tracking-url",
        type=_origin,
        metavar="https://HOST",
        help="where links of its mail lead through; `default`: POSTROOM_PUBLIC_URL",
    )
    add.add_argument(
        "--tracked-by-provider",
        action=BooleanOptionalAction,
        help="leave opens and clicks to the provider to count",
    )
    add.add_argument(
        "--private-kinds",
        type=_words(set(MailKind)),
        metavar="transactional,marketing",
        help="mail of these kinds is never tracked; `none`: all may be",
    )
    add.add_argument(
        "--anonymous-hits",
        action=BooleanOptionalAction,
        help="forget address and user agent of who opens and clicks once that is judged",
    )


def _words(known: Collection[str]) -> Callable[[str], list[str]]:
    """Reads some of these words, with commas between, or `none`."""

    def read(text: str) -> list[str]:
        found = [] if text == "none" else text.split(",")
        if not set(found) <= set(known):
            raise ArgumentTypeError(f"{text!r} is neither `none` nor some of {','.join(known)}")
        return sorted(set(found))

    return read


def _origin(text: str) -> str | None:
    """Reads an address with nothing behind its host; None takes the application's own away."""
    if text == "default":
        return None
    if _ORIGIN.fullmatch(text) is None or location(text) != text:
        raise ArgumentTypeError(f"{text!r} is neither https://HOST nor `default`")
    return text


def _number_or(word: str, least: int) -> Callable[[str], int | None]:
    """Reads a whole number, or the word that takes the application's own away."""

    def read(text: str) -> int | None:
        if text == word:
            return None
        if not (text.isascii() and text.isdigit() and least <= int(text) <= _NUMBER_MAX):
            raise ArgumentTypeError(f"{text!r} is neither a number from {least} on nor `{word}`")
        return int(text)

    return read


def _arrange_network(network: ArgumentParser) -> None:
    actions = network.add_subparsers(required=True)
    add = actions.add_parser("add", help="mail from there belongs to the application")
    add.add_argument("application", help="made when it does not exist")
    add.add_argument("cidr", help="for instance 10.20.0.0/16")
    add.add_argument("--kind", choices=keys.KINDS, default="live")
    add.set_defaults(act=_network_add)
    listing = actions.add_parser("list", help="show all networks")
    listing.set_defaults(act=_network_list)
    remove = actions.add_parser("remove", help="relay nothing from there any more")
    remove.add_argument("cidr", help="as `list` shows it")
    remove.set_defaults(act=_network_remove)
    for action in (add, listing, remove):
        add_json(action)


def run(arguments: Namespace) -> int:
    """Does what the action says."""
    with ledger_open():
        status: int = arguments.act(arguments)
    return status


def _add(arguments: Namespace) -> int:
    from postroom.ledger.models import Application

    chosen = {name: value for name, value in vars(arguments).items() if name in _FIELDS}
    _, is_new = Application.objects.update_or_create(name=arguments.application, defaults=chosen)
    (standing,) = _standing(name=arguments.application)
    print_done(
        arguments,
        standing | {"made": is_new},
        f"{arguments.application} was {'made' if is_new else 'changed'}.",
    )
    return 0


def _list(arguments: Namespace) -> int:
    print_rows(arguments, list(_standing()))
    return 0


def _standing(**chosen: str) -> Iterator[dict[str, object]]:
    """Applications as they are shown: with the quota that holds, and what is used of it."""
    from postroom.ledger.models import Application

    uses = {one.application: one for one in urgent.used_today()}
    shown = ("name", *_FIELDS, "paused_at")
    for row in Application.objects.filter(**chosen).order_by("name").values(*shown):
        use = uses[row["name"]]
        yield row | {"urgent_per_day": use.quota, "urgent_today": use.used}


def _network_add(arguments: Namespace) -> int:
    with refusal.of_values():
        network = keys.add_network(arguments.application, arguments.cidr, arguments.kind)
    print_done(
        arguments,
        {"application": arguments.application, "cidr": network, "kind": arguments.kind},
        f"Mail from {network} belongs to {arguments.application} from now on.",
    )
    return 0


def _network_list(arguments: Namespace) -> int:
    print_rows(arguments, [asdict(network) for network in keys.networks()])
    return 0


def _network_remove(arguments: Namespace) -> int:
    with refusal.of_values():
        removed = keys.remove_network(arguments.cidr)
    if removed is None:
        raise refusal.Refusal(
            f"{arguments.cidr} belongs to no application; see `postroom app network list`."
        )
    print_done(
        arguments,
        asdict(removed),
        f"Mail from {removed.cidr} belongs to {removed.application} no more.",
    )
    return 0
