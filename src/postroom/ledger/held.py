"""What is held: deliveries that wait for a person, or for something that lets them go on."""

from dataclasses import dataclass

from postroom.ledger.db import connection

COUNTED_MAX = 100_000
"""Where more deliveries are held, this many of them are looked at."""


@dataclass(frozen=True, slots=True)
class Held:
    """Deliveries of one communication that are held for one reason."""

    application: str
    communication: str | None
    """None: mail outside of any."""
    simulated: bool
    reason: str
    count: int


def held() -> list[Held]:
    """All that is held, the largest number first."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT application.name, communication.name, simulated, reason, count(*)"
            "  FROM (SELECT application_id, communication_id, simulated, reason"
            "          FROM delivery WHERE stage = 'held' LIMIT %s) AS kept"
            "  JOIN application ON application.id = kept.application_id"
            "  LEFT JOIN communication ON communication.id = kept.communication_id"
            " GROUP BY 1, 2, 3, 4"
            " ORDER BY count(*) DESC, 1, 2 NULLS FIRST, 4, 3",
            (COUNTED_MAX,),
        ).fetchall()
    return [Held(*row) for row in rows]
