"""What surrounds every HTTP call of every face: latency, mischief, and refusals."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from postroom.simulator.mischief import Act, Troublemaker
from postroom.simulator.post_office import PostOffice
from postroom.simulator.spoiling import SPOILING

HANG_S = 600.0
"""A call that is never answered is let go after this: the longest a caller will wait."""


class NotTakenError(Exception):
    """The call took no mail; `answer` says why, or that this was what the caller wanted."""

    def __init__(self, answer: web.Response) -> None:
        super().__init__(f"not taken: {answer.status}")
        self.answer = answer


@dataclass(frozen=True, slots=True)
class House:
    """What all faces share."""

    office: PostOffice
    trouble: Troublemaker
    seed: int
    silent_share: float


class HttpDoor(ABC):
    """The HTTP API of one face."""

    body_bytes_max: int = 30 * 1024 * 1024
    """The vendor's limit for a call."""

    def __init__(self, name: str, house: House) -> None:
        self.name, self.house = name, house

    @abstractmethod
    def routes(self) -> list[web.RouteDef]:
        """The vendor's paths; each is served as it stands and under `/<name>`."""

    @abstractmethod
    def in_trouble(self, status: int) -> web.Response:
        """An answer that has nothing to do with the mail, in the vendor's shape.

        `status`: 400, 401, 403, 404, 405, 413, 429 or 5xx.
        """

    async def call(
        self, request: web.Request, work: Callable[[bytes], Awaitable[web.Response]]
    ) -> web.StreamResponse:
        """What `work` answers to the body, unless mischief comes.

        `work` takes mail or raises NotTakenError.
        """
        try:
            return await self._heard(request, work)
        except NotTakenError as not_taken:
            self.house.office.counts["calls refused"] += not_taken.answer.status >= 400
            return not_taken.answer

    async def _heard(
        self, request: web.Request, work: Callable[[bytes], Awaitable[web.Response]]
    ) -> web.StreamResponse:
        # Read before any wait: a caller who goes away in the meantime has been heard all the same.
        body = await self._body(request)
        trouble = self.house.trouble
        wait_s = trouble.latency_s() / 2
        await asyncio.sleep(wait_s)
        if (act := trouble.before()) is not Act.NOTHING:
            return await self._mischief(act, request)
        answer = await work(body)
        await asyncio.sleep(wait_s)
        act = trouble.after()
        if act in SPOILING:
            return SPOILING[act](answer)
        if act is not Act.NOTHING:
            return await self._mischief(act, request, answer.status)
        return answer

    async def _body(self, request: web.Request) -> bytes:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise NotTakenError(self.in_trouble(413)) from error
        if len(body) > self.body_bytes_max:
            raise NotTakenError(self.in_trouble(413))
        return body

    async def _mischief(
        self, act: Act, request: web.Request, status: int = 0
    ) -> web.StreamResponse:
        mischief = self.house.trouble.mischief
        match act:
            case Act.TOO_MANY:
                return self._later(429)
            case Act.REFUSE:
                return self.in_trouble(mischief.refuse_status)
            case Act.ERROR:
                return self._later(mischief.error_status)
            case Act.HANG:
                await asyncio.sleep(HANG_S)
            case Act.HALF if request.transport:
                request.transport.write(f"HTTP/1.1 {status} OK\r\nContent-Ty".encode())
        return cut(request)

    def _later(self, status: int) -> web.Response:
        answer, after_s = self.in_trouble(status), self.house.trouble.mischief.retry_after_s
        if after_s is not None and status in (429, 503):
            answer.headers["Retry-After"] = str(after_s)
        return answer


def cut(request: web.Request) -> web.StreamResponse:
    """End the connection without an answer; what the handler returns goes nowhere."""
    if request.transport is not None:
        request.transport.close()
    return web.Response(status=500)
