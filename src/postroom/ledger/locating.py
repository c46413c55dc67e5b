"""Finding the delivery that an event speaks of: our own id first, then the provider's, then the
address alone when that leaves no doubt (truth.md section 2, "Finding the delivery")."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from postroom.ledger.db import Connection
from postroom.ledger.ids import floor_of

ADDRESS_WINDOW = timedelta(days=7)
"""How far back an event without any id is tied to the one delivery of its address."""


class Locatable(Protocol):
    """What finding needs to know of an event."""

    @property
    def account_id(self) -> int: ...
    @property
    def handover_id(self) -> UUID | None: ...
    @property
    def provider_message_ids(self) -> tuple[str, ...]: ...
    @property
    def address_key(self) -> str | None: ...
    @property
    def received_at(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Found:
    """The delivery of an event, and by what it was found."""

    delivery_id: UUID
    handover_id: UUID | None
    basis: str
    begun_at: datetime
    """When it was handed over, by our clock."""


def locate(conn: Connection, events: Sequence[Locatable]) -> list[Found | None]:
    """The delivery of each event, in order; None for an orphan.

    A hand-over of another account is never matched: one account cannot speak for another.
    """
    by_handover = _by_handover(conn, events)
    rest = [e for e in events if (e.account_id, e.handover_id) not in by_handover]
    by_provider_id = _by_provider_id(conn, rest)
    return [
        by_handover.get((event.account_id, event.handover_id))
        or _first_match(by_provider_id, event)
        or _by_address(conn, event)
        for event in events
    ]


def _by_handover(
    conn: Connection, events: Sequence[Locatable]
) -> Mapping[tuple[int, UUID | None], Found]:
    wanted = {event.handover_id for event in events if event.handover_id is not None}
    if not wanted:
        return {}
    rows = conn.execute(
        "SELECT account_id, id, delivery_id, begun_at FROM handover WHERE id = ANY(%s)",
        (list(wanted),),
    )
    return {
        (account, id): Found(delivery, id, "handover_id", begun_at)
        for account, id, delivery, begun_at in rows
    }


def _by_provider_id(
    conn: Connection, events: Sequence[Locatable]
) -> Mapping[tuple[int, str, str], Found]:
    wanted = {id for event in events if event.address_key for id in event.provider_message_ids}
    if not wanted:
        return {}
    rows = conn.execute(
        "SELECT handover.account_id, attempt.provider_message_id, recipient_key,"
        "       handover.delivery_id, handover.id, handover.begun_at"
        "  FROM attempt"
        "  JOIN handover ON handover.attempt_id = attempt.id"
        "  JOIN delivery ON delivery.id = handover.delivery_id"
        " WHERE attempt.provider_message_id = ANY(%(wanted)s)"
        " UNION ALL "
        "SELECT handover.account_id, handover.provider_message_id, recipient_key,"
        "       handover.delivery_id, handover.id, handover.begun_at"
        "  FROM handover"
        "  JOIN delivery ON delivery.id = handover.delivery_id"
        " WHERE handover.provider_message_id = ANY(%(wanted)s)",
        {"wanted": list(wanted)},
    )
    return {
        (account, provider_id, key): Found(delivery_id, handover_id, "provider_id", begun_at)
        for account, provider_id, key, delivery_id, handover_id, begun_at in rows
    }


def _first_match(found: Mapping[tuple[int, str, str], Found], event: Locatable) -> Found | None:
    if event.address_key is None:
        return None
    keys = ((event.account_id, id, event.address_key) for id in event.provider_message_ids)
    return next((found[key] for key in keys if key in found), None)


def _by_address(conn: Connection, event: Locatable) -> Found | None:
    """Only for an event that names no id at all, and only when exactly one delivery fits."""
    if event.handover_id or event.provider_message_ids or event.address_key is None:
        return None
    rows = conn.execute(
        "SELECT DISTINCT ON (delivery.id) delivery.id, handover.id, handover.begun_at"
        "  FROM delivery"
        "  JOIN handover ON handover.delivery_id = delivery.id"
        " WHERE recipient_key = %s AND delivery.id >= %s AND handover.account_id = %s"
        "   AND handover.begun_at <= %s"
        " ORDER BY delivery.id, handover.begun_at DESC"
        " LIMIT 2",
        (
            event.address_key,
            floor_of(event.received_at - ADDRESS_WINDOW),
            event.account_id,
            event.received_at,
        ),
    ).fetchall()
    if len(rows) != 1:
        return None
    delivery_id, handover_id, begun_at = rows[0]
    return Found(delivery_id, handover_id, "address", begun_at)
