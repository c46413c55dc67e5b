"""Chance that can be repeated: a stream of fractions fixed by a seed and a text."""

from collections.abc import Sequence
from hashlib import blake2b
from itertools import count
from struct import Struct
from typing import TypeVar

T = TypeVar("T")

_BLOCK = Struct(">16I")


class Dice:
    """The same seed and text give the same throws, on every machine and in every version."""

    __slots__ = ("_blocks", "_key", "_throws")

    def __init__(self, seed: int, text: str) -> None:
        self._key = f"{seed}\0{text}".encode(errors="surrogatepass")
        self._blocks = count()
        self._throws: list[int] = []

    def fraction(self) -> float:
        """At least 0, below 1."""
        if not self._throws:
            block = blake2b(self._key + next(self._blocks).to_bytes(4), digest_size=64).digest()
            self._throws = list(_BLOCK.unpack(block))
        return self._throws.pop() / 2**32

    def happens(self, rate: float) -> bool:
        """True in `rate` of all throws."""
        return rate > 0 and self.fraction() < rate

    def between(self, low: float, high: float) -> float:
        """Evenly spread from low to high."""
        return low + (high - low) * self.fraction()

    def pick(self, choices: Sequence[T]) -> T:
        """One of them, each as likely as the others."""
        return choices[int(self.fraction() * len(choices))]

    def weighted(self, choices: Sequence[tuple[T, float]]) -> T:
        """One of them by its weight in percent; what is missing to 100 goes to the last."""
        left = self.fraction() * 100
        for choice, weight in choices:
            left -= weight
            if left < 0:
                return choice
        return choices[-1][0]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All of them, in another order."""
        return [item for _, item in sorted(((self.fraction(), item) for item in items), key=_throw)]


def _throw(pair: tuple[float, T]) -> float:
    return pair[0]
