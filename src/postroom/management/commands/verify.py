"""`postroom verify`: recomputes verdicts and totals from the facts, and compares."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from postroom.ledger.verify import verify
from postroom.management.commands.printing import add_json, print_json
from postroom.management.workplace import ledger_open


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Shows what is wrong; 1 when anything is."""
    with ledger_open():
        verified = verify()
    if arguments.json:
        print_json(asdict(verified))
    else:
        for discrepancy in verified.discrepancies:
            print(discrepancy)
        print(
            f"{verified.messages} messages and {verified.deliveries} deliveries were verified;"
            f" {len(verified.discrepancies)} values are wrong."
        )
    return int(bool(verified.discrepancies))
