"""Asking a provider again for events that it has told, or failed to tell."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from postroom.providers.base import Account, Heard, Reply, ReplyKind
from postroom.providers.http_calls import Answer, HttpCalls, Request

PULLED = "x-postroom-pulled"
"""Header of a receipt that was asked for: its body is read by `History.parse`."""

TIMEOUT_S = 60.0
ANSWER_BYTES_MAX = 32 * 1024 * 1024
"""Some thousand events of a few kilobytes each."""


class HistoryFailed(Exception):
    """The provider could not be asked, or declined; the message says why, without secrets."""

    def __init__(self, why: str, retry_after_s: float | None = None) -> None:
        """`retry_after_s` is how long the provider asks to wait; None: it asks for nothing."""
        super().__init__(why)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Page:
    """A part of what happened in a stretch of time."""

    body: bytes = field(repr=False)
    """As the provider answered it; empty when it holds no events."""
    place: str | None
    """Where the next part begins; None: this was the last."""


class History(Protocol):
    """What a provider tells, when asked, of events in a stretch of time."""

    needs: frozenset[str]
    """Settings that an account must have to be asked."""
    names_our_id: bool
    """Whether its events carry our hand-over id, so that they tell of a call in doubt too."""
    kept: timedelta
    """How far back it goes."""
    pause_s: float
    """Between two questions: its limit."""

    async def page(
        self, account: Account, since: datetime, until: datetime, place: str | None
    ) -> Page:
        """The events from `place` on, None being the beginning; raises HistoryFailed.

        Asked again for the same place it may answer the same again: a fact counts once.
        """
        ...

    def parse(self, body: bytes) -> Iterator[Heard]:
        """The events of a page's body; raises Unreadable. An event that a notification told too
        is the same fact, as far as the provider tells the same of it."""
        ...

    async def close(self) -> None:
        """Let kept connections go."""
        ...


@dataclass(frozen=True, slots=True)
class Mail:
    """One hand-over, as far as a provider can be asked about it."""

    handover_id: UUID
    recipient: str
    provider_message_id: str | None
    """What the provider answered; None: its answer is not known."""
    begun_at: datetime


class LookUp(ABC):
    """What a provider tells, when asked, of single mails: where it lists no events, or where its
    limit would not let us through the list."""

    needs: frozenset[str]
    """Settings that an account must have to be asked."""
    names_our_id: bool
    """Whether it can be asked about a mail of a call in doubt."""
    kept: timedelta
    """How far back it goes."""
    pause_s: float
    """Between two times of asking: its limit."""
    mails_max: int
    """Mails that are asked for at one time."""
    silent_for: timedelta
    """How long nothing was heard of a mail before it is asked for."""

    @abstractmethod
    async def ask(self, account: Account, mails: Sequence[Mail]) -> bytes:
        """What happened to these mails, for `parse`; empty when nothing is known of them.

        Raises HistoryFailed.
        """

    @abstractmethod
    def parse(self, body: bytes) -> Iterator[Heard]:
        """The events of what `ask` gave back; as `History.parse`."""

    @abstractmethod
    async def close(self) -> None:
        """Let kept connections go."""


class HistoryCalls:
    """Asks, and gives back bytes."""

    def __init__(self) -> None:
        self._calls = HttpCalls(TIMEOUT_S, ANSWER_BYTES_MAX)

    async def get(self, account: Account, url: str, headers: Mapping[str, str]) -> bytes:
        """The body of a whole 200; raises HistoryFailed."""
        reply = await self._answer(account, Request(url, b"", dict(headers), "GET"))
        if reply.kind is not ReplyKind.TAKEN:
            raise _failed(reply)
        return reply.body

    async def find(self, account: Account, url: str, headers: Mapping[str, str]) -> bytes | None:
        """As `get`; None when the provider knows nothing of that name (404)."""
        reply = await self._answer(account, Request(url, b"", dict(headers), "GET"))
        if reply.status == 404:
            return None
        if reply.kind is not ReplyKind.TAKEN:
            raise _failed(reply)
        return reply.body

    async def post(
        self, account: Account, url: str, headers: Mapping[str, str], body: object
    ) -> bytes:
        """As `get`, with `body` as JSON."""
        told = {"Content-Type": "application/json"} | dict(headers)
        reply = await self._answer(account, Request(url, json.dumps(body).encode(), told, "POST"))
        if reply.kind is not ReplyKind.TAKEN:
            raise _failed(reply)
        return reply.body

    async def _answer(self, account: Account, request: Request) -> Reply:
        headers = {"Accept": "application/json"} | dict(request.headers)
        whole = Request(request.url, request.body, headers, request.method)
        return await self._calls.make(account, whole, _as_it_is)

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()


def _as_it_is(answer: Answer) -> Reply:
    whole = answer.status == 200 and answer.whole
    kind = ReplyKind.TAKEN if whole else ReplyKind.TRY_LATER
    return Reply(kind, answer.status, answer.headers, answer.body)


def _failed(reply: Reply) -> HistoryFailed:
    said = " ".join(reply.body[:300].decode("utf-8", "replace").split())
    if reply.status is None:
        return HistoryFailed(f"no answer: {reply.error}")
    if reply.status in (401, 403):
        return HistoryFailed(f"the provider refuses the credentials ({reply.status}): {said}")
    if reply.status == 200:
        return HistoryFailed("the answer broke off")
    return HistoryFailed(f"the provider answered {reply.status}: {said}", _wait_s(reply))


def _wait_s(reply: Reply) -> float | None:
    asked = reply.headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else None
