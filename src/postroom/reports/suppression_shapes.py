"""What the suppression calls answer: the shapes, and how the ledger's rows take them."""

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from ninja import Schema

from postroom.ledger import suppressions
from postroom.reports.instant import Instant


class NotSent(Schema):
    """What a suppression stopped."""

    count: int
    """Deliveries, of all applications."""
    newest: list[UUID]
    """Yours among them, the newest twenty."""


class Suppression(Schema):
    """A standing decision not to send to an address, or one that was lifted."""

    id: int
    address: str
    simulated: bool
    reason: str
    source: str
    """`event`, or `person`."""
    note: str | None
    delivery_id: UUID | None
    """The delivery whose failure is its evidence; null: a person decided, or it is not yours."""
    event: str | None
    """The digest of that delivery's event, in hexadecimal; null as above."""
    receipt_id: UUID | None
    """The notification that told it; null as above."""
    applies_to: str
    """`organisation`: everybody's mail; `application`: yours alone."""
    kind: str | None
    """Only `transactional` or `marketing` mail; null: all."""
    state: str
    """`in_force`; `on_probation`: the next mail is its trial; `on_trial`: that is under way;
    `quarantined`: not applied, for its domain failed too many at once; `lifted`."""
    rules: int | None
    """The version of the rules that led to it; null: no rule did."""
    created_at: Instant
    failed_at: Instant | None
    """When the mail was handed over that failed, or the person's word was heard."""
    ends_at: Instant | None
    """When probation begins; null: it stays until it is lifted."""
    lifted_at: Instant | None
    lifted_by: str | None
    """`person`, `undo`; `proof` or `trial`: a mail arrived; `recipient`: subscribed again."""
    lifted_reason: str | None
    lifting_delivery_id: UUID | None
    """The mail that arrived; null where there is none, or it is not yours."""
    not_sent: NotSent | None = None
    """What was not sent because of it; told when one address is asked for."""


class SuppressionPage(Schema):
    """Suppressions, newest first."""

    items: list[Suppression]
    next_cursor: str | None


def suppression(
    row: suppressions.Standing, own: frozenset[UUID] | None, now: datetime
) -> dict[str, Any]:
    """A suppression; its evidence is named only to those who may see it, None to all."""
    is_seen = row.delivery_id is not None and (own is None or row.delivery_id in own)
    proof_seen = own is None or row.lifting_delivery_id in own
    digest = row.event_digest
    return asdict(row) | {
        "address": row.address_key,
        "delivery_id": row.delivery_id if is_seen else None,
        "event": digest.hex() if is_seen and digest is not None else None,
        "receipt_id": row.receipt_id if is_seen or own is None else None,
        "applies_to": "organisation" if row.application_id is None else "application",
        "state": row.state(now),
        "ends_at": row.expires_at,
        "lifting_delivery_id": row.lifting_delivery_id if proof_seen else None,
    }
