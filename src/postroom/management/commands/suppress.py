"""`postroom suppress`: no more mail to an address, or mail again."""

from argparse import ArgumentParser, Namespace
from dataclasses import asdict

from postroom.domain.address import AddressError, suppression_key
from postroom.ledger import suppressions
from postroom.management.commands.printing import add_json, print_done
from postroom.management.commands.refusal import Refusal
from postroom.management.workplace import ledger_open

_SHOWN = ("id", "address_key", "simulated", "reason", "source", "note", "created_at")


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument("address")
    parser.add_argument("--why", required=True, help="in your words, for whoever asks later")
    parser.add_argument("--lift", action="store_true", help="let mail to the address go again")
    parser.add_argument("--simulated", action="store_true", help="among the simulated deliveries")
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Suppresses the address, or lifts what stands."""
    try:
        key = suppression_key(arguments.address)
    except AddressError as error:
        raise Refusal(f"{arguments.address}: {error}") from None
    with ledger_open():
        stands = (_lift if arguments.lift else _add)(key, arguments)
    full = asdict(stands)
    print_done(
        arguments,
        {name: full[name] for name in _SHOWN} | {"lifted": arguments.lift},
        f"{key} {'gets mail again' if arguments.lift else 'gets no more mail'}.",
    )
    return 0


def _add(key: str, arguments: Namespace) -> suppressions.Standing:
    return suppressions.add(
        suppressions.NewSuppression(arguments.simulated, key, "asked", "person", arguments.why)
    )


def _lift(key: str, arguments: Namespace) -> suppressions.Standing:
    stands = suppressions.standing(arguments.simulated, [key]).get(key)
    if stands is None:
        raise Refusal(f"{key} is not suppressed.")
    suppressions.lift(stands.id, arguments.why)
    return stands
