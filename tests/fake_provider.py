"""A provider's HTTP face for tests: keeps what it is sent, and answers as a test says."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass(frozen=True)
class Asked:
    """One call."""

    number: int
    """From 1."""
    body: Mapping[str, Any]

    @property
    def recipients(self) -> list[str]:
        """Every recipient of the call, in order."""
        return [to["email"] for one in self.body["personalizations"] for to in one["to"]]


@dataclass(frozen=True)
class Says:
    """An answer; no status: the connection is closed, or held for `after_s` first."""

    status: int | None = 202
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    after_s: float = 0.0


TAKEN = Says(202, headers={"X-Message-Id": "sg-1"})

Answer = Callable[[Asked], Says]


def refusing(*guilty: str, named: bool = False) -> Answer:
    """Refuses every call with one of these recipients, and names the place of the first or not."""

    def answer(asked: Asked) -> Says:
        found = [to for to in asked.recipients if to in guilty]
        if not found:
            return TAKEN
        where = f"personalizations.{asked.recipients.index(found[0])}.to.0.email" if named else None
        message = "Does not contain a valid address." if named else "Bad Request"
        return Says(400, json.dumps({"errors": [{"message": message, "field": where}]}))

    return answer


@dataclass
class FakeProvider:
    """What the provider is asked to say, and what it was sent."""

    answer: Answer = lambda _asked: TAKEN
    port: int = 0
    asked: list[Asked] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    """Recipients for which it took responsibility, once for each time."""
    under_way: int = 0
    """Calls that it has not answered yet."""
    at_once: int = 0
    """The most of them there have been."""

    async def handle(self, request: web.Request) -> web.Response:
        """Keep the call and answer it."""
        asked = Asked(len(self.asked) + 1, json.loads(await request.read()))
        self.asked.append(asked)
        says = self.answer(asked)
        self.under_way += 1
        self.at_once = max(self.at_once, self.under_way)
        try:
            await asyncio.sleep(says.after_s)
        finally:
            self.under_way -= 1
        if says.status == 202 or says.status is None:
            self.taken += asked.recipients
        if says.status is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.Response(status=says.status, text=says.body, headers=says.headers)


@contextmanager
def fake_provider(answer: Answer | None = None) -> Iterator[FakeProvider]:
    """A running provider, in a thread of its own."""
    provider = FakeProvider() if answer is None else FakeProvider(answer)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="fake-provider")
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(_listen(provider), loop).result(10)
    try:
        yield provider
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _listen(provider: FakeProvider) -> web.AppRunner:
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/v3/mail/send", provider.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    provider.port = runner.addresses[0][1]
    return runner
