"""Places for calls in flight; one that hangs gives its place away where others need not wait."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

_LOOK_S = 1.0


class Slots:
    """So many calls at once, beside those that hang."""

    def __init__(self, count: int, hangs_after_s: float) -> None:
        self._free = asyncio.Semaphore(count)
        self._hangs_after_s = hangs_after_s
        self.hanging = 0
        """Calls that have given their place away and are not over."""

    @asynccontextmanager
    async def one(self, may_hang: Callable[[], bool]) -> AsyncIterator["Place"]:
        """A place for the call made inside, while it lasts or until it hangs and `may_hang`."""
        await self._free.acquire()
        place = Place(self, may_hang)
        place.look_in(self._hangs_after_s)
        try:
            yield place
        finally:
            place.leave()

    def hang(self) -> None:
        """One call more hangs, and its place is free."""
        self.hanging += 1
        self._free.release()

    def leave(self, hung: bool) -> None:
        """One call is over."""
        if hung:
            self.hanging -= 1
        else:
            self._free.release()


class Place:
    """The place of one call."""

    def __init__(self, slots: Slots, may_hang: Callable[[], bool]) -> None:
        self._slots = slots
        self._may_hang = may_hang
        self._hangs = self._left = False

    def look_in(self, seconds: float) -> None:
        """See then whether the place can be given away."""
        self._look = asyncio.get_running_loop().call_later(seconds, self._give_away)

    def _give_away(self) -> None:
        if self._may_hang():
            self._hangs = True
            self._slots.hang()
        else:
            self.look_in(_LOOK_S)

    def leave(self) -> None:
        """Free the place, unless that was done before: the call has its answer."""
        if not self._left:
            self._left = True
            self._look.cancel()
            self._slots.leave(self._hangs)
