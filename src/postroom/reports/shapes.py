"""What the reading calls answer: the shapes, and how the ledger's rows take them."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from ninja import Schema
from pydantic import PlainSerializer

from postroom.domain.delivery import ANSWERS, Answer
from postroom.domain.forecast import Forecast as Expected
from postroom.domain.reason import REASONS, RULES_VERSION
from postroom.ledger import figures, overview, reading, suppressions, timeline
from postroom.reports.sentences import advice, sentence


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


Instant = Annotated[datetime, PlainSerializer(_iso)]
"""ISO 8601 in UTC with all its microseconds, so that an `as_of` can be asked for again."""


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


class SuppressionPage(Schema):
    """Suppressions, newest first."""

    items: list[Suppression]
    next_cursor: str | None


class Completeness(Schema):
    """How much of what was handed over has its final word."""

    handed_over: int
    """Deliveries with an attempt in play."""
    final: int
    """Those delivered, bounced, or refused by the provider."""
    share: float | None
    """`final` of `handed_over`; null: nothing was handed over."""
    silent_since: Instant | None
    """The last word about any of the rest; null: there is no rest."""


class Forecast(Schema):
    """What is to be expected of a communication that is on its way out."""

    remaining: int
    """Deliveries that are not handed over yet."""
    recipients_per_s: float
    """Lately."""
    through_at: Instant | None
    """When the last one will be handed over at this pace; null: that cannot be told."""
    limited_by: str | None
    """What sets the pace; null: nothing remains."""


class Engagement(Schema):
    """Deliveries with at least one hit of a kind."""

    human: int
    """By a person, as far as the rules can tell."""
    at_most: int
    """With those of which nobody can tell."""
    with_machines: int
    """With those that only machines hit."""


class Report(Schema):
    """What one communication achieved: every intended recipient in exactly one bucket."""

    communication: str
    application: str
    simulated: bool
    paused_at: Instant | None
    """Since when nothing more of it is handed over, for it or its application is paused; null:
    it goes on. This is as of now, whatever `as_of` says."""
    as_of: Instant
    rules: int
    recipients: int
    duplicates: int
    answers: dict[str, int]
    states: dict[str, int]
    reasons: dict[str, int]
    people: dict[str, int]
    engagement: dict[str, Engagement]
    """Of `opened` and `clicked`; never part of the sums."""
    completeness: Completeness
    balanced: bool
    forecast: Forecast | None = None
    """Null in a report as of an earlier instant."""


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


def message(row: overview.Message) -> dict[str, Any]:
    """A message with its deliveries counted."""
    return asdict(row) | {"lane": row.lane.label, "notes": row.notes}


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


def forecast(found: Expected) -> dict[str, Any]:
    """What is to be expected of a communication."""
    return {
        "remaining": found.remaining,
        "recipients_per_s": round(found.per_s, 1),
        "through_at": found.through_at,
        "limited_by": found.limited_by,
    }


def report(made: figures.Report) -> dict[str, Any]:
    """The balanced report."""
    share = made.final / made.handed_over if made.handed_over else None
    return {
        "communication": made.communication,
        "application": made.application,
        "simulated": made.simulated,
        "paused_at": made.paused_at,
        "as_of": made.as_of,
        "rules": made.rules,
        "recipients": made.recipients,
        "duplicates": made.duplicates,
        "answers": made.answers,
        "states": made.states,
        "reasons": dict(sorted(made.reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        "people": made.people,
        "engagement": {kind: asdict(counted) for kind, counted in made.engagement.items()},
        "completeness": {
            "handed_over": made.handed_over,
            "final": made.final,
            "share": share,
            "silent_since": made.silent_since,
        },
        "balanced": made.balanced,
    }
