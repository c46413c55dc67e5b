"""`postroom pull`: fetches a provider's events again that may never have reached us."""

import asyncio
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime

from postroom.feedback import history
from postroom.ledger import accounts, pulls
from postroom.ledger.pulls import Progress
from postroom.management.commands.printing import add_json, print_done
from postroom.management.commands.refusal import Refusal
from postroom.management.commands.times import instant
from postroom.management.workplace import ledger_open

_LOOK_S = 0.2


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    parser.add_argument("account", help="the provider account to ask")
    parser.add_argument("--since", type=instant, required=True, help="ISO 8601, UTC where unsaid")
    parser.add_argument("--until", type=instant, help="ISO 8601; now where unsaid")
    add_json(parser)


def run(arguments: Namespace) -> int:
    """Asks page by page and stores the answers; 1 when the provider does not answer in the end."""
    until = arguments.until or datetime.now(UTC)
    if until <= arguments.since:
        raise Refusal("The end must lie after the beginning.")
    with ledger_open():
        id = _wanted(arguments.account, arguments.since, until)
        done = asyncio.run(_pull(id))
    if done.failed is not None:
        raise Refusal(
            f"Account {arguments.account} cannot be asked: {done.failed}."
            " The puller goes on trying for some hours."
        )
    said = f"{done.pages} pages of events were fetched; the interpreter reads them now."
    print_done(arguments, {"account": arguments.account, "pages": done.pages}, said)
    return 0


def _wanted(name: str, since: datetime, until: datetime) -> int:
    row = accounts.by_name(name)
    if row is None:
        raise Refusal(f"There is no account {name!r}.")
    if not history.can_be_asked(row):
        raise Refusal(f"{row.provider} does not tell of past events, or {name} lacks its key.")
    id = pulls.want(row.id, since, until, "operator")
    if id is None:
        raise Refusal(f"A pull of {name} over this time waits or runs already.")
    return id


async def _pull(id: int) -> Progress:
    """How it ended: through, given up, or failed at its first page."""
    histories = history.make_histories()
    try:
        while True:
            await history.step(histories, id)
            done = await asyncio.to_thread(pulls.progress, id)
            if done.finished or done.failed is not None:
                return done
            await asyncio.sleep(_LOOK_S)
    finally:
        for one in histories.values():
            await one.close()
