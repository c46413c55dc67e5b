"""`postroom replay`: reads all stored notifications again, with today's rules."""

from argparse import ArgumentParser, Namespace

from postroom.feedback import interpreter
from postroom.management.commands.printing import add_json, print_done
from postroom.management.workplace import ledger_open


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Facts stay as they are; their reading, and the verdicts that rest on it, are renewed."""
    with ledger_open():
        receipts = interpreter.replay()
    print_done(arguments, {"receipts": receipts}, f"{receipts} notifications were read again.")
    return 0
