"""Begins attempts: those of a few milliseconds in one commit, each before its own call."""

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

from postroom.ledger.attempts import NewAttempt
from postroom.ledger.db import LedgerUnavailable

_TOGETHER_S = 0.002
_TOGETHER_MAX = 200

_Waiting = tuple[NewAttempt, asyncio.Future[set[UUID]]]


class Beginner:
    """Collects attempts and commits them together: a commit for every single mail costs more."""

    def __init__(self, begin: Callable[[Sequence[NewAttempt]], Sequence[set[UUID]]]) -> None:
        self._begin = begin
        self._waiting: list[_Waiting] = []
        self._writing: asyncio.Task[None] | None = None

    async def begun(self, attempt: NewAttempt) -> set[UUID]:
        """The deliveries that were begun, once that is committed; LedgerUnavailable if not."""
        begun: asyncio.Future[set[UUID]] = asyncio.get_running_loop().create_future()
        self._waiting.append((attempt, begun))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        return await begun

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(_TOGETHER_S)
            batch = self._waiting[:_TOGETHER_MAX]
            del self._waiting[:_TOGETHER_MAX]
            await self._write_batch(batch)

    async def _write_batch(self, batch: Sequence[_Waiting]) -> None:
        try:
            results = await asyncio.to_thread(self._begin, [attempt for attempt, _ in batch])
        except Exception as error:  # noqa: BLE001 - handed on to those who wait
            await self._divide(batch, error)
        else:
            for (_, begun), result in zip(batch, results, strict=True):
                begun.set_result(result)

    async def _divide(self, batch: Sequence[_Waiting], error: Exception) -> None:
        """One attempt that cannot be written never sinks the others; an absent ledger sinks all."""
        if isinstance(error, LedgerUnavailable) or len(batch) == 1:
            for _, begun in batch:
                begun.set_exception(error)
        else:
            for one in batch:
                await self._write_batch([one])
