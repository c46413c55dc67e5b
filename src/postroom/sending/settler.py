"""Records how calls ended: those of a few milliseconds in one ledger call."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from postroom.ledger.settlements import Settlement
from postroom.sending.patience import patiently

_log = logging.getLogger(__name__)

_TOGETHER_S = 0.005
_TOGETHER_MAX = 200


class Settler:
    """Collects settlements and writes them; waits out a database that is away."""

    def __init__(self, settle: Callable[[Sequence[Settlement]], None]) -> None:
        self._settle = settle
        self._waiting: list[tuple[Settlement, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def settled(self, settlement: Settlement) -> None:
        """Return once the settlement is committed, or dropped as one that no ledger takes."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((settlement, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            await asyncio.sleep(_TOGETHER_S)
            batch = self._waiting[:_TOGETHER_MAX]
            del self._waiting[:_TOGETHER_MAX]
            await self._write_batch([settlement for settlement, _ in batch])
            for _, done in batch:
                done.set_result(None)

    async def _write_batch(self, batch: Sequence[Settlement]) -> None:
        try:
            await patiently(self._settle, batch)
        except Exception:  # noqa: BLE001 - found, alone, by the writing one by one
            await self._write_one_by_one(batch)

    async def _write_one_by_one(self, batch: Sequence[Settlement]) -> None:
        """One that cannot be written never sinks the others; the lease ends its attempt."""
        if len(batch) > 1:
            for settlement in batch:
                await self._write_batch([settlement])
            return
        _log.exception("ALARM attempt %s cannot be settled", batch[0].attempt_id)
