"""The newest deliveries of an application, where nothing narrower was asked for.

Deliveries have no index by application: it would cost every acceptance. Messages have one, and
count their recipients, so a page is found over as many of the newest messages as fill it.
What is read depends on the page, not on how much mail others sent or how long ago.
"""

from collections.abc import Iterable
from uuid import UUID

from postroom.ledger.db import Connection
from postroom.ledger.ids import bounds
from postroom.ledger.selecting import Selection

_LAST = UUID(int=(1 << 128) - 1)

# Of each message its newest deliveries below the edge, and of those the newest.
_PAGE = """
page AS MATERIALIZED (
    SELECT delivery.*, message.subject, message.accepted_at, message.send_at
      FROM message
     CROSS JOIN LATERAL (
           SELECT *
             FROM delivery
            WHERE delivery.message_id = message.id
              AND delivery.id >= %(lowest)s
              AND delivery.id < %(edge)s
            ORDER BY delivery.id DESC
            LIMIT %(limit)s
           ) AS delivery
     WHERE {where}
       AND message.id >= %(lowest)s
       AND message.id < %(edge)s
     ORDER BY delivery.id DESC
     LIMIT %(limit)s
)"""


def page_of_newest(
    conn: Connection, messages: Selection, before: UUID | None, limit: int
) -> tuple[str, dict[str, object]]:
    """The statement part `page` with its values: up to `limit` deliveries of these messages.

    `messages` selects by properties of `message` alone; `before` is a delivery's id.
    """
    edge = before or _LAST
    values = messages.values | {"limit": limit, "edge": edge, "instant": bounds([edge])[0]}
    # Messages of the edge's own instant may have all their deliveries beyond it: not counted.
    rows = conn.execute(
        "SELECT id, recipients"
        "  FROM message"
        f" WHERE {messages.where} AND message.id < %(instant)s"
        " ORDER BY id DESC"
        " LIMIT %(limit)s",
        values,
    )
    return _PAGE.format(where=messages.where), values | {"lowest": _lowest(rows, limit)}


def _lowest(messages: Iterable[tuple[UUID, int]], wanted: int) -> UUID:
    """The id above which the newest `wanted` deliveries of these messages, newest first, lie.

    The ids of a message and of its deliveries carry one instant, in which all ids are mixed.
    """
    for id, recipients in messages:
        wanted -= recipients
        if wanted <= 0:
            return bounds([id])[0]
    return UUID(int=0)
