"""`postroom migrate`: brings the database to this release."""

from argparse import ArgumentParser, Namespace

from postroom.management.migrate import migrate
from postroom.management.workplace import ledger_open


def arrange(_parser: ArgumentParser) -> None:
    """Adds the arguments: there are none."""


def run(_arguments: Namespace) -> int:
    """Applies what is missing."""
    with ledger_open(any_release=True):
        applied = migrate()
    print(f"{applied} migrations were applied." if applied else "The database is up to date.")
    return 0
