"""Takes copies, lets their timelines happen, and passes every fact on to the outbox."""

import asyncio
import heapq
import json
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from postroom.simulator.copies import Copy
from postroom.simulator.events import event
from postroom.simulator.journal import Journal
from postroom.simulator.mischief import Troublemaker
from postroom.simulator.plan import Step
from postroom.simulator.truth import TakenCopy, Truth
from postroom.simulator.webhooks import Outbox

BATCH_MAX = 1000
"""Most events in one post, as the vendor was seen to send."""
TICK_S = 0.1
"""How often what is due is gathered into batches."""


@dataclass(slots=True)
class _Pending:
    """A copy whose timeline goes on."""

    copy: Copy
    steps: tuple[Step, ...]
    next: int

    def due(self, time_scale: float) -> float:
        return self.copy.starts_at + self.steps[self.next].after_s * time_scale


class PostOffice:
    """What the provider has taken and what still has to happen to it."""

    def __init__(
        self, journal: Journal, outbox: Outbox, trouble: Troublemaker, time_scale: float
    ) -> None:
        self._journal, self._outbox, self._trouble = journal, outbox, trouble
        self._time_scale = time_scale
        self._due: list[tuple[float, int, _Pending]] = []
        self._serial = count()
        self.counts: Counter[str] = Counter()

    async def take(self, copies: Sequence[Copy]) -> None:
        """Returns when the copies are in the truth log; raises OSError when they may not be.

        A caller who goes away in the meantime changes nothing: what is logged also happens.
        """
        await asyncio.shield(self._take(copies))

    async def _take(self, copies: Sequence[Copy]) -> None:
        pending = [_Pending(copy, copy.steps(), 0) for copy in copies]
        await self._journal.write([each.copy.line(len(each.steps)) for each in pending])
        self.counts["taken"] += len(copies)
        for each in pending:
            self._schedule(each)

    def resume(self, truth: Truth) -> None:
        """Go on where the truth log ends: tell what was not heard, let happen what did not yet."""
        untold: dict[str, list[tuple[TakenCopy, int]]] = {}
        for taken in truth.copies.values():
            self.counts["taken"] += 1
            self.counts.update(fact.event for fact in taken.facts)
            for number, fact in enumerate(taken.facts):
                if fact.batch not in truth.heard and fact.batch not in truth.lost:
                    untold.setdefault(fact.batch, []).append((taken, number))
            if not taken.complete:
                self._schedule(_Pending(taken.copy, taken.copy.steps(), len(taken.facts)))
        for batch, facts in untold.items():
            self._outbox.put(batch, [_retold(taken, number) for taken, number in facts])

    async def run(self) -> None:
        """Let things happen until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            due = self._pop_due()
            if self._trouble.mischief.webhook_shuffle:
                due = self._trouble.dice.shuffled(due)
            for start in range(0, len(due), BATCH_MAX):
                await self._happen(due[start : start + BATCH_MAX])

    @property
    def pending(self) -> int:
        """Copies whose timeline goes on."""
        return len(self._due)

    def _pop_due(self) -> list[_Pending]:
        """What is due, at most one step of each copy: the next one comes with a later batch."""
        now, due = time.time(), []
        while self._due and self._due[0][0] <= now:
            due.append(heapq.heappop(self._due)[2])
        return due

    def _schedule(self, pending: _Pending) -> None:
        if pending.next < len(pending.steps):
            due = pending.due(self._time_scale)
            heapq.heappush(self._due, (due, next(self._serial), pending))

    async def _happen(self, due: Sequence[_Pending]) -> None:
        batch, now = secrets.token_hex(8), time.time()
        await self._journal.write([_fact_line(each, batch, now) for each in due])
        self._outbox.put(
            batch, [event(each.copy, each.next, each.steps[each.next], now) for each in due]
        )
        for each in due:
            self.counts[each.steps[each.next].event] += 1
            each.next += 1
            self._schedule(each)


def _fact_line(pending: _Pending, batch: str, at: float) -> str:
    step = pending.steps[pending.next]
    return json.dumps(
        {
            "kind": "fact",
            "copy": pending.copy.id,
            "event": step.event,
            "at": at,
            "batch": batch,
            "words": step.words,
        }
    )


def _retold(taken: TakenCopy, number: int) -> dict[str, object]:
    """A fact as it was told before the restart: the same id, stamp and words."""
    return event(taken.copy, number, taken.copy.steps()[number], taken.facts[number].at)
