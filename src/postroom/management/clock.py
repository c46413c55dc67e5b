"""The clock role: what time alone brings about, done in small steps. Any number may run."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings

from postroom.domain.flow import Tells
from postroom.ledger import (
    account_health,
    canaries,
    domain_words,
    doubts,
    failures,
    flow,
    guard,
    guard_cases,
    leases,
    partitions,
    pulls,
    receipts,
    said,
    storms,
    timers,
)
from postroom.ledger.db import LedgerUnavailable
from postroom.management import (
    domain_check,
    doubt_watch,
    flow_watch,
    guard_watch,
    missing,
    sender_domains,
    spike_watch,
    told_limits,
)
from postroom.management.waiting_words import WaitingWords
from postroom.providers.registry import PROVIDERS

log = logging.getLogger(__name__)

STEP = 1000
"""Rows one step may touch: keeps transactions short while the queue works."""
TICK_S = 0.5
SWEEP_S = 2.0
"""Pace of the looks for silence and doubt; their windows are minutes and days."""
_TELLING = [name for name, one in PROVIDERS.items() if one.tells is Tells.ACCEPTANCE]
_COVERING = [name for name, one in PROVIDERS.items() if one.covers_subdomains]


@dataclass(slots=True)
class Task:
    """Something to do again and again."""

    name: str
    every_s: float
    step: Callable[[], int]
    """Does at most one step's worth and says how much it did."""
    next_at: float = 0.0


def tasks() -> Sequence[Task]:
    """Everything the clock does, each with its own pace, in the order in which it is looked at."""
    return (
        Task("expired", 1, lambda: timers.expire(STEP)),
        Task("leases lost", 1, lambda: leases.sweep(STEP)),
        *_doubts(),
        *_holds(),
        *_addresses(),
        *_words_missing(),
        *_guard(),
        Task("partitions made", 3600, lambda: partitions.ensure(datetime.now(UTC))),
    )


def _doubts() -> Sequence[Task]:
    """What is decided by silence: not while a word that would break it waits to be read."""
    words = WaitingWords()

    def by_silence(step: Callable[[], int]) -> Callable[[], int]:
        return lambda: step() if words.are_read() else 0

    def prove_not_taken() -> int:
        window = timedelta(seconds=settings.POSTROOM_DOUBT_WINDOW_S)
        return doubts.prove_not_taken(_TELLING, missing.looked_up(), window)

    def resend() -> int:
        return timers.resend_doubtful(settings.POSTROOM_DOUBT_WINDOW_S, STEP)

    def pass_windows() -> int:
        return timers.pass_windows(
            settings.POSTROOM_SILENCE_S, settings.POSTROOM_SILENCE_DEFERRED_S, STEP
        )

    return (
        Task("applications told of doubt", doubt_watch.EVERY_S, doubt_watch.tell),
        # Before the next one, which sends again what may have been taken.
        Task("proved not taken", SWEEP_S, by_silence(prove_not_taken)),
        Task("doubtful sent again", SWEEP_S, by_silence(resend)),
        Task("windows passed", SWEEP_S, by_silence(pass_windows)),
    )


def _holds() -> Sequence[Task]:
    """What lets go on by itself what was held."""
    return (
        Task("let go, verified by now", 2, lambda: timers.release_verified(_COVERING, STEP)),
        Task("looked at again, roads have changed", 2, lambda: timers.release_rerouted(STEP)),
        Task("moved by canaries", 2, lambda: canaries.look(STEP)),
    )


def _addresses() -> Sequence[Task]:
    """What is known against addresses."""
    return (
        Task("storms over", 60, storms.look),
        Task("old failures forgotten", 600, lambda: failures.forget_old(STEP)),
        Task("old words of domains forgotten", 600, lambda: domain_words.forget_old(STEP)),
    )


def _words_missing() -> Sequence[Task]:
    """What providers were to tell, and have not told."""
    return (
        Task("orphans joined", 2, lambda: receipts.retry_orphans(STEP)),
        Task("accounts fell silent or speak again", flow_watch.EVERY_S, flow_watch.look),
        Task("pulls wanted", missing.EVERY_S, missing.ask),
        Task("pulls wanted for silence", missing.SILENCE_EVERY_S, missing.ask_for_silent),
        Task("old pulls forgotten", 3600, lambda: pulls.forget_old(STEP)),
        Task("old counters forgotten", 600, lambda: flow.forget_old(STEP)),
        Task("old counts of calls dropped", 600, account_health.forget_old),
    )


def _guard() -> Sequence[Task]:
    """Rates, spikes, and what is held because of them."""
    return (
        Task("cells nearer to a line", guard_watch.EVERY_S, guard_watch.look),
        Task("cells judged anew", guard_watch.SLOWLY_EVERY_S, guard_watch.look_back),
        Task("spikes began or ended", spike_watch.EVERY_S, spike_watch.look),
        Task("old wordings forgotten", 600, lambda: said.forget_old(STEP)),
        Task("held by the guard", 1, lambda: guard_cases.hold_waiting(STEP)),
        Task("let go on by a person", 1, lambda: guard_cases.release(STEP)),
        Task("old counters of the guard forgotten", 600, lambda: guard.forget_old(STEP)),
    )


def outside_tasks() -> Sequence[Task]:
    """What asks providers, which may take long."""
    return (
        Task("sender domains looked at", 30, sender_domains.check_due),
        Task("From domains looked at", 60, domain_check.look_due),
        Task("accounts that told their limits", 300, told_limits.ask_all),
    )


def serve(stop: threading.Event) -> None:
    """Run every task at its pace until told to stop; what asks providers, beside the others."""
    outside = threading.Thread(target=_serve, args=(outside_tasks(), stop), name="outside")
    outside.start()
    _serve(tasks(), stop)
    outside.join()


def _serve(running: Sequence[Task], stop: threading.Event) -> None:
    while not stop.is_set():
        for task in running:
            if time.monotonic() >= task.next_at and not stop.is_set():
                _run(task)
        stop.wait(TICK_S)


def _run(task: Task) -> None:
    """One step; a full step is followed by another at once."""
    done = 0
    try:
        done = task.step()
    except LedgerUnavailable as error:
        log.warning("clock: the ledger is away: %s", error)
    except Exception:
        log.exception("ALARM clock: %s failed", task.name)
    if done:
        log.info("clock: %d %s", done, task.name)
    task.next_at = time.monotonic() + (0 if done >= STEP else task.every_s)
