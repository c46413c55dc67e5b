"""The puller role: takes notifications out of providers' queues, and pulls what went missing. Any
number may run.

A receipt is on disk before its notification is deleted from the queue: a crash in between only
means that it is given again, and a fact that is heard twice counts once.
"""

import asyncio
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from postroom.feedback import history
from postroom.ledger import accounts
from postroom.ledger.accounts import AccountRow
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.intake import NewReceipt
from postroom.ledger.writer import store_receipt
from postroom.providers.base import Account, Pulled, Puller, PullFailed
from postroom.providers.registry import PROVIDERS

log = logging.getLogger(__name__)

PULLS_AT_ONCE = 4
"""Questions under way per account; each brings up to ten notifications."""
ACCOUNTS_LOOK_S = 5.0
STOP_LOOK_S = 0.1
EMPTY_PAUSE_S = 0.2
"""After an empty answer: queues make the asker wait, but none must be trusted to."""
PAUSE_S_MIN, PAUSE_S_MAX = 1.0, 60.0
"""After a failure; doubled at every further one."""


def serve(stop: threading.Event) -> None:
    """Pull from every account that has a queue, and what is wanted, until `stop` is set."""
    asyncio.run(_serve_both(stop))


async def _serve_both(stop: threading.Event) -> None:
    await asyncio.gather(_serve(stop), history.serve(stop))


@dataclass(frozen=True, slots=True)
class _Pulling:
    """The tasks that pull from one account, as its settings were."""

    settings: Mapping[str, str] = field(repr=False)
    tasks: Sequence[asyncio.Task[None]]


async def _serve(stop: threading.Event) -> None:
    pullers = {
        name: provider.make_puller() for name, provider in PROVIDERS.items() if provider.make_puller
    }
    pulling: dict[int, _Pulling] = {}
    try:
        while not stop.is_set():
            await _follow_accounts(pullers, pulling)
            await _wait(stop, ACCOUNTS_LOOK_S)
    finally:
        for one in pulling.values():
            await _end(one)
        for puller in pullers.values():
            await puller.close()


async def _follow_accounts(pullers: dict[str, Puller], pulling: dict[int, _Pulling]) -> None:
    """Begin to pull from accounts that are new or changed, and end with those that are gone."""
    try:
        rows = await asyncio.to_thread(accounts.all_accounts)
    except LedgerUnavailable as error:
        log.warning("puller: the ledger is away: %s", error)
        return
    wanted = {row.id: row for row in rows if _has_queue(row, pullers)}
    for id, one in list(pulling.items()):
        if id not in wanted or one.settings != wanted[id].settings:
            await _end(pulling.pop(id))
    for id, row in wanted.items():
        if id not in pulling:
            pulling[id] = _begin(pullers[row.provider], row)


def _begin(puller: Puller, row: AccountRow) -> _Pulling:
    account = Account(row.id, row.name, row.provider, row.simulated, row.settings)
    tasks = [asyncio.create_task(_pull(puller, account)) for _ in range(PULLS_AT_ONCE)]
    return _Pulling(row.settings, tasks)


def _has_queue(row: AccountRow, pullers: dict[str, Puller]) -> bool:
    """A stopped account hears on: what it sent before goes on happening."""
    puller = pullers.get(row.provider)
    return puller is not None and puller.needs <= row.settings.keys()


async def _pull(puller: Puller, account: Account) -> None:
    """Ask again and again; after a failure with growing pauses."""
    pause_s = PAUSE_S_MIN
    while True:
        try:
            if not await pull_once(puller, account):
                await asyncio.sleep(EMPTY_PAUSE_S)
            pause_s = PAUSE_S_MIN
        except (PullFailed, LedgerUnavailable) as error:
            log.warning("puller: account %s: %s", account.name, error)
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)


async def pull_once(puller: Puller, account: Account) -> int:
    """How many notifications were stored, and only then deleted from the queue."""
    pulled = await puller.receive(account)
    if pulled:
        await _store(account, pulled)
        await puller.let_go(account, pulled)
    return len(pulled)


async def _store(account: Account, pulled: Sequence[Pulled]) -> None:
    """Returns once all are committed; raises LedgerUnavailable."""
    received_at = datetime.now(UTC)
    waiting = [
        asyncio.wrap_future(
            store_receipt(NewReceipt(account.id, received_at, dict(one.headers), one.body))
        )
        for one in pulled
    ]
    await asyncio.gather(*waiting)


async def _end(pulling: _Pulling) -> None:
    for task in pulling.tasks:
        task.cancel()
    await asyncio.gather(*pulling.tasks, return_exceptions=True)


async def _wait(stop: threading.Event, seconds: float) -> None:
    """Until that much time has passed, or `stop` is set."""
    until = asyncio.get_running_loop().time() + seconds
    while not stop.is_set() and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
        await asyncio.sleep(STOP_LOOK_S)
