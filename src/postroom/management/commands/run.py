"""`postroom run ROLE`: one role in this process."""

from argparse import ArgumentParser, Namespace

from postroom.management import roles
from postroom.management.workplace import ledger_open


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument("role", choices=roles.ROLES)


def run(arguments: Namespace) -> int:
    """Plays the role until SIGTERM or SIGINT."""
    with ledger_open():
        roles.serve(arguments.role)
    return 0
