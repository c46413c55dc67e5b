"""`postroom migrate`: brings the database to this release."""

from argparse import ArgumentParser, Namespace

from postroom.management.commands.printing import add_json, print_done
from postroom.management.migrate import migrate
from postroom.management.workplace import ledger_open


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Applies what is missing."""
    with ledger_open(any_release=True):
        applied = migrate()
    print_done(
        arguments,
        {"applied": applied},
        f"{applied} migrations were applied." if applied else "The database is up to date.",
    )
    return 0
