"""What is written about a claim goes claim by claim, for each has its own number."""

from collections.abc import ItemsView, Iterable
from typing import Protocol
from uuid import UUID


class Fenced(Protocol):
    """Something about a claimed delivery."""

    @property
    def delivery_id(self) -> UUID: ...
    @property
    def fence(self) -> int: ...


def by_fence(claimed: Iterable[Fenced]) -> ItemsView[int, list[UUID]]:
    """Delivery ids by the claim they were taken in."""
    groups: dict[int, list[UUID]] = {}
    for one in claimed:
        groups.setdefault(one.fence, []).append(one.delivery_id)
    return groups.items()
