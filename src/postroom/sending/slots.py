"""Places for calls in flight; one that hangs gives its place away where others need not wait."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_LOOK_S = 1.0


class Slots:
    """So many calls at once, beside those that hang; `ahead` more get ready for a place."""

    def __init__(
        self,
        count: int,
        hangs_after_s: float,
        ahead: int = 0,
        are_closed: Callable[[], bool] = lambda: False,
    ) -> None:
        """`are_closed`: whether no call may begin any more."""
        self.are_closed = are_closed
        self._admitted = asyncio.Semaphore(count + ahead)
        self._free = asyncio.Semaphore(count)
        self.hangs_after_s = hangs_after_s
        self.hanging = 0
        """Calls that have given their place away and are not over."""

    @asynccontextmanager
    async def one(self, may_hang: Callable[[], bool]) -> AsyncIterator["Place"]:
        """A place to take inside; free again when it is left, or the call hangs and `may_hang`."""
        await self._admitted.acquire()
        place = Place(self, may_hang)
        try:
            yield place
        finally:
            place.leave()

    async def take(self) -> None:
        """Returns when a place is free, which it is no more."""
        await self._free.acquire()

    def free(self, is_taken: bool = True) -> None:
        """One place is free, or was not taken after all."""
        self._admitted.release()
        if is_taken:
            self._free.release()


class Place:
    """The place of one call."""

    def __init__(self, slots: Slots, may_hang: Callable[[], bool]) -> None:
        self._slots = slots
        self._may_hang = may_hang
        self._hangs = self._left = False
        self._look: asyncio.TimerHandle | None = None

    async def take(self) -> bool:
        """Whether the call may be made, as soon as that is known; at once if this was taken before.

        False: the sender is stopping.
        """
        if self._look is None:
            await self._slots.take()
            self._look_in(self._slots.hangs_after_s)
        return not self._slots.are_closed()

    def _look_in(self, seconds: float) -> None:
        """See then whether the place can be given away."""
        self._look = asyncio.get_running_loop().call_later(seconds, self._give_away)

    def _give_away(self) -> None:
        if self._may_hang():
            self._hangs = True
            self._slots.hanging += 1
            self._slots.free()
        else:
            self._look_in(_LOOK_S)

    def leave(self) -> None:
        """Free the place, unless that was done before: the call has its answer."""
        if self._left:
            return
        self._left = True
        if self._look is not None:
            self._look.cancel()
        if self._hangs:
            self._slots.hanging -= 1
        else:
            self._slots.free(is_taken=self._look is not None)
