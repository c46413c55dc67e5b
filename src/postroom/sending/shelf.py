"""How much content lies ready for calls: a bound in bytes, whatever the backlog."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from postroom.ledger.queue import Claimed
from postroom.sending.messages import weight
from postroom.sending.planning import by_message

_MESSAGES_MAX = 100
"""Messages planned together: the first calls are not to wait for the planning of a thousand."""


@dataclass(slots=True)
class Portion:
    """Claims that are planned together."""

    claimed: list[Claimed] = field(default_factory=list)
    weights: dict[UUID, int] = field(default_factory=dict)
    """Bytes that each message takes."""

    @property
    def weight(self) -> int:
        """Bytes that all its messages take."""
        return sum(self.weights.values())


class Shelf:
    """Room for the content of calls that are planned and have not ended."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._freed = asyncio.Event()
        self.used = 0
        """Bytes, by estimate."""

    def portions(
        self, claimed: Sequence[Claimed], submission_bytes: Mapping[UUID, int]
    ) -> Iterator[Portion]:
        """The claims in their order, in portions that have room; a larger message comes alone."""
        portion = Portion()
        for id, group in by_message(claimed).items():
            more = weight(submission_bytes.get(id, 0))
            is_full = portion.weight + more > self._bytes_max
            if portion.claimed and (is_full or len(portion.weights) == _MESSAGES_MAX):
                yield portion
                portion = Portion()
            portion.claimed += group
            portion.weights[id] = more
        yield portion

    async def put(self, weight: int) -> None:
        """Returns once there is room for it, which it has from then on.

        What is larger than the shelf has room when nothing else is there.
        """
        while self.used and self.used + weight > self._bytes_max:
            self._freed.clear()
            await self._freed.wait()
        self.used += weight

    def take(self, weight: int) -> None:
        """So many bytes are needed no more."""
        self.used -= weight
        self._freed.set()
