"""`postroom ask`: did it reach this person, and if not, why not?"""

from argparse import ArgumentParser, Namespace

from postroom.domain.address import AddressError
from postroom.management.commands.printing import add_json, print_json
from postroom.management.commands.refusal import Refusal
from postroom.management.commands.times import instant
from postroom.management.workplace import ledger_open


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument("recipient", help="an e-mail address")
    parser.add_argument("--communication", metavar="NAME", help="only mail of this occasion")
    parser.add_argument("--as-of", type=instant, metavar="TIME", help="as known then (ISO 8601)")
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Shows the newest deliveries to the address, each with its answer."""
    with ledger_open():
        from postroom.reports import ask

        try:
            found, standing, unattributed = ask.answer(
                arguments.recipient, arguments.communication, arguments.as_of
            )
        except AddressError as error:
            raise Refusal(f"{arguments.recipient}: {error}") from None
        if arguments.json:
            print_json(ask.as_json(found))
        else:
            print(ask.as_text(arguments.recipient, found, standing, unattributed))
    return 0
