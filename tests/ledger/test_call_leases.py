"""Calls in flight of an account, shared through the ledger."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from postroom.domain.in_flight import Need, Share
from postroom.ledger import call_leases
from postroom.ledger.db import connection
from tests.ledger.making import account

pytestmark = pytest.mark.usefixtures("ledger")


def lease(sender: UUID, wanted: int, busy: int = 0) -> int:
    need = Need(Share(busy), Share(wanted))
    return call_leases.lease(account(), sender, 10, need).ordinary


def test_senders_that_ask_at_once_never_have_more_than_there_are() -> None:
    account()
    senders = [uuid4() for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        had = list(threads.map(lambda sender: lease(sender, 8), senders))
    assert sum(had) <= 8, "two of ten are for urgent mail"
    assert call_leases.held() == {account(): sum(had)}


def test_what_a_dead_sender_held_is_free_after_its_lease() -> None:
    assert lease(uuid4(), 8) == 8
    other = uuid4()
    assert lease(other, 8) == 0
    with connection() as conn:
        conn.execute("UPDATE account_calls SET ends_at = now() WHERE ordinary = 8")
    assert lease(other, 8) == 8


def test_what_is_given_back_goes_to_who_needs_it() -> None:
    first, second = uuid4(), uuid4()
    assert lease(first, 8) == 8
    assert lease(second, 8) == 0
    assert lease(first, 8, busy=8) == 4, "four more than its share end before it makes another"
    assert lease(second, 8) == 0
    assert lease(first, 8, busy=4) == 4
    assert lease(second, 8) == 4
    call_leases.give_back(account(), first)
    assert lease(second, 8) == 8
