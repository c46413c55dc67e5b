"""Asks providers again for what never reached us: pulls, one page at a time. Any number may run.

A page is stored as a receipt before it is read, and the pull goes on after that: what is asked
for twice is told twice, and a fact that is told twice counts once.
"""

import asyncio
import logging
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from postroom.ledger import accounts, pulls, silent
from postroom.ledger.accounts import AccountRow
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.intake import NewReceipt
from postroom.ledger.pulls import Pull
from postroom.ledger.writer import store_receipt
from postroom.providers.base import Account
from postroom.providers.history import PULLED, History, HistoryFailed, LookUp, Mail, Page
from postroom.providers.registry import PROVIDERS

log = logging.getLogger(__name__)

AT_ONCE = 4
"""Accounts that are asked at the same time."""
IDLE_S = 2.0
WAIT_S_MIN, WAIT_S_MAX = 15.0, 1800.0
"""After a failure; doubled at every further one in a row."""
GONE = "the account cannot be asked any more"

Histories = Mapping[str, History | LookUp]


def can_be_asked(row: AccountRow) -> bool:
    """Whether the provider tells of past events, and the account has what is needed for it."""
    provider = PROVIDERS.get(row.provider)
    make = provider.make_history if provider else None
    return make is not None and make().needs <= row.settings.keys()


def make_histories() -> dict[str, History | LookUp]:
    """One for each provider that has one; to be made where an event loop runs, and closed."""
    return {
        name: provider.make_history() for name, provider in PROVIDERS.items()
        if provider.make_history
    }  # fmt: skip


async def serve(stop: threading.Event) -> None:
    """Pull what is wanted until `stop` is set."""
    histories = make_histories()
    try:
        await asyncio.gather(*(_serve(stop, histories) for _ in range(AT_ONCE)))
    finally:
        for history in histories.values():
            await history.close()


async def _serve(stop: threading.Event, histories: Histories) -> None:
    while not stop.is_set():
        try:
            done = await step(histories)
        except LedgerUnavailable as error:
            log.warning("puller: the ledger is away: %s", error)
            done = False
        if not done:
            await _rest(stop)


async def _rest(stop: threading.Event) -> None:
    until = asyncio.get_running_loop().time() + IDLE_S
    while not stop.is_set() and asyncio.get_running_loop().time() < until:  # noqa: ASYNC110
        await asyncio.sleep(0.1)


async def step(histories: Histories, only: int | None = None) -> bool:
    """Whether a pull was due; its next page is stored then, or why it cannot be had."""
    pull = await asyncio.to_thread(pulls.claim, only)
    if pull is None:
        return False
    row = await asyncio.to_thread(accounts.by_name, pull.account)
    history = None if row is None else histories.get(row.provider)
    if row is None or history is None or not history.needs <= row.settings.keys():
        await _fail(pull, GONE, WAIT_S_MAX)
        return True
    try:
        await _page(pull, Account(row.id, row.name, row.provider, row.simulated, row.settings),
                    history)  # fmt: skip
    except HistoryFailed as error:
        wait_s = min(WAIT_S_MIN * 2**pull.tries, WAIT_S_MAX)
        await _fail(pull, str(error), max(wait_s, error.retry_after_s or 0.0))
    return True


async def _page(pull: Pull, account: Account, history: History | LookUp) -> None:
    since = max(pull.since, datetime.now(UTC) - history.kept)
    if since >= pull.until:
        log.warning("account %s: the provider keeps no events that old", account.name)
        return await asyncio.to_thread(pulls.advance, pull, None, 0.0)
    if isinstance(history, LookUp):
        page = await _looked_up(pull, account, history, since)
    else:
        page = await history.page(account, since, pull.until, pull.place)
    if page.body:
        told = NewReceipt(account.id, datetime.now(UTC), {PULLED: "1"}, page.body)
        await asyncio.wrap_future(store_receipt(told))
    await asyncio.to_thread(pulls.advance, pull, page.place, history.pause_s)
    if page.place is None:
        log.info("account %s: pulled %d pages of events", account.name, pull.pages + 1)
    return None


async def _looked_up(pull: Pull, account: Account, asked: LookUp, since: datetime) -> Page:
    """What is known of the next mails without a final word; the last one is the new place."""
    after = UUID(pull.place) if pull.place else None
    waiting = await asyncio.to_thread(
        silent.next_silent, account.id, since, pull.until, asked.silent_for, after,
        asked.mails_max, only_in_doubt=pull.why == "doubt",
    )  # fmt: skip
    mails = [
        Mail(one.handover_id, one.recipient, one.provider_message_id, one.begun_at)
        for one in waiting
    ]
    if not mails:
        return Page(b"", None)
    return Page(await asked.ask(account, mails), str(mails[-1].handover_id))


async def _fail(pull: Pull, why: str, wait_s: float) -> None:
    given_up = await asyncio.to_thread(pulls.fail, pull, why, wait_s)
    if given_up:
        log.error("ALARM account %s: its events cannot be pulled: %s", pull.account, why)
    else:
        log.warning("account %s: events cannot be pulled now: %s", pull.account, why)
