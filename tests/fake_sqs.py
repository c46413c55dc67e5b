"""A queue for tests: Amazon SQS's JSON over real sockets, with its visibility and its trouble."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class FakeQueue:
    """What waits in it, what was deleted, and how it answers."""

    waiting: list[str] = field(default_factory=list)
    """Bodies that the next question gets."""
    deleted: list[str] = field(default_factory=list)
    """Receipt handles that were let go."""
    asked: list[web.Request] = field(default_factory=list)
    status: int = 200
    keeps: bool = False
    """Whether it deletes nothing although it is asked to."""
    url: str = ""
    given: int = 0
    """How many messages it has given so far."""

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append(request)
        told = json.loads(await request.read())
        if self.status != 200:
            return web.json_response({"__type": "com.amazon#Trouble"}, status=self.status)
        if request.headers["X-Amz-Target"] == "AmazonSQS.ReceiveMessage":
            return web.json_response(self._given(told))
        return web.json_response(self._deleted(told))

    def _given(self, told: dict[str, Any]) -> dict[str, Any]:
        """The next messages: nobody else is given them meanwhile."""
        count = told["MaxNumberOfMessages"]
        given, self.waiting = self.waiting[:count], self.waiting[count:]
        messages = [
            {"MessageId": f"m-{number}", "ReceiptHandle": f"h-{number}", "Body": body}
            for number, body in enumerate(given, self.given)
        ]
        self.given += len(given)
        return {"Messages": messages} if messages else {}

    def _deleted(self, told: dict[str, Any]) -> dict[str, Any]:
        ids = [entry["Id"] for entry in told["Entries"]]
        if self.keeps:
            return {"Successful": [], "Failed": [{"Id": id, "Code": "InternalError"} for id in ids]}
        self.deleted += [entry["ReceiptHandle"] for entry in told["Entries"]]
        return {"Successful": [{"Id": id} for id in ids], "Failed": []}


@asynccontextmanager
async def fake_queue(queue: FakeQueue) -> AsyncIterator[FakeQueue]:
    """The queue, reachable at its `url` until the block ends."""
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/", queue.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    queue.url = f"http://127.0.0.1:{runner.addresses[0][1]}/123456789012/events"
    try:
        yield queue
    finally:
        await runner.cleanup()
