"""`postroom message`: withdraw, hold or let go what was not handed over yet."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from uuid import UUID

from postroom.ledger import overview, queue
from postroom.management.commands.printing import add_json, print_done
from postroom.management.commands.refusal import Refusal
from postroom.management.workplace import ledger_open

_Act = Callable[[UUID, int], int | None]
_ACTIONS: dict[str, tuple[_Act, str, str]] = {
    "cancel": (queue.cancel, "withdraw it: it is never sent", "cancelled"),
    "hold": (queue.hold, "let it wait until it is released", "held"),
    "release": (queue.release, "let go on what is held", "released"),
}
"""What each action calls, its summary, and what the deliveries are afterwards."""


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    for name, (_, summary, _) in _ACTIONS.items():
        action = actions.add_parser(name, help=summary, description=summary)
        action.add_argument(
            "subject",
            nargs="+",
            metavar="MESSAGE | APPLICATION COMMUNICATION",
            help="a message by its id, or all messages of a communication so far",
        )
        add_json(action)


def run(arguments: Namespace) -> int:
    """Does it message by message; what was handed over before goes its way."""
    act, _, done = _ACTIONS[arguments.action]
    with ledger_open():
        messages = _messages(arguments.subject)
        moved = sum(act(message_id, application) or 0 for message_id, application in messages)
    of = "1 message" if len(messages) == 1 else f"{len(messages):,} messages"
    told = {"messages": len(messages), done: moved}
    print_done(arguments, told, f"{moved:,} deliveries of {of} are {done}.")
    return 0


def _messages(subject: list[str]) -> list[tuple[UUID, int]]:
    """Message and application ids."""
    if len(subject) == 1:
        return [_message(subject[0])]
    if len(subject) > 2:
        raise Refusal("Name a message by its id, or an application and its communication.")
    application, communication = subject
    for id, name in overview.applications_with(communication):
        if name == application:
            return [(message_id, id) for message_id in overview.message_ids(id, communication)]
    raise Refusal(f"There is no communication {communication} of {application}.")


def _message(text: str) -> tuple[UUID, int]:
    try:
        message_id = UUID(text)
    except ValueError:
        raise Refusal(f"{text} is no message id: the answer to a submission tells it.") from None
    application = overview.application_of(message_id)
    if application is None:
        raise Refusal(f"There is no message {message_id}.")
    return message_id, application
