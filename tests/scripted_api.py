"""A provider's management interface that says what a test has written down, over a real socket."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Script = Mapping[str, Any]
"""`METHOD /path?query` to a JSON body for 200, or to (status, body); `InTurn` to several."""


class InTurn:
    """Answers that are given one after another; the last one again and again."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def next(self) -> Any:
        """The answer whose turn it is."""
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@dataclass
class ScriptedApi:
    """What it says, and what it was asked."""

    script: dict[str, Any]
    url: str = ""
    asked: list[str] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)
    otherwise: Any = (404, {"error": "not in the script"})
    """The answer to whatever is not written down."""

    async def handle(self, request: web.Request) -> web.Response:
        """Keep the question and answer it."""
        name = f"{request.method} {request.path_qs}"
        body = await request.read()
        self.asked.append(name)
        self.headers.append(dict(request.headers))
        self.bodies.append(_read(body, request.content_type))
        said = self.script.get(name, self.otherwise)
        if isinstance(said, InTurn):
            said = said.next()
        status, told = said if isinstance(said, tuple) else (200, said)
        return web.Response(status=status, text=json.dumps(told), content_type="application/json")


def _read(body: bytes, content_type: str) -> Any:
    return json.loads(body) if body and content_type == "application/json" else body.decode()


@contextmanager
def scripted_api(script: Script) -> Iterator[ScriptedApi]:
    """A running interface, in a thread of its own."""
    api = ScriptedApi(dict(script))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="scripted-api")
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(_listen(api), loop).result(10)
    try:
        yield api
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _listen(api: ScriptedApi) -> web.AppRunner:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    api.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    return runner
