"""`postroom decode PROVIDER`: what a provider's notification means; needs no database."""

import sys
from argparse import ArgumentParser, Namespace

from postroom.management import decode
from postroom.management.commands.printing import add_json_lines


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument("provider", help=f"one of {', '.join(sorted(decode.READABLE))}")
    parser.add_argument("--headers", metavar="FILE", help="the request's headers, one a line")
    parser.add_argument("body", nargs="*", metavar="BODY", help="a file; none: standard input")
    add_json_lines(parser)


def run(arguments: Namespace) -> int:
    """Prints one JSON object a line for every event."""
    return decode.run(arguments.provider, arguments.headers, arguments.body, sys.stdout, sys.stderr)
