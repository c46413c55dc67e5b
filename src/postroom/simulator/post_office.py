"""Takes copies, lets their timelines happen, and passes every fact on to the outbox."""

import asyncio
import heapq
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from itertools import count

from postroom.simulator.copies import Copy
from postroom.simulator.events import common_part, entry, event_id, words_of
from postroom.simulator.journal import Journal
from postroom.simulator.mischief import Troublemaker
from postroom.simulator.plan import Step
from postroom.simulator.truth import TakenCopy, Truth
from postroom.simulator.webhooks import Outbox

BATCH_MAX = 1000
"""Most events in one post, as the vendor was seen to send."""
TICK_S = 0.1
"""How often what is due is gathered into batches."""


class _Pending:
    """A copy whose timeline goes on."""

    __slots__ = ("_common", "copy", "next", "steps")

    def __init__(self, copy: Copy, steps: tuple[Step, ...], next_: int) -> None:
        self.copy, self.steps, self.next = copy, steps, next_
        self._common = ""

    def due(self, time_scale: float) -> float:
        """When its next step happens."""
        return self.copy.starts_at + self.steps[self.next].after_s * time_scale

    def happen(self, batch: str, at: float) -> tuple[str, str]:
        """The next step's line in the truth log and its entry in the webhook."""
        step = self.steps[self.next]
        words = words_of(self.copy, step)
        told = self.told(self.next, at, words)
        self.next += 1
        line = (
            f'{{"kind": "fact", "copy": "{self.copy.id}", "event": "{step.event}", "at": {at},'
            f' "batch": "{batch}", "words": {words}}}'
        )
        return line, told

    def told(self, number: int, at: float, words: str) -> str:
        """The entry of step `number`: the same text whenever it is told."""
        step = self.steps[number]
        if step.nameless:
            common = common_part(self.copy, nameless=True)
        else:
            common = self._common = self._common or common_part(self.copy)
        return entry(common, step.event, event_id(step.event, number, self.copy.id), at, words)


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
        self.pending = 0
        """Copies whose timeline goes on."""

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
            self._begin(each)

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
                self._begin(_Pending(taken.copy, taken.copy.steps(), len(taken.facts)))
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

    def _pop_due(self) -> list[_Pending]:
        """What is due, at most one step of each copy: the next one comes with a later batch."""
        now, due = time.time(), []
        while self._due and self._due[0][0] <= now:
            due.append(heapq.heappop(self._due)[2])
        return due

    def _begin(self, pending: _Pending) -> None:
        self.pending += 1
        self._schedule(pending)

    def _schedule(self, pending: _Pending) -> None:
        if pending.next == len(pending.steps):
            self.pending -= 1
            return
        due = pending.due(self._time_scale)
        heapq.heappush(self._due, (due, next(self._serial), pending))

    async def _happen(self, due: Sequence[_Pending]) -> None:
        batch, now = secrets.token_hex(8), time.time()
        self.counts.update(each.steps[each.next].event for each in due)
        facts = [each.happen(batch, now) for each in due]
        await self._journal.write([line for line, _ in facts])
        self._outbox.put(batch, [told for _, told in facts])
        for each in due:
            self._schedule(each)


def _retold(taken: TakenCopy, number: int) -> str:
    """A fact as it was told before the restart: the same id, stamp and words."""
    steps = taken.copy.steps()
    words = words_of(taken.copy, steps[number])
    return _Pending(taken.copy, steps, number).told(number, taken.facts[number].at, words)
