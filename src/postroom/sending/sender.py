"""The sender role: claim, compose, begin, hand over, settle; until it is told to stop."""

import asyncio
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from postroom.domain.lane import Lane
from postroom.ledger import attempts, blobs, settlements
from postroom.ledger.accounts import SealBroken
from postroom.ledger.db import LedgerUnavailable
from postroom.sending.accounts import Accounts
from postroom.sending.backoff import BackOff
from postroom.sending.beginner import Beginner
from postroom.sending.berths import AllBerths
from postroom.sending.counter import Counter
from postroom.sending.handing import Handing
from postroom.sending.messages import RecentMessages
from postroom.sending.meter import Meters
from postroom.sending.pace import Pace
from postroom.sending.planning import Planner
from postroom.sending.roads import Carriers
from postroom.sending.settler import Settler
from postroom.sending.slow_receivers import SlowReceivers
from postroom.sending.watch import Watch

_log = logging.getLogger(__name__)

_LEDGER_THREADS = 10
_STOP_LOOK_S = 0.05
_ACCOUNTS_LOOK_S = 1.0
_CARRIER_SHARE = 0.9
"""A carrier gives up before the call does, for it alone knows how far it came."""


def serve(stop: threading.Event) -> None:
    """Send until `stop` is set; then finish what is in flight and give back the rest."""
    asyncio.run(run(Pace.of_settings(), stop))


async def run(pace: Pace, stop: threading.Event) -> None:
    """As `serve`, inside an event loop."""
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_LEDGER_THREADS, "ledger"))
    stopping = asyncio.Event()
    carriers = Carriers(_CARRIER_SHARE * pace.call_timeout_s)
    back_off = BackOff()
    meters = Meters()
    watch = Watch()
    berths = AllBerths()
    accounts = Accounts(carriers, back_off, meters, berths)
    messages = RecentMessages(blobs.load_submissions, _now, pace.kept_bytes_max)
    planner = Planner(messages, accounts.road_map, pace.batch_max)
    settler = Settler(settlements.settle)
    beginner = Beginner(attempts.begin)
    slow = SlowReceivers(pace.lease_s)
    handing = Handing(
        pace, beginner, settler, back_off, meters, berths, watch, slow, accounts.is_left
    )
    counters = [
        Counter(lanes, calls, pace, accounts, planner, handing, stopping)
        for lanes, calls in _lanes(pace)
    ]
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_watch(stop, stopping))
            tasks.create_task(_follow(watch, accounts, slow, stopping))
            for counter in counters:
                tasks.create_task(counter.run())
    finally:
        await berths.close()
        await carriers.close()


def _lanes(pace: Pace) -> list[tuple[tuple[Lane, ...], int]]:
    """The counters: one for all mail in the order of service, and one for urgent mail alone."""
    everything = (tuple(Lane), pace.calls_max - pace.urgent_calls)
    return [everything, ((Lane.URGENT,), pace.urgent_calls)] if pace.urgent_calls else [everything]


async def _watch(stop: threading.Event, stopping: asyncio.Event) -> None:
    while not stop.is_set():  # noqa: ASYNC110 - another thread's event wakes no loop
        await asyncio.sleep(_STOP_LOOK_S)
    stopping.set()


async def _follow(
    watch: Watch, accounts: Accounts, slow: SlowReceivers, stopping: asyncio.Event
) -> None:
    """Keep up with accounts that are added, changed, stopped and restarted, and with health."""
    while not stopping.is_set():
        try:
            await watch.tend()
            await accounts.refresh()
            await slow.refresh()
        except LedgerUnavailable as error:
            _log.warning("cannot read the accounts: %s", error)
        except SealBroken:
            # What was read before stays in use: no call in flight is lost to another's key.
            _log.exception("ALARM an account's settings cannot be read")
        await _pause(stopping)


async def _pause(stopping: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), _ACCOUNTS_LOOK_S)
    except TimeoutError:
        return


def _now() -> datetime:
    return datetime.now(UTC)
