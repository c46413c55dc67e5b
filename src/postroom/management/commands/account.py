"""`postroom account`: the provider accounts through which mail leaves."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from django.conf import settings

from postroom.ledger import account_health, accounts
from postroom.management.commands import refusal
from postroom.management.commands.printing import add_json, print_done, print_rows
from postroom.management.workplace import ledger_open
from postroom.providers.registry import PROVIDERS


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    add = actions.add_parser("add", help="make an account; its webhook URL is shown only now")
    add.add_argument("name")
    add.add_argument(
        "--provider",
        required=True,
        choices=PROVIDERS,
        metavar="PROVIDER",
        help=f"one of {', '.join(PROVIDERS)}; smtp is any relay",
    )
    add.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting; NAME=@FILE reads it from a file and keeps it out of the shell history",
    )
    add_json(add)
    add.set_defaults(act=_add)
    change = actions.add_parser("set", help="change settings; NAME= takes one away")
    change.add_argument("name")
    change.add_argument(
        "set", nargs="+", metavar="NAME=VALUE", help="a setting; NAME=@FILE reads it from a file"
    )
    add_json(change)
    change.set_defaults(act=_set)
    listing = actions.add_parser("list", help="show all accounts, without their secrets")
    add_json(listing)
    listing.set_defaults(act=_list)
    for action, act, help_text in (
        ("test", _test, "ask the provider whether all is set up, and say what to set up there"),
        ("renew-webhook", _renew_webhook, "make another secret for its webhook URL"),
        ("stop", _stop, "carry nothing through it from now on"),
        ("restart", _restart, "use it again"),
    ):
        one = actions.add_parser(action, help=help_text)
        one.add_argument("name")
        add_json(one)
        one.set_defaults(act=act)


def run(arguments: Namespace) -> int:
    """Does what the action says."""
    with ledger_open():
        status: int = arguments.act(arguments)
    return status


def _add(arguments: Namespace) -> int:
    chosen = dict(map(_setting, arguments.set))
    with refusal.of_values():
        secret = accounts.add(arguments.name, arguments.provider, False, chosen)
    return _show_webhook(arguments, f"{arguments.name} was made.", secret)


def _show_webhook(arguments: Namespace, done: str, secret: str) -> int:
    url = f"{settings.POSTROOM_PUBLIC_URL}/feedback/{arguments.name}/{secret}"
    print_done(
        arguments,
        {"name": arguments.name, "webhook_url": url},
        f"{done} Its webhook URL, shown only now:\n  {url}",
    )
    return 0


def _renew_webhook(arguments: Namespace) -> int:
    secret = accounts.renew_webhook_secret(_known(arguments.name).name)
    return _show_webhook(arguments, "The URL before is good for nothing.", str(secret))


def _set(arguments: Namespace) -> int:
    account = _known(arguments.name)
    changes = dict(map(_setting, arguments.set))
    kept = accounts.adjust(account.name, changes)
    said = f"{account.name} was changed; senders follow within seconds."
    shadowed = sorted(account.from_environment & changes.keys())
    if shadowed:
        said += f" Still set by the environment, which goes before: {', '.join(shadowed)}."
    print_done(
        arguments,
        {"name": account.name, "settings": kept, "from_environment": shadowed},
        said,
    )
    return 0


def _test(arguments: Namespace) -> int:
    """0 when nothing is missing, else 1."""
    from postroom.management import account_check
    from postroom.management.doctor import Level

    findings = account_check.examine(_known(arguments.name))
    rows = [{"level": one.level, "about": one.about, "said": one.said} for one in findings]
    print_rows(arguments, rows)
    return int(any(one.level is Level.MISSING for one in findings))


def _setting(written: str) -> tuple[str, str]:
    name, equals, value = written.partition("=")
    if not equals:
        raise refusal.Refusal(f"--set {written}: it is written NAME=VALUE or NAME=@FILE.")
    if value.startswith("@"):
        value = _content(Path(value[1:]))
    return name, value


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise refusal.Refusal(f"{file} cannot be read: {error.strerror}.") from None


def _list(arguments: Namespace) -> int:
    health = {id: one for id, (one, _) in account_health.standing().items()}
    rows = [
        {
            "name": account.name,
            "provider": account.provider,
            "simulated": account.simulated,
            "settings": sorted(account.settings),
            "from_environment": sorted(account.from_environment),
            "stopped": account.stopped_why if account.stopped else None,
            "health": health[account.id].state if account.id in health else None,
            "why": health[account.id].why or None if account.id in health else None,
        }
        for account in accounts.all_accounts()
    ]
    print_rows(arguments, rows)
    return 0


def _stop(arguments: Namespace) -> int:
    changed = accounts.stop(_known(arguments.name).id, "stopped by an operator")
    print_done(
        arguments,
        {"name": arguments.name, "stopped": True, "changed": changed},
        f"{arguments.name} {'is stopped' if changed else 'was stopped already'}.",
    )
    return 0


def _restart(arguments: Namespace) -> int:
    changed = accounts.restart(_known(arguments.name).id)
    print_done(
        arguments,
        {"name": arguments.name, "stopped": False, "changed": changed},
        f"{arguments.name} {'is used again' if changed else 'was in use already'}.",
    )
    return 0


def _known(name: str) -> accounts.AccountRow:
    account = accounts.by_name(name)
    if account is None:
        raise refusal.Refusal(f"There is no account {name}; see `postroom account list`.")
    return account
