"""`postroom app`: the applications, and the networks the relay listener knows them by."""

from argparse import ArgumentParser, Namespace

from postroom.ledger import keys
from postroom.management.commands import refusal
from postroom.management.commands.printing import add_json, print_json, print_table
from postroom.management.workplace import ledger_open

_FIELDS = ("from_domains", "allow_list", "join_repeats", "refuse_suppressed")


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="make an application, or change it")
    add.add_argument("application")
    add.add_argument("--from-domain", action="append", metavar="DOMAIN", dest="from_domains")
    add.add_argument("--allow", action="append", metavar="ADDRESS_OR_DOMAIN", dest="allow_list")
    add.add_argument(
        "--join-repeats",
        action="store_true",
        default=None,
        help="a repeat of the same mail by SMTP within 24 h is the same message",
    )
    add.add_argument(
        "--refuse-suppressed",
        action="store_true",
        default=None,
        help="answer 550 at RCPT for a suppressed recipient",
    )
    add.set_defaults(act=_add)
    listing = actions.add_parser("list", help="show all applications")
    add_json(listing)
    listing.set_defaults(act=_list)
    network = actions.add_parser("network", help="the source networks of the relay listener")
    network_add = network.add_subparsers(required=True).add_parser("add")
    network_add.add_argument("application")
    network_add.add_argument("cidr", help="for instance 10.20.0.0/16")
    network_add.add_argument("--kind", choices=keys.KINDS, default="live")
    network_add.set_defaults(act=_network_add)


def run(arguments: Namespace) -> int:
    """Does what the action says."""
    with ledger_open():
        status: int = arguments.act(arguments)
    return status


def _add(arguments: Namespace) -> int:
    from postroom.ledger.models import Application

    given = {name: getattr(arguments, name) for name in _FIELDS}
    chosen = {name: value for name, value in given.items() if value is not None}
    _, is_new = Application.objects.update_or_create(name=arguments.application, defaults=chosen)
    print(f"{arguments.application} was {'made' if is_new else 'changed'}.")
    return 0


def _list(arguments: Namespace) -> int:
    from postroom.ledger.models import Application

    rows = list(Application.objects.order_by("name").values("name", *_FIELDS))
    if arguments.json:
        print_json(rows)
    else:
        print_table(rows)
    return 0


def _network_add(arguments: Namespace) -> int:
    with refusal.of_values():
        network = keys.add_network(arguments.application, arguments.cidr, arguments.kind)
    print(f"Mail from {network} belongs to {arguments.application} from now on.")
    return 0
