"""Every delivery of a communication with the hand-overs that were begun for it.

What is needed to hold the ledger against somebody else's record of the same hand-overs.
"""

from dataclasses import dataclass
from uuid import UUID

from postroom.ledger.as_of import STATE_NOW
from postroom.ledger.db import connection


@dataclass(frozen=True, slots=True)
class HandedDelivery:
    """One delivery, and under which opaque ids it travelled."""

    recipient: str
    state: str
    handovers: tuple[UUID, ...]
    """Empty: it was never handed over."""


# Deliveries of one communication, each with its hand-overs in the order in which they were begun.
_OF_COMMUNICATION = f"""
SELECT recipient, {STATE_NOW},
       ARRAY(SELECT handover.id FROM handover
              WHERE handover.delivery_id = delivery.id
              ORDER BY begun_at)
  FROM delivery
 WHERE communication_id = (SELECT id FROM communication
                            WHERE application_id = %s AND name = %s)
 ORDER BY delivery.id
"""


def of_communication(application_id: int, communication: str) -> list[HandedDelivery]:
    """All its deliveries, in the order in which they were submitted."""
    with connection() as conn:
        rows = conn.execute(_OF_COMMUNICATION, (application_id, communication))
        return [HandedDelivery(to, state, tuple(ids)) for to, state, ids in rows]
