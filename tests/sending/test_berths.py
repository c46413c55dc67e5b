"""Calls in flight of an account, of all senders together."""

import asyncio

import pytest

from postroom.domain.in_flight import Need, Share
from postroom.domain.lane import Lane
from postroom.ledger import call_leases
from postroom.sending import berths as room
from postroom.sending.berths import Berths
from postroom.sending.meter import Later
from tests.fake_provider import Asked, Says, fake_provider
from tests.fake_smtp import fake_smtp
from tests.helpers import eventually
from tests.sending.posting import add_account, people, post_http, post_smtp, sending, stages


def slowly(_asked: Asked) -> Says:
    return Says(202, headers={"X-Message-Id": "sg-1"}, after_s=0.05)


@pytest.mark.usefixtures("ledger")
def test_two_senders_together_keep_the_calls_in_flight_of_an_account() -> None:
    with fake_provider(slowly) as provider:
        add_account(provider, calls_in_flight="5")
        for number in range(60):
            post_http(["a@example.org"], subject=str(number))
        with sending(), sending():
            eventually(lambda: stages() == {"submitted": 60}, within_s=30)
        assert call_leases.held() == {}, "a sender that stops gives back what it held"
    assert 2 <= provider.at_once <= 4, "one is for urgent mail"


@pytest.mark.usefixtures("ledger")
def test_urgent_calls_have_places_of_their_own() -> None:
    with fake_provider(lambda _: Says(202, after_s=0.3)) as provider:
        add_account(provider, calls_in_flight="2")
        for number in range(8):
            post_http(["a@example.org"], {"lane": Lane.BULK}, subject=str(number))
        with sending():
            eventually(lambda: len(provider.asked) == 2)
            post_http(["urgent@example.org"], {"lane": Lane.URGENT})
            eventually(lambda: "urgent@example.org" in provider.taken)
            assert len(provider.taken) < 9
            eventually(lambda: stages() == {"submitted": 9}, within_s=30)
    assert provider.at_once == 2


@pytest.mark.usefixtures("ledger")
def test_connections_that_are_counted_are_let_go_when_they_are_idle() -> None:
    mail = b"From: a@example.com\r\nSubject: Hello\r\n\r\nHello\r\n"
    with fake_smtp() as server:
        add_account(server=server, calls_in_flight="1")
        with sending():
            post_smtp(people(3), mail)
            eventually(lambda: stages() == {"submitted": 3})
            assert server.connections == 1
            eventually(lambda: server.open == 0)


def berths_of(*shares: Share) -> tuple[Berths, list[Need]]:
    """Berths whose ledger gives these shares one after the other; what it was asked for."""
    asked: list[Need] = []

    def lease(_most: int, need: Need) -> Share:
        asked.append(need)
        return shares[min(len(asked), len(shares)) - 1]

    berths = Berths(lease, lambda: None)
    berths.most = 10
    return berths, asked


def test_many_calls_cost_one_question() -> None:
    berths, asked = berths_of(Share(4))

    async def calls() -> None:
        for _ in range(100):
            (await berths.take(Lane.NORMAL)).leave()
        await berths.close()

    asyncio.run(calls())
    assert len(asked) == 1


def test_urgent_calls_come_first() -> None:
    berths, _ = berths_of(Share(1))
    came: list[Lane] = []

    async def call(lane: Lane) -> None:
        berth = await berths.take(lane)
        came.append(lane)
        berth.leave()
        berth.leave()

    async def calls() -> None:
        await asyncio.gather(*map(call, [Lane.BULK, Lane.NORMAL, Lane.URGENT]))
        await berths.close()

    asyncio.run(calls())
    assert came == [Lane.URGENT, Lane.NORMAL, Lane.BULK]


def test_who_gets_no_berth_in_time_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "WAIT_S_MAX", 0.05)
    berths, _ = berths_of(Share(0))

    async def call() -> None:
        try:
            await berths.take(Lane.NORMAL)
        finally:
            await berths.close()

    with pytest.raises(Later):
        asyncio.run(call())


def test_without_a_limit_nobody_is_asked() -> None:
    berths, asked = berths_of(Share(0))
    berths.most = None

    async def call() -> None:
        (await berths.take(Lane.BULK)).leave()

    asyncio.run(call())
    assert asked == []
