"""The newest deliveries of an application: all of them, in order, and no other row is read."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from postroom.ledger import reading
from postroom.ledger.acceptance import NewMessage
from postroom.ledger.db import connection, transaction
from postroom.ledger.messages import write_messages
from postroom.ledger.newest import page_of_newest
from postroom.ledger.selecting import Selection
from postroom.ledger.wanted import Wanted
from tests.ledger import making

pytestmark = pytest.mark.usefixtures("ledger")


def mixed(application_id: int) -> Iterator[NewMessage]:
    """Messages to few and to many."""
    for number, count in enumerate((1, 4, 1, 9, 2, 1, 1, 6)):
        yield making.new_message(
            application_id, [f"r{number}-{one}@example.com" for one in range(count)]
        )


def written_at_three_instants(application_id: int, other_id: int) -> None:
    """Messages of two applications, some of one instant: their ids stand mixed."""
    now = making.now()
    for second in range(3):
        with transaction() as conn:
            both = [*mixed(application_id), *mixed(other_id)]
            write_messages(conn, both, now + timedelta(seconds=second - 10))


def all_pages(wanted: Wanted, limit: int, **more: Any) -> list[UUID]:
    """The ids of every page, one after the other."""
    ids: list[UUID] = []
    while True:
        before = ids[-1] if ids else None
        page = reading.find(wanted, before=before, limit=limit, **more).items
        ids += [one.id for one in page]
        if len(page) < limit:
            return ids


@pytest.mark.parametrize("limit", [1, 2, 5, 13, 100])
def test_pages_of_any_size_hold_every_delivery_once_and_in_order(limit: int) -> None:
    shop, payroll = making.application("shop"), making.application("payroll")
    written_at_three_instants(shop, payroll)
    with connection() as conn:
        rows = conn.execute("SELECT id FROM delivery WHERE application_id = %s", (shop,))
        own = sorted((id for (id,) in rows), reverse=True)
    assert len(own) == 75
    assert all_pages(Wanted((shop,)), limit) == own
    assert all_pages(Wanted((shop,)), limit, as_of=making.now()) == own


@pytest.mark.parametrize("limit", [3, 100])
def test_times_choose_among_the_newest(limit: int) -> None:
    shop, payroll = making.application("shop"), making.application("payroll")
    written_at_three_instants(shop, payroll)
    with connection() as conn:
        instants = conn.execute("SELECT DISTINCT accepted_at FROM message ORDER BY 1").fetchall()
        middle = [
            id
            for (id,) in conn.execute(
                "SELECT delivery.id"
                "  FROM delivery JOIN message ON message.id = message_id"
                " WHERE accepted_at = %s AND message.application_id = %s"
                " ORDER BY 1 DESC",
                (instants[1][0], shop),
            )
        ]
    within = Wanted((shop,), since=instants[1][0], until=instants[2][0])
    assert len(middle) == 25
    assert all_pages(within, limit) == middle


def test_what_is_read_for_a_page_does_not_grow_with_other_applications_mail() -> None:
    shop, payroll = making.application("shop"), making.application("payroll")
    written_at_three_instants(shop, shop)
    for number in range(20):
        recipients = [f"p{number}-{one}@example.com" for one in range(200)]
        making.accept(making.new_message(payroll, recipients))
    with transaction() as conn:
        conn.execute("ANALYZE delivery")
        conn.execute("ANALYZE message")
        messages = Selection()
        messages.equal("message.application_id", shop)
        page, values = page_of_newest(conn, messages, None, 10)
        explained = conn.execute(
            f"EXPLAIN (ANALYZE, FORMAT JSON) WITH {page} SELECT id FROM page", values
        ).fetchall()[0][0]
    assert 10 <= rows_read(explained) < 200, json.dumps(explained)


def rows_read(plan: Any) -> int:
    """The rows that a plan's scans took up, those that a filter then dropped among them."""
    if isinstance(plan, list):
        return sum(map(rows_read, plan))
    if not isinstance(plan, dict):
        return 0
    own = 0
    if plan.get("Relation Name"):
        own = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        own = int(own * plan["Actual Loops"])
    return own + sum(map(rows_read, plan.values()))
