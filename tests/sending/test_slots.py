"""A call that hangs gives its place away, and only where it may."""

import asyncio

import pytest

from postroom.sending.slots import Slots


async def most_at_once(slots: Slots, calls: int, may_hang: bool) -> tuple[int, int]:
    """How many calls were made at once, and how many of them hung, when none ever ends."""
    begun = 0

    async def call() -> None:
        nonlocal begun
        async with slots.one(lambda: may_hang) as place:
            await place.take()
            begun += 1
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(call()) for _ in range(calls)]
    await asyncio.wait(tasks, timeout=0.3)
    seen = begun, slots.hanging
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert slots.hanging == 0
    return seen


@pytest.mark.parametrize(("may_hang", "seen"), [(False, (2, 0)), (True, (6, 6))])
def test_calls_that_hang_make_room_for_others(may_hang: bool, seen: tuple[int, int]) -> None:
    assert asyncio.run(most_at_once(Slots(2, 0.05), 6, may_hang)) == seen


def test_every_place_is_given_back_once() -> None:
    async def made() -> tuple[int, int]:
        slots = Slots(3, 0.02)
        for number in range(12):
            async with slots.one(lambda: True) as place:
                await place.take()
                over = asyncio.get_running_loop().create_future()
                await asyncio.wait([over], timeout=0.03 * (number % 3 == 0))
        return await most_at_once(slots, 9, may_hang=False)

    assert asyncio.run(made()) == (3, 0)


def test_a_place_is_free_as_soon_as_its_call_is_answered_and_only_once() -> None:
    async def made() -> tuple[int, int]:
        slots = Slots(2, 60)
        async with slots.one(lambda: False) as place:
            await place.take()
            place.leave()
            assert await most_at_once(slots, 3, may_hang=False) == (2, 0)
        return await most_at_once(slots, 3, may_hang=False)

    assert asyncio.run(made()) == (2, 0)


def test_some_get_ready_while_all_places_are_taken() -> None:
    async def seen() -> tuple[int, int]:
        slots = Slots(2, 60, ahead=3)
        ready = called = 0

        async def call() -> None:
            nonlocal ready, called
            async with slots.one(lambda: False) as place:
                ready += 1
                await place.take()
                called += 1
                await asyncio.Event().wait()

        tasks = [asyncio.create_task(call()) for _ in range(9)]
        await asyncio.wait(tasks, timeout=0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert await most_at_once(slots, 9, may_hang=False) == (2, 0)
        return ready, called

    assert asyncio.run(seen()) == (5, 2)
