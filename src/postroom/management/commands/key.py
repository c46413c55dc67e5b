"""`postroom key`: the credentials of applications."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from postroom.ledger import keys
from postroom.management.commands import refusal
from postroom.management.commands.printing import add_json, print_done, print_rows
from postroom.management.workplace import ledger_open

_COLUMNS = ("id", "kind", "scopes", "from_domains", "created_at", "last_used_at", "revoked_at")


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    create = actions.add_parser("create", help="make a key; it is shown only now")
    create.add_argument("application", help="made when it does not exist")
    create.add_argument("--kind", choices=keys.KINDS, required=True)
    create.add_argument("--scope", choices=keys.SCOPES, action="append", required=True)
    create.add_argument("--from-domain", action="append", default=[], metavar="DOMAIN")
    create.add_argument(
        "--allow",
        action="append",
        default=[],
        metavar="ADDRESS_OR_DOMAIN",
        help="whom the application's team keys may write to (may be repeated)",
    )
    add_json(create)
    create.set_defaults(act=_create)
    revoke = actions.add_parser("revoke", help="end a key now")
    revoke.add_argument("id")
    add_json(revoke)
    revoke.set_defaults(act=_revoke)
    listing = actions.add_parser("list", help="show all keys, without their secrets")
    add_json(listing)
    listing.set_defaults(act=_list)


def run(arguments: Namespace) -> int:
    """Does what the action says."""
    with ledger_open():
        status: int = arguments.act(arguments)
    return status


def _create(arguments: Namespace) -> int:
    with refusal.of_values():
        new = keys.create_key(
            arguments.application,
            arguments.kind,
            arguments.scope,
            arguments.from_domain,
            arguments.allow,
        )
    print_done(
        arguments,
        asdict(new),
        f"The key, shown only now:\n  {new.key}\nBy SMTP: user {new.id}, password {new.secret}",
    )
    return 0


def _revoke(arguments: Namespace) -> int:
    if not keys.revoke_key(arguments.id):
        raise refusal.Refusal(f"There is no valid key {arguments.id}; see `postroom key list`.")
    print_done(arguments, {"id": arguments.id, "revoked": True}, f"{arguments.id} is revoked.")
    return 0


def _list(arguments: Namespace) -> int:
    from postroom.ledger.models import Key

    rows = [
        {"application": key.application.name} | {name: getattr(key, name) for name in _COLUMNS}
        for key in Key.objects.select_related("application").order_by("created_at")
    ]
    print_rows(arguments, rows)
    return 0
