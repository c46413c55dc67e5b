"""The outbox of webhooks: signed, posted, repeated until they are answered with a 2xx.

The vendor repeats for 24 hours with growing pauses and gives a receiver 10 seconds; here the
pauses are short and the end comes after an hour, times `time_scale`. A repeated post is the same
bytes under the same signature. A fact told anew gets new event ids, and so a new signature.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp

from postroom.simulator.events import altered, reissued
from postroom.simulator.journal import Journal
from postroom.simulator.mischief import Troublemaker
from postroom.simulator.signing import Signer

TIME_LIMIT_S = 10.0
"""The vendor's own limit for one answer."""
FIRST_PAUSE_S = 0.5
PAUSE_S_MAX = 30.0
GIVE_UP_AFTER_S = 3600.0
POSTS_MAX = 8
"""Posts under way at once."""


@dataclass(frozen=True, slots=True)
class Post:
    """One request: exactly these bytes under these headers."""

    body: bytes
    headers: dict[str, str]


class Outbox:
    """Tells batches of events to one address, each in a task of its own."""

    def __init__(
        self,
        url: str | None,
        signer: Signer,
        journal: Journal,
        trouble: Troublemaker,
        time_scale: float,
    ) -> None:
        self._url, self._signer, self._journal = url, signer, journal
        self._trouble, self._time_scale = trouble, time_scale
        self._stranger = Signer.fresh()
        self._places = asyncio.Semaphore(POSTS_MAX)
        self._tasks: set[asyncio.Task[None]] = set()
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIME_LIMIT_S),
            headers={"User-Agent": "SendGrid Event API", "Content-Type": "application/json"},
            auto_decompress=False,
        )
        self.heard = 0
        self.lost = 0
        self.failed_posts = 0

    @property
    def waiting(self) -> int:
        """Batches not yet heard."""
        return len(self._tasks)

    def put(self, batch: str, entries: Sequence[str]) -> None:
        """Tell these events under this batch id, from now on until they are heard."""
        task = asyncio.create_task(self._tell(batch, entries), name=f"webhook {batch}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Stop telling; what is not heard is told after the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    async def _tell(self, batch: str, entries: Sequence[str]) -> None:
        dice, mischief = self._trouble.dice, self._trouble.mischief
        if dice.happens(mischief.webhook_lose):
            return await self._note(batch, heard=False)
        await asyncio.sleep(self._trouble.webhook_delay_s())
        post = self._signed(entries)
        if dice.happens(mischief.webhook_forge):
            await self._post(self._forged(entries, post))
        if dice.happens(mischief.webhook_truncate):
            await self._post(Post(post.body[: len(post.body) // 2], post.headers))
        heard = await self._until_heard(post)
        await self._note(batch, heard)
        if heard:
            await self._tell_again(entries, post)
        return None

    async def _until_heard(self, post: Post) -> bool:
        pause_s, began = FIRST_PAUSE_S, time.monotonic()
        while not await self._post(post):
            if time.monotonic() - began > GIVE_UP_AFTER_S * self._time_scale:
                return False
            await asyncio.sleep(pause_s * self._time_scale)
            pause_s = min(2 * pause_s, PAUSE_S_MAX)
        return True

    async def _tell_again(self, entries: Sequence[str], post: Post) -> None:
        """Acknowledged or not, the vendor may tell a fact again."""
        dice, mischief = self._trouble.dice, self._trouble.mischief
        if dice.happens(mischief.webhook_repeat):
            for _ in range(self._times()):
                await asyncio.sleep(self._trouble.webhook_delay_s())
                await self._post(post)
        if dice.happens(mischief.webhook_reissue):
            for round_ in range(self._times()):
                await asyncio.sleep(self._trouble.webhook_delay_s())
                await self._post(self._signed([reissued(entry, round_) for entry in entries]))

    def _times(self) -> int:
        return 1 + int(self._trouble.dice.between(0, self._trouble.mischief.webhook_repeat_max))

    async def _post(self, post: Post) -> bool:
        """Whether it was answered with a 2xx in time."""
        if self._url is None:
            return True
        async with self._places:
            try:
                async with self._session.post(
                    self._url, data=post.body, headers=post.headers, allow_redirects=False
                ) as answer:
                    ok = 200 <= answer.status < 300
            except (aiohttp.ClientError, TimeoutError, OSError):
                ok = False
        self.failed_posts += not ok
        return ok

    async def _note(self, batch: str, heard: bool) -> None:
        self.heard += heard
        self.lost += not heard
        kind = "heard" if heard else "lost"
        await self._journal.write([json.dumps({"kind": kind, "batch": batch, "at": time.time()})])

    def _signed(self, entries: Sequence[str]) -> Post:
        body = body_of(entries)
        return Post(body, self._signer.headers(body, time.time()))

    def _forged(self, entries: Sequence[str], true: Post) -> Post:
        """The same mails said to have bounced: unsigned, under a stranger's key, or under the
        signature of the true story."""
        lie = {"event": "bounce", "type": "bounce", "reason": "550 5.1.1 no such user"}
        body = body_of([altered(entry, **lie, sg_event_id="forged") for entry in entries])
        stranger = self._stranger.headers(body, time.time())
        return Post(body, self._trouble.dice.pick([{}, stranger, true.headers]))


def body_of(entries: Sequence[str]) -> bytes:
    """The JSON array as the vendor writes it: an entry a line, and a line end after the last."""
    return ("[" + ",\r\n".join(entries) + "]\r\n").encode()
