"""How a refused call goes again, smaller, until the one that cannot go stands alone."""

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def halves(refused: Sequence[T]) -> tuple[tuple[T, ...], tuple[T, ...]]:
    """The two halves of a refused batch of two or more, the first one larger when it is odd.

    With one guilty in n, at most 2 * ceil(log2 n) further calls find it.
    """
    middle = (len(refused) + 1) // 2
    return tuple(refused[:middle]), tuple(refused[middle:])
