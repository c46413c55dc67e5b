"""Takes copies, lets their timelines happen, and passes every fact on to the outbox."""

import asyncio
import heapq
import json
import secrets
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count

from postroom.simulator.copies import Copy
from postroom.simulator.journal import Journal
from postroom.simulator.mischief import Troublemaker
from postroom.simulator.outbox import Outbox
from postroom.simulator.steps import Step
from postroom.simulator.teller import Event, Teller
from postroom.simulator.truth import Truth, load

TICK_S = 0.1
"""How often what is due is gathered into batches."""
TOGETHER_MAX = 1000
"""Most facts that go to the truth log at once."""


class _Pending:
    """A copy whose timeline goes on."""

    __slots__ = ("_name", "_opening", "copy", "next", "steps")

    def __init__(self, copy: Copy, steps: tuple[Step, ...], next_: int) -> None:
        self.copy, self.steps, self.next = copy, steps, next_
        self._name, self._opening = json.dumps(copy.id), ""

    def due(self, time_scale: float) -> float:
        """When its next step happens."""
        return self.copy.starts_at + self.steps[self.next].after_s * time_scale

    def event(self, number: int, at: float, teller: Teller) -> Event:
        """Step `number` as it happens, or as it happened before a restart."""
        self._opening = self._opening or teller.opening(self.copy)
        return Event(self.copy, self.steps[number], number, at, self._opening)

    def line(self, batch: str | None, at: float) -> str:
        """The next step's line in the truth log."""
        told = "null" if batch is None else f'"{batch}"'
        return (
            f'{{"kind": "fact", "copy": {self._name}, "at": {at},'
            f' "batch": {told}, {self.steps[self.next].line()[1:]}'
        )


class PostOffice:
    """What the providers have taken and what still has to happen to it."""

    def __init__(
        self,
        journal: Journal,
        outbox: Outbox,
        trouble: Troublemaker,
        tellers: Mapping[str, Teller],
        time_scale: float,
    ) -> None:
        self._journal, self._outbox, self._trouble = journal, outbox, trouble
        self._tellers, self._time_scale = tellers, time_scale
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

    def happened(self, copy: Copy) -> list[Step]:
        """The steps of a copy whose time has come."""
        age_s = time.time() - copy.starts_at
        return [step for step in copy.steps() if step.after_s * self._time_scale <= age_s]

    async def past(self, face: str, since: float, until: float) -> list[str]:
        """The entries of what happened in that time, also where their post was lost, in order.

        Read from the truth log: nothing is remembered for it.
        """
        return await asyncio.to_thread(self._past, face, since, until)

    def _past(self, face: str, since: float, until: float) -> list[str]:
        teller = self._tellers[face]
        told: list[tuple[float, str]] = []
        for taken in load(self._journal.path).copies.values():
            if taken.copy.face != face:
                continue
            pending = _Pending(taken.copy, taken.copy.steps(), 0)
            for number, fact in enumerate(taken.facts):
                if fact.batch is not None and since <= fact.at <= until:
                    entry = teller.tell(pending.event(number, fact.at, teller))
                    told += [] if entry is None else [(fact.at, entry)]
        return [entry for _, entry in sorted(told)]

    def resume(self, truth: Truth) -> None:
        """Go on where the truth log ends: tell what was not heard, let happen what did not yet."""
        untold: dict[tuple[str, str], list[str]] = {}
        for taken in truth.copies.values():
            self.counts["taken"] += 1
            self.counts.update(fact.what for fact in taken.facts)
            teller = self._tellers[taken.copy.face]
            pending = _Pending(taken.copy, taken.copy.steps(), len(taken.facts))
            for number, fact in enumerate(taken.facts):
                if truth.told(fact) or fact.batch in truth.lost:
                    continue
                entry = teller.tell(pending.event(number, fact.at, teller))
                if fact.batch and entry is not None:
                    untold.setdefault((teller.name, fact.batch), []).append(entry)
            if not taken.complete:
                self._begin(pending)
        for (name, batch), entries in untold.items():
            self._outbox.put(self._tellers[name], batch, entries)

    async def run(self) -> None:
        """Let things happen until cancelled."""
        while True:
            await asyncio.sleep(TICK_S)
            due = self._pop_due()
            if self._trouble.mischief.webhook_shuffle:
                due = self._trouble.dice.shuffled(due)
            for start in range(0, len(due), TOGETHER_MAX):
                await self._happen(due[start : start + TOGETHER_MAX])

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
        now = time.time()
        self.counts.update(each.steps[each.next].what for each in due)
        told, lines = [], []
        for teller, pending, entries in self._batches(due, now):
            batch = secrets.token_hex(8) if entries else None
            lines += [each.line(batch, now) for each in pending]
            if batch:
                told.append((teller, batch, entries))
        await self._journal.write(lines)
        for teller, batch, entries in told:
            self._outbox.put(teller, batch, entries)
        for each in due:
            each.next += 1
            self._schedule(each)

    def _batches(
        self, due: Iterable[_Pending], now: float
    ) -> Iterator[tuple[Teller, list[_Pending], list[str]]]:
        """What each face tells in one post; without entries what it tells nobody."""
        by_face: dict[str, list[_Pending]] = {}
        for each in due:
            by_face.setdefault(each.copy.face, []).append(each)
        for name, pending in by_face.items():
            teller = self._tellers[name]
            told = [(each, teller.tell(each.event(each.next, now, teller))) for each in pending]
            untold = [each for each, entry in told if entry is None]
            if untold:
                yield teller, untold, []
            said = [(each, entry) for each, entry in told if entry is not None]
            for start in range(0, len(said), teller.batch_max):
                chunk = said[start : start + teller.batch_max]
                yield teller, [each for each, _ in chunk], [entry for _, entry in chunk]
