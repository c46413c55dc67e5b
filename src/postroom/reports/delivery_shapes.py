"""What the calls for deliveries answer: the shapes, and how the ledger's rows take them."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any
from uuid import UUID

from ninja import Schema

from postroom.domain.delivery import ANSWERS, Answer
from postroom.domain.reason import REASONS, RULES_VERSION
from postroom.ledger import reading, timeline
from postroom.reports.instant import Instant
from postroom.reports.sentences import advice, sentence


class SuppressionLink(Schema):
    """The suppression that a delivery met with, or that its failure caused."""

    id: int
    reason: str
    source: str
    created_at: Instant
    lifted_at: Instant | None
    effect: str
    """`stopped` this delivery, was `overridden` by it, `tried` with it, or `caused` by it."""
    note: str | None
    """What the person said who decided it."""
    delivery_id: UUID | None
    """The delivery whose failure is its evidence; null: a person decided, or it is not yours."""
    event: str | None
    """The digest of that delivery's event, in hexadecimal; null as above."""
    receipt_id: UUID | None
    text: str | None
    """What was said about it; null as above."""


class Delivery(Schema):
    """One message to one recipient, and what became of it."""

    id: UUID
    message_id: UUID
    application: str
    communication: str | None
    recipient: str
    recipient_name: str | None
    ref: str | None
    metadata: dict[str, Any] | None
    subject: str
    lane: str
    simulated: bool
    state: str
    answer: str
    sentence: str
    """The answer in plain words."""
    reason: str | None
    advice: str | None
    fault: str | None
    """Who has to act: recipient, sender, provider, receiver, us, unknown."""
    reason_text: str | None
    """The words of whoever said so, whole."""
    reply_code: int | None
    enhanced_code: str | None
    remote_host: str | None
    said_by: str | None
    """The provider account, or `postroom`."""
    said_at: Instant | None
    """When it reached us."""
    occurred_at: Instant | None
    """When it happened, by their clock."""
    after_acceptance: bool
    conflicting_evidence: bool
    accepted_at: Instant
    due_at: Instant
    expires_at: Instant | None
    changed_at: Instant
    opened_at: Instant | None
    clicked_at: Instant | None
    complained_at: Instant | None
    unsubscribed_at: Instant | None
    suppression: SuppressionLink | None


class TimelineEntry(Schema):
    """One line of a delivery's timeline; what its kind has no word for is null."""

    at: Instant
    kind: str
    type: str
    state: str | None
    """The state that this alone would give: an event `accepted` gives `submitted`."""
    said_by: str
    attempt_id: UUID | None
    handover_id: UUID | None
    road: str | None
    provider_type: str | None
    provider_class: str | None
    provider_message_id: str | None
    reason: str | None
    text: str | None
    status: int | None
    reply_code: int | None
    enhanced_code: str | None
    remote_host: str | None
    url: str | None
    user_agent: str | None
    machine: bool | None
    basis: str | None
    reason_basis: str | None
    occurred_at: Instant | None
    received_at: Instant | None
    recorded_at: Instant | None
    hearings: int | None


class DeliveryWithTimeline(Delivery):
    """One delivery with its whole story."""

    timeline: list[TimelineEntry]
    waits_for: str | None
    """The receiver that asked for less mail, while this waits in the queue for its turn there."""


class DeliveryPage(Schema):
    """Deliveries, newest first."""

    items: list[Delivery]
    next_cursor: str | None
    as_of: Instant | None = None
    """The instant that the states are about; null: now."""
    rules: int = RULES_VERSION
    """The version of the rules that the facts were read with."""


def delivery(row: reading.Delivery) -> dict[str, Any]:
    """A delivery with its answer, sentence and advice."""
    known = REASONS.get(row.reason) if row.reason else None
    return asdict(row) | {
        "lane": row.lane.label,
        "answer": str(ANSWERS[row.state]),
        "sentence": sentence(row),
        # A delivered mail needs no advice, whatever was said on the way.
        "advice": None if ANSWERS[row.state] is Answer.DELIVERED else advice(row.reason),
        "fault": str(known.fault) if known else None,
    }


def with_timeline(
    row: reading.Delivery, entries: Iterable[timeline.Entry], waits_for: str | None
) -> dict[str, Any]:
    """A delivery with its whole story."""
    timeline = [asdict(entry) for entry in entries]
    return delivery(row) | {"timeline": timeline, "waits_for": waits_for}
