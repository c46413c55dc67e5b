"""Mail that was handed over at some time, and what was heard of it: told in any order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from postroom.domain.delivery import EventType
from postroom.ledger.db import connection, transaction
from postroom.ledger.events import NewEvent, record
from tests.ledger import making


def handed_over(recipients: Sequence[str], at: datetime, **message: Any) -> dict[str, UUID]:
    """By address, the hand-over of one mail to each, which our clock saw at that time."""
    making.accept(making.new_message(making.application(), recipients, **message))
    claimed = making.claim(limit=len(recipients))
    attempt = making.begin(claimed)
    making.settle(attempt)
    with connection() as conn:
        conn.execute("UPDATE handover SET begun_at = %s WHERE attempt_id = %s", (at, attempt.id))
    to = {one.delivery_id: one.recipient for one in claimed}
    return {to[one.delivery_id]: one.id for one in attempt.handovers}


def failed(handover: UUID, reason: str = "address_unknown", **changes: Any) -> NewEvent:
    """The address failed; at once or on repeat, as the reason says."""
    suppress = "now" if reason in ("address_unknown", "complained_before") else "on_repeat"
    described = {"reason": reason, "suppress": suppress, "suppression_reason": reason} | changes
    return making.event(uuid4(), handover, EventType.BOUNCED, **described)


def said(handover: UUID, type: EventType, **changes: Any) -> NewEvent:
    """Any other word."""
    return making.event(uuid4(), handover, type, **changes)


def delivered(handover: UUID) -> NewEvent:
    """The mail arrived."""
    return said(handover, EventType.DELIVERED)


def tell(*events: NewEvent) -> None:
    """Record these together, as one interpreter does."""
    with transaction() as conn:
        record(conn, events)


def states(address: str) -> list[tuple[Any, ...]]:
    """Reason, whether it is in quarantine, and by whom lifted, of all against an address."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT reason, quarantined_until > now() AND lifted_at IS NULL, lifted_by"
            "  FROM suppression"
            " WHERE address_key = %s ORDER BY id",
            (address,),
        )
        return [(reason, bool(quarantined), by) for reason, quarantined, by in rows]
