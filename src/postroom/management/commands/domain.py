"""`postroom domain`: the From domains, registered at every account that is to carry them."""

import asyncio
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable

from postroom.domain.address import AddressError, parse_domain
from postroom.ledger import sender_domains as ledger
from postroom.management import dns, sender_domains
from postroom.management.commands import refusal
from postroom.management.commands.printing import (
    add_json,
    print_done,
    print_json,
    print_rows,
    print_table,
)
from postroom.management.workplace import ledger_open
from postroom.providers.account_api import DnsRecord

_IN_DNS = {True: "yes", False: "no", None: "not known"}


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    for action, act, help_text in (
        ("add", _add, "register it at every account, and show what to publish in DNS"),
        ("check", _check, "ask every account and DNS how it stands now"),
    ):
        one = actions.add_parser(action, help=help_text)
        one.add_argument("domain")
        one.add_argument("--account", action="append", help="only this one; may be repeated")
        add_json(one)
        one.set_defaults(act=act)
    listing = actions.add_parser("list", help="every From domain and where it may be sent from")
    add_json(listing)
    listing.set_defaults(act=_list)
    for action, act, help_text in (
        ("vouch", _vouch, "say that mail from it is signed there, where no interface tells"),
        ("forget", _forget, "carry no mail from it there any more"),
    ):
        one = actions.add_parser(action, help=help_text)
        one.add_argument("domain")
        one.add_argument("--account", required=True)
        add_json(one)
        one.set_defaults(act=act)


def run(arguments: Namespace) -> int:
    """Does what the action says."""
    if "domain" in arguments:
        try:
            arguments.domain = parse_domain(arguments.domain)
        except AddressError as error:
            raise refusal.Refusal(f"{arguments.domain}: {error}") from None
    with ledger_open():
        try:
            status: int = arguments.act(arguments)
        except LookupError as error:
            raise refusal.Refusal(str(error.args[0])) from None
    return status


def _add(arguments: Namespace) -> int:
    return _tell(arguments, sender_domains.register(arguments.domain, arguments.account))


def _check(arguments: Namespace) -> int:
    return _tell(arguments, sender_domains.check(arguments.domain, arguments.account))


def _tell(arguments: Namespace, outcomes: Iterable[sender_domains.Outcome]) -> int:
    """0 when every account asked may carry the domain, else 1."""
    domain: str = arguments.domain
    said = [{"account": one.account, "says": one.said} for one in outcomes]
    carrying = {one.account for one in ledger.standing(domain) if one.carries}
    wanted = sender_domains.with_policy(domain, sender_domains.records_of(domain))
    stands = asyncio.run(dns.stand(record for record, _ in wanted))
    records = [_row(record, names, stands[record]) for record, names in wanted]
    if arguments.json:
        print_json({"domain": domain, "accounts": said, "records": records})
    else:
        _print(domain, said, records)
    return 0 if all(one["account"] in carrying for one in said) else 1


def _row(record: DnsRecord, names: tuple[str, ...], stands: bool | None) -> dict[str, object]:
    return {
        "for": record.purpose,
        "type": record.type,
        "host": record.host,
        "value": record.value,
        "in_dns": _IN_DNS[stands],
        "accounts": list(names),
    }


def _print(domain: str, said: list[dict[str, str]], records: list[dict[str, object]]) -> None:
    if not said:
        print("There is no live account; `postroom account add` makes one.")
    for one in said:
        print(f"{one['account']}: {one['says']}")
    print(f"\nTo be published in the DNS of {domain}:")
    print_table(records)


def _list(arguments: Namespace) -> int:
    rows = [
        {
            "domain": one.domain,
            "account": one.account,
            "status": one.status,
            "carries": one.carries,
            "note": one.note or None,
            "checked_at": one.checked_at,
        }
        for one in ledger.standing()
    ]
    print_rows(arguments, rows)
    return 0


def _vouch(arguments: Namespace) -> int:
    sender_domains.vouch(arguments.domain, arguments.account)
    return _done(arguments, f"{arguments.account} carries mail from {arguments.domain}.", True)


def _forget(arguments: Namespace) -> int:
    known = sender_domains.forget(arguments.domain, arguments.account)
    said = "carries no mail from" if known else "knew nothing of"
    return _done(arguments, f"{arguments.account} {said} {arguments.domain}.", False)


def _done(arguments: Namespace, sentence: str, carries: bool) -> int:
    told = {"domain": arguments.domain, "account": arguments.account, "carries": carries}
    print_done(arguments, told, sentence)
    return 0
