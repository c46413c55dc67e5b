"""UUIDv7 (RFC 9562 section 5.7): ids whose first 48 bits are a millisecond clock."""

import os
from collections.abc import Collection
from datetime import UTC, datetime
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def uuid7(at: datetime) -> UUID:
    """An id of the instant `at` with 74 random bits."""
    return UUID(int=_number(_milliseconds(at), int.from_bytes(os.urandom(10))))


def uuid7_batch(at: datetime, count: int) -> list[UUID]:
    """`count` ids of one instant in ascending order."""
    noise = os.urandom(10 * count)
    at_ms = _milliseconds(at)
    numbers = [
        _number(at_ms, int.from_bytes(noise[start : start + 10]))
        for start in range(0, 10 * count, 10)
    ]
    numbers.sort()
    return [UUID(int=number) for number in numbers]


def uuid7_like(other: UUID) -> UUID:
    """An id of the same instant as `other`, so that both lie in the same partition."""
    return UUID(int=_number(other.int >> 80, int.from_bytes(os.urandom(10))))


def instant_of(id: UUID) -> datetime:
    """The instant that an id carries, in whole milliseconds."""
    return datetime.fromtimestamp((id.int >> 80) / 1000, UTC)


def floor_of(at: datetime) -> UUID:
    """The smallest id of the instant `at`: a bound for ranges, never handed out."""
    return UUID(int=_milliseconds(at) << 80)


def bounds(ids: Collection[UUID]) -> tuple[UUID, UUID]:
    """The range in which every id of the same instants lies, to keep a query to few partitions.

    Hand-over ids carry their delivery's instant, so the bounds of deliveries hold for them too.
    """
    return (
        UUID(int=(min(ids).int >> 80) << 80),
        UUID(int=(((max(ids).int >> 80) + 1) << 80) - 1),
    )


def _milliseconds(at: datetime) -> int:
    delta = at - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1000 + delta.microseconds // 1000


def _number(at_ms: int, noise: int) -> int:
    random_high = (noise >> 64) & 0xFFF
    random_low = noise & ((1 << 62) - 1)
    return (at_ms << 80) | (0x7 << 76) | (random_high << 64) | (0x2 << 62) | random_low
