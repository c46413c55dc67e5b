"""What the calls for messages and communications answer: the shapes, and how rows take them."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from ninja import Schema

from postroom.ledger import overview
from postroom.reports.instant import Instant


class Message(Schema):
    """What was submitted, once."""

    id: UUID
    application: str
    communication: str | None
    door: str
    simulated: bool
    lane: str
    notes: list[str]
    """What became otherwise than was asked for, in sentences."""
    kind: str
    """`transactional` or `marketing`."""
    critical: bool
    """Goes in spite of suppressions."""
    from_address: str
    mail_from: str | None
    subject: str
    header_message_id: str | None
    on_doubt: str
    tags: list[str]
    metadata: dict[str, Any]
    recipients: int
    duplicates: int
    accepted_at: Instant
    send_at: Instant | None
    expires_at: Instant | None
    resend_of: UUID | None
    states: dict[str, int]
    """Its deliveries by state."""
    answers: dict[str, int]


class Communication(Schema):
    """One named occasion to write."""

    name: str
    application: str
    created_at: Instant
    latest_message_at: Instant | None
    latest_subject: str | None
    paused_at: Instant | None
    """Since when nothing more of it is handed over, for it or its application is paused; null:
    it goes on."""


class CommunicationPage(Schema):
    """Communications, the latest made first."""

    items: list[Communication]
    next_cursor: str | None


def message(row: overview.Message) -> dict[str, Any]:
    """A message with its deliveries counted."""
    return asdict(row) | {"lane": row.lane.label, "notes": row.notes}
