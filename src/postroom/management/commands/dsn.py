"""`postroom dsn`: what a mail that came back means; needs no database."""

import sys
from argparse import ArgumentParser, Namespace

from postroom.management import decode
from postroom.management.commands.printing import add_json_lines


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument("mail", nargs="*", metavar="FILE.eml", help="none: standard input")
    add_json_lines(parser)


def run(arguments: Namespace) -> int:
    """Prints one JSON object a line for every recipient that the mail speaks of."""
    return decode.run_mails(arguments.mail, sys.stdout, sys.stderr)
