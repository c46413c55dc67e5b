"""`postroom pause`: nothing more of an application, or of one communication, is handed over."""

from argparse import ArgumentParser, Namespace

from postroom.ledger import overview, pauses
from postroom.management.commands.printing import add_json, print_done
from postroom.management.commands.refusal import Refusal
from postroom.management.workplace import ledger_open


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument("application", help="its name")
    parser.add_argument(
        "communication", nargs="?", help="only this one; left out: all mail of the application"
    )
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Pauses; what was handed over before goes its way."""
    return switch(arguments, paused=True)


def switch(arguments: Namespace, *, paused: bool) -> int:
    """Pauses or lets go on, and says whether that was a change."""
    with ledger_open():
        changed = _switch(arguments.application, arguments.communication, paused)
    subject = arguments.application
    if arguments.communication is not None:
        subject = f"{arguments.communication} of {subject}"
    print_done(
        arguments,
        {
            "application": arguments.application,
            "communication": arguments.communication,
            "paused": paused,
            "changed": changed,
        },
        f"{subject} {_SAID[paused, changed]}.",
    )
    return 0


_SAID = {
    (True, True): "is paused: nothing more is handed over",
    (True, False): "was paused already",
    (False, True): "goes on",
    (False, False): "was not paused",
}
"""By whether it is paused now, and whether that is a change."""


def _switch(application: str, communication: str | None, paused: bool) -> bool:
    if communication is None:
        changed = pauses.pause_application(application, paused)
        if changed is None:
            raise Refusal(f"There is no application {application}; see `postroom app list`.")
        return changed
    for id, name in overview.applications_with(communication):
        if name == application:
            return bool(pauses.pause_communication(id, communication, paused))
    raise Refusal(f"There is no communication {communication} of {application}.")
