"""However large the backlog, the content that lies ready for calls has a bound."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.lane import Lane
from postroom.ledger.queue import Claimed
from postroom.sending.messages import weight
from postroom.sending.shelf import Portion, Shelf

BOUND = weight(100)


def claims(messages: Sequence[int]) -> list[Claimed]:
    """A claim of each of these messages, in this order."""
    return [
        Claimed(
            delivery_id=UUID(int=number),
            message_id=UUID(int=message),
            simulated=True,
            lane=Lane.BULK,
            recipient="a@example.org",
            recipient_name=None,
            vars={},
            ref=None,
            tries=0,
            fence=1,
            lease_until=datetime(2026, 11, 24, tzinfo=UTC),
        )
        for number, message in enumerate(messages)
    ]


def portions(messages: Sequence[int], sizes: dict[int, int]) -> list[Portion]:
    """The portions of a claim of each of these messages."""
    named = {UUID(int=number): size for number, size in sizes.items()}
    return list(Shelf(BOUND).portions(claims(messages), named))


@given(
    messages=st.lists(st.integers(1, 8), min_size=1, max_size=50),
    sizes=st.lists(st.integers(0, 250), min_size=9, max_size=9),
)
def test_no_portion_is_larger_than_the_shelf_unless_it_is_one_message(
    messages: list[int], sizes: list[int]
) -> None:
    found = portions(messages, dict(enumerate(sizes)))
    planned = [one.delivery_id.int for portion in found for one in portion.claimed]
    assert sorted(planned) == list(range(len(messages)))
    for portion in found:
        ids = {one.message_id for one in portion.claimed}
        assert portion.weight == sum(weight(sizes[id.int]) for id in ids)
        assert portion.weight <= BOUND or len(ids) == 1


def test_small_mails_are_planned_a_hundred_at_a_time() -> None:
    found = portions(range(1, 251), {})
    assert [len(portion.claimed) for portion in found] == [100, 100, 50]


def test_what_has_no_room_waits_for_what_lies_there() -> None:
    async def lain() -> list[int]:
        shelf, seen = Shelf(100), []

        async def lay(weight: int) -> None:
            await shelf.put(weight)
            seen.append(shelf.used)
            await asyncio.sleep(0)
            shelf.take(weight)

        await asyncio.gather(*map(lay, [60, 40, 1, 300, 99]))
        return [*seen, shelf.used]

    used = asyncio.run(lain())
    assert max(one for one in used if one != 300) <= 100
    assert max(used) == 300, "what is larger than the shelf lies there alone"
    assert used[-1] == 0
