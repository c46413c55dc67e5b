"""What the ledger knows of the hand-over that a return path names."""

from dataclasses import dataclass
from uuid import UUID

from postroom.ledger.db import connection


@dataclass(frozen=True, slots=True)
class Origin:
    """A hand-over, as far as mail that comes back needs it."""

    account_id: int
    message_id: UUID
    simulated: bool
    recipient: str
    from_address: str


def origin_of(handover_id: UUID) -> Origin | None:
    """The hand-over's origin; None when there is none of that id any more."""
    with connection() as conn:
        row = conn.execute(
            "SELECT handover.account_id, message.id, delivery.simulated, recipient, from_address"
            "  FROM handover"
            "  JOIN delivery ON delivery.id = handover.delivery_id"
            "  JOIN message ON message.id = delivery.message_id"
            " WHERE handover.id = %s",
            (handover_id,),
        ).fetchone()
    return None if row is None else Origin(*row)
