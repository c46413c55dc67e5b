"""`postroom send`: submits one mail."""

import json
from argparse import ArgumentParser, Namespace
from typing import Any

from postroom.domain.problem import Problem
from postroom.ledger import keys
from postroom.ledger.acceptance import Acceptance, KeyRevoked
from postroom.ledger.keys import Caller
from postroom.management.commands.printing import add_json, print_json
from postroom.management.commands.refusal import Refusal
from postroom.management.workplace import ledger_open

_APPLICATION = "sandbox"


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument("--from", required=True, dest="sender", metavar="ADDRESS")
    parser.add_argument("--to", required=True, action="append", metavar="ADDRESS")
    parser.add_argument("--subject", required=True)
    parser.add_argument("--text", help="the plain text")
    parser.add_argument("--html", help="the HTML")
    parser.add_argument("--communication", metavar="NAME", help="the occasion it belongs to")
    parser.add_argument("--lane", choices=("urgent", "normal", "bulk"), default="normal")
    parser.add_argument(
        "--key",
        help=f"of the application that sends; without: a test mail of `{_APPLICATION}`,"
        " which only the simulator gets",
    )
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Returns once the mail is on disk; whether `postroom up` runs does not matter for that."""
    with ledger_open():
        accepted = _accepted(_body(arguments), _caller(arguments.key))
    if arguments.json:
        print_json(
            {
                "message_id": accepted.message_id,
                "lane": accepted.lane.label,
                "notes": accepted.notes,
                "suppressed": accepted.suppressed,
            }
        )
    else:
        several = "s" if accepted.recipients != 1 else ""
        print(
            f"Message {accepted.message_id} to {accepted.recipients} recipient{several} is on disk."
        )
        if accepted.suppressed:
            print(f"{accepted.suppressed} of them are suppressed and get nothing.")
        for note in accepted.notes:
            print(f"It was {note}.")
    return 0


def _body(arguments: Namespace) -> dict[str, Any]:
    """What the same mail would be as the body of `POST /v1/messages`."""
    body = {
        "from": arguments.sender,
        "to": arguments.to,
        "subject": arguments.subject,
        "text": arguments.text,
        "html": arguments.html,
        "communication": arguments.communication,
        "lane": arguments.lane,
    }
    return {name: value for name, value in body.items() if value is not None}


def _caller(key: str | None) -> Caller:
    if key is None:
        return _sandbox()
    caller = keys.authenticate_now(key)
    if caller is None:
        raise Refusal("The key is unknown, revoked or run out; see `postroom key list`.")
    return caller


def _sandbox() -> Caller:
    """Whoever may run this command may make a test key too; this is the same without one."""
    from postroom.ledger.models import Application

    application, _ = Application.objects.get_or_create(name=_APPLICATION)
    return Caller(
        application_id=application.id,
        application=application.name,
        key_id=None,
        kind="test",
        scopes=frozenset({"send", "urgent"}),
        from_domains=(),
        allow_list=(),
        join_repeats=False,
        refuse_suppressed=False,
    )


def _accepted(body: dict[str, Any], caller: Caller) -> Acceptance:
    from postroom.submission.accept import accept
    from postroom.submission.message_body import read_submission

    try:
        return accept(read_submission(body, json.dumps(body).encode()), caller).result()
    except Problem as problem:
        raise Refusal(f"{problem.title}: {problem.detail}") from None
    except KeyRevoked:
        raise Refusal("The key is revoked.") from None
