"""How many deliveries were opened and clicked: a range, since not of every hit can be told by whom.

Deliveries are counted, not hits, so that what both we and a provider heard of counts once.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.ledger.db import Connection
from postroom.ledger.ids import bounds


@dataclass(frozen=True, slots=True)
class Range:
    """Deliveries with at least one hit of a kind."""

    human: int = 0
    """By a person, as far as the rules can tell."""
    at_most: int = 0
    """With those of which nobody can tell."""
    with_machines: int = 0
    """With those that only machines hit."""


NONE = {str(kind): Range() for kind in (EventType.OPENED, EventType.CLICKED)}

# Hits of one communication that were recorded by the instant, read as they are read today. What
# the rows of deliveries say keeps the look to those that were ever hit.
_RANGES = """
WITH hit AS (
    SELECT id
      FROM delivery
     WHERE communication_id = %(communication)s AND simulated = %(simulated)s
       AND id BETWEEN %(low)s AND %(high)s
       AND (opened_at IS NOT NULL OR clicked_at IS NOT NULL)
)
SELECT type,
       count(DISTINCT id) FILTER (WHERE NOT machine),
       count(DISTINCT id) FILTER (WHERE machine IS NOT TRUE),
       count(DISTINCT id)
  FROM hit
  JOIN event ON event.delivery_id = hit.id
 WHERE event.delivery_id BETWEEN %(low)s AND %(high)s
   AND type = ANY(%(kinds)s)
   AND recorded_at <= %(at)s
 GROUP BY type
"""


def ranges(
    conn: Connection,
    communication_id: int,
    simulated: bool,
    ends: tuple[UUID, UUID],
    at: datetime | None,
) -> dict[str, Range]:
    """By `opened` and `clicked`, as known at an instant, or now; without those never heard of.

    `ends` are the first and last id that a delivery of the communication can have.
    """
    low, high = bounds(ends)
    rows = conn.execute(
        _RANGES,
        {
            "communication": communication_id,
            "simulated": simulated,
            "low": low,
            "high": high,
            "kinds": list(NONE),
            "at": at or "infinity",
        },
    )
    return {kind: Range(*counts) for kind, *counts in rows}
