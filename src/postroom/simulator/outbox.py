"""The outbox of webhooks and of mails that come back: proved, posted, repeated until heard.

Vendors repeat for hours with growing pauses; here the pauses are short and the end comes after an
hour, times `time_scale`. A repeated post is the same bytes under the same proof. A fact told anew
gets new event ids, and so a new proof.
"""

import asyncio
import json
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from postroom.simulator.journal import Journal
from postroom.simulator.mischief import Troublemaker
from postroom.simulator.posting import Poster
from postroom.simulator.teller import Post, Teller

FIRST_PAUSE_S = 0.5
PAUSE_S_MAX = 30.0
GIVE_UP_AFTER_S = 3600.0
POSTS_MAX = 8
"""Posts under way at once."""
TOLD_MAX = 2000
"""Batches told at once; a task for each of a hundred thousand would take a gigabyte."""


class _Batch(NamedTuple):
    teller: Teller
    id: str
    entries: Sequence[str]


class Outbox:
    """Tells batches of events to the webhooks of their faces, each in a task of its own."""

    def __init__(self, journal: Journal, trouble: Troublemaker, time_scale: float) -> None:
        self._journal, self._trouble, self._time_scale = journal, trouble, time_scale
        self._places = asyncio.Semaphore(POSTS_MAX)
        self._tasks: set[asyncio.Task[None]] = set()
        self._later: deque[_Batch] = deque()
        self._poster = Poster()
        self.heard = 0
        self.lost = 0
        self.failed_posts = 0

    @property
    def waiting(self) -> int:
        """Batches not yet heard."""
        return len(self._tasks) + len(self._later)

    def put(self, teller: Teller, batch: str, entries: Sequence[str]) -> None:
        """Tell these entries under this batch id, from now on until they are heard."""
        self._later.append(_Batch(teller, batch, entries))
        self._go_on()

    def _go_on(self) -> None:
        while self._later and len(self._tasks) < TOLD_MAX:
            task = asyncio.create_task(self._tell(self._later.popleft()))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._go_on()

    async def close(self) -> None:
        """Stop telling; what is not heard is told after the next start."""
        self._later.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._poster.close()

    async def _tell(self, batch: _Batch) -> None:
        dice, mischief, teller = self._trouble.dice, self._trouble.mischief, batch.teller
        if dice.happens(mischief.webhook_lose):
            return await self._note(batch, heard=False)
        await asyncio.sleep(self._trouble.webhook_delay_s())
        post = teller.post(batch.entries, time.time())
        if dice.happens(mischief.webhook_forge):
            await self._post(teller, teller.forged(batch.entries, post, time.time(), dice))
        if dice.happens(mischief.webhook_truncate):
            await self._post(teller, Post(post.body[: len(post.body) // 2], post.headers))
        heard = await self._until_heard(teller, post)
        await self._note(batch, heard)
        if heard:
            await self._tell_again(batch, post)
        return None

    async def _until_heard(self, teller: Teller, post: Post) -> bool:
        """False when the provider stops repeating before anybody heard."""
        pause_s, began = FIRST_PAUSE_S, time.monotonic()
        while not teller.is_heard(status := await self._post(teller, post)):
            over = time.monotonic() - began > GIVE_UP_AFTER_S * self._time_scale
            if over or teller.is_final(status):
                return False
            await asyncio.sleep(pause_s * self._time_scale)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)
        return True

    async def _tell_again(self, batch: _Batch, post: Post) -> None:
        """Acknowledged or not, a provider may tell a fact again."""
        dice, mischief, teller = self._trouble.dice, self._trouble.mischief, batch.teller
        if dice.happens(mischief.webhook_repeat):
            for _ in range(self._times()):
                await asyncio.sleep(self._trouble.webhook_delay_s())
                await self._post(teller, post)
        if dice.happens(mischief.webhook_reissue):
            for round_ in range(self._times()):
                await asyncio.sleep(self._trouble.webhook_delay_s())
                again = [teller.reissued(entry, round_) for entry in batch.entries]
                await self._post(teller, teller.post(again, time.time()))

    def _times(self) -> int:
        return 1 + int(self._trouble.dice.between(0, self._trouble.mischief.webhook_repeat_max))

    async def _post(self, teller: Teller, post: Post) -> int:
        """The status of the answer; 0 when none came in time."""
        if teller.url is None:
            return 200
        async with self._places:
            status = await self._poster.post(teller.url, post, teller.time_limit_s)
        self.failed_posts += not teller.is_heard(status)
        return status

    async def _note(self, batch: _Batch, heard: bool) -> None:
        self.heard += heard
        self.lost += not heard
        kind = "heard" if heard else "lost"
        await self._journal.write(
            [json.dumps({"kind": kind, "batch": batch.id, "at": time.time()})]
        )
