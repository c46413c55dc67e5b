"""`postroom report`: what a communication achieved, as a table that adds up."""

from argparse import ArgumentParser, Namespace

from postroom.ledger import figures, overview
from postroom.management.commands.printing import add_json, print_json
from postroom.management.commands.refusal import Refusal
from postroom.management.commands.times import instant
from postroom.management.workplace import ledger_open


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument("communication", help="its name")
    parser.add_argument(
        "--application", metavar="NAME", help="where several have such a communication"
    )
    parser.add_argument("--as-of", type=instant, metavar="TIME", help="as known then (ISO 8601)")
    parser.add_argument(
        "--simulated",
        action="store_true",
        default=None,
        help="simulated deliveries, where there are live ones too",
    )
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Shows the report; 1 when it does not balance."""
    with ledger_open():
        from postroom.reports import forecast, report

        application_id = _application_id(arguments.communication, arguments.application)
        made = figures.report(
            application_id,
            arguments.communication,
            as_of=arguments.as_of,
            simulated=arguments.simulated,
        )
        if made is None:
            raise Refusal(f"There is no communication {arguments.communication} any more.")
        expected = None
        if arguments.as_of is None:
            expected = forecast.of_communication(
                application_id, made.communication, made.simulated, made.as_of
            )
        if arguments.json:
            print_json(report.as_json(made, expected))
        else:
            print(report.as_text(made, expected))
    return int(not made.balanced)


def _application_id(communication: str, application: str | None) -> int:
    """The application that is meant; Refusal when it is none or one of several."""
    having = overview.applications_with(communication)
    meant = [id for id, name in having if application in (None, name)]
    if not meant:
        of = f" of {application}" if application else ""
        raise Refusal(f"There is no communication {communication}{of}.")
    if len(meant) > 1:
        names = ", ".join(name for _, name in having)
        raise Refusal(f"Several applications have it; say --application, one of: {names}.")
    return meant[0]
