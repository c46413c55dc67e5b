"""What a door hands to the ledger, and what it gets back after the commit."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from postroom.domain.canary import Plan
from postroom.domain.delivery import Stage
from postroom.domain.lane import Lane, lane_notes
from postroom.domain.mail_kind import MailKind


class IdempotencyConflict(Exception):
    """This idempotency key was used before with another body."""


class KeyRevoked(Exception):
    """The key was revoked or ran out before the commit."""


@dataclass(frozen=True, slots=True)
class Idempotency:
    """One submission's claim to be the only one under its key."""

    key: str
    body_digest: bytes
    """SHA-256 of the canonical body: another digest under the same key is a conflict."""
    lifetime_s: int | None = None
    """None: as long as the message is in the ledger."""


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """One recipient of a new message, checked by the door."""

    recipient: str
    recipient_key: str
    recipient_name: str | None = None
    ref: str | None = None
    vars: dict[str, str] | None = None
    metadata: dict[str, Any] | None = None
    stage: Stage = Stage.QUEUED
    """`queued`, `scheduled`, `held` or `rejected`."""
    reason: str | None = None
    reason_text: str | None = None


@dataclass(frozen=True, slots=True)
class NewMessage:
    """One message with all its deliveries; stored by one commit or not at all."""

    application_id: int
    key_id: str | None
    communication: str | None
    door: str
    simulated: bool
    lane: Lane
    from_address: str
    mail_from: str | None
    subject: str
    header_message_id: str | None
    on_doubt: str | None
    """None: by the lane in which it goes."""
    submission: bytes = field(repr=False)
    """As received: the JSON body, or the DATA of the transaction."""
    deliveries: list[NewDelivery] = field(repr=False)
    duplicates: int = 0
    tags: list[str] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)
    notify: dict[str, Any] | None = None
    send_at: datetime | None = None
    expires_at: datetime | None = None
    resend_of: UUID | None = None
    canary: Plan | None = None
    """What is not to go first is `held` by then, with the reason `canary`."""
    kind: MailKind = MailKind.TRANSACTIONAL
    critical: bool = False
    """Goes in spite of suppressions."""
    idempotency: Idempotency | None = None

    @property
    def size_bytes(self) -> int:
        return len(self.submission) + 256 * len(self.deliveries)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What was committed."""

    message_id: UUID
    communication: str | None
    recipients: int
    suppressed: int
    duplicates: int
    deliveries: list[tuple[UUID, str, str]]
    """(id, address, state) of each delivery, for up to `DELIVERIES_LISTED_MAX`; else empty."""
    lane: Lane
    """The lane in which it goes."""
    asked_lane: Lane | None = None
    """The lane that was asked for; None: the one in which it goes."""
    replayed: bool = False
    """The same idempotency key and body were accepted before; nothing new was stored."""

    @property
    def notes(self) -> list[str]:
        """What became otherwise than was asked for, in sentences."""
        return lane_notes(self.lane, self.asked_lane)


DELIVERIES_LISTED_MAX = 1000
