"""The story of one delivery: acceptance, each attempt's begin and answer, each event heard."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from postroom.domain.delivery import OUTCOME_VERDICTS, EventType, Outcome, Stage, Verdict
from postroom.ledger.db import Connection, connection
from postroom.ledger.local_events import BASIS

OURSELVES = "postroom"
"""Who said so, where nobody outside did."""


class Kind(StrEnum):
    """What an entry of the timeline records."""

    ACCEPTANCE = "acceptance"
    """The submission was committed."""
    ATTEMPT_BEGUN = "attempt_begun"
    """A call to a provider was about to be made."""
    ATTEMPT_ENDED = "attempt_ended"
    """The call's answer, or its loss, was recorded."""
    EVENT = "event"
    """A fact was heard, from a provider or from ourselves."""


_ORDER = tuple(Kind)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the timeline. What the entry's kind has no word for is None."""

    at: datetime
    """When it reached us: the order of the timeline."""
    kind: Kind
    type: str
    """Our word for it: an event type, `begun`, or the outcome of a call."""
    state: str | None
    """The state that this alone would give: an event `accepted` gives `submitted`."""
    said_by: str
    """The provider account, or `postroom`."""
    attempt_id: UUID | None = None
    handover_id: UUID | None = None
    road: str | None = None
    provider_type: str | None = None
    """The provider's own word."""
    provider_class: str | None = None
    provider_message_id: str | None = None
    reason: str | None = None
    text: str | None = None
    """Their words, whole."""
    status: int | None = None
    """Of a call: HTTP status or SMTP reply code of the provider's answer."""
    reply_code: int | None = None
    enhanced_code: str | None = None
    remote_host: str | None = None
    url: str | None = None
    user_agent: str | None = None
    machine: bool | None = None
    basis: str | None = None
    """How the event found this delivery."""
    reason_basis: str | None = None
    """By what the reason was read: a text rule, a code, the provider's class."""
    occurred_at: datetime | None = None
    """Their clock."""
    received_at: datetime | None = None
    """Our edge."""
    recorded_at: datetime | None = None
    """Our commit."""
    hearings: int | None = None
    """How often the fact was told: once, and once for each further receipt."""


def timeline(delivery_id: UUID) -> list[Entry]:
    """Everything that is known of a delivery in the order in which it reached us."""
    with connection() as conn:
        entries = [
            *_acceptance(conn, delivery_id),
            *_attempts(conn, delivery_id),
            *_events(conn, delivery_id),
        ]
    return sorted(entries, key=lambda entry: (entry.at, _ORDER.index(entry.kind)))


def _acceptance(conn: Connection, delivery_id: UUID) -> Iterator[Entry]:
    rows = conn.execute(
        "SELECT accepted_at, send_at > accepted_at"
        "  FROM delivery"
        "  JOIN message ON message.id = message_id"
        " WHERE delivery.id = %s",
        (delivery_id,),
    )
    for accepted_at, is_for_later in rows:
        state = Stage.SCHEDULED if is_for_later else Stage.QUEUED
        yield Entry(accepted_at, Kind.ACCEPTANCE, Stage.ACCEPTED, state, OURSELVES)


def _attempts(conn: Connection, delivery_id: UUID) -> Iterator[Entry]:
    rows = conn.execute(
        "SELECT handover.begun_at, attempt.id, handover.id, road, account.name,"
        "       COALESCE(handover.outcome, attempt.outcome),"
        "       COALESCE(handover.settled_at, attempt.ended_at),"
        "       COALESCE(handover.provider_message_id, attempt.provider_message_id),"
        "       handover.reason, COALESCE(handover.reason_text, attempt.error), response_status,"
        "       reply_code, enhanced_code"
        "  FROM handover"
        "  JOIN attempt ON attempt.id = attempt_id"
        "  JOIN account ON account.id = handover.account_id"
        " WHERE delivery_id = %s",
        (delivery_id,),
    )
    for begun_at, attempt_id, handover_id, road, account, *answer in rows:
        yield Entry(
            begun_at,
            Kind.ATTEMPT_BEGUN,
            "begun",
            Verdict.SUBMITTING,
            OURSELVES,
            attempt_id,
            handover_id,
            road,
        )
        if answer[0] is not None:
            yield _answer(attempt_id, handover_id, road, account, *answer)


def _answer(
    attempt_id: UUID,
    handover_id: UUID,
    road: str,
    account: str,
    outcome: str,
    answered_at: datetime,
    provider_message_id: str | None,
    reason: str | None,
    text: str | None,
    status: int | None,
    reply_code: int | None,
    enhanced_code: str | None,
) -> Entry:
    """The provider's answer; where none came, we say so ourselves."""
    return Entry(
        answered_at,
        Kind.ATTEMPT_ENDED,
        outcome,
        # Proved not taken: the attempt drops out and the delivery waits its turn again.
        Stage.QUEUED if outcome == Outcome.NOT_TAKEN else OUTCOME_VERDICTS[Outcome(outcome)],
        OURSELVES if status is None else account,
        attempt_id,
        handover_id,
        road,
        provider_message_id=provider_message_id,
        reason=reason,
        text=text,
        status=status,
        reply_code=reply_code,
        enhanced_code=enhanced_code,
    )


_EVENTS = """
SELECT event.handover_id, attempt_id, event.provider_type, event.provider_class, event.reply_code,
       event.enhanced_code, event.diagnostic, event.remote_host, event.url, event.user_agent,
       event.occurred_at, event.received_at, event.recorded_at, event.basis, event.type,
       event.verdict, event.reason, event.machine, event.reason_basis, account.name,
       1 + (SELECT count(*) FROM hearing
             WHERE hearing.delivery_id = event.delivery_id AND hearing.digest = event.digest)
  FROM event
  LEFT JOIN handover ON handover.id = event.handover_id
  LEFT JOIN account ON account.id = event.account_id
 WHERE event.delivery_id = %s
 ORDER BY event.log_seq
"""


def _events(conn: Connection, delivery_id: UUID) -> Iterator[Entry]:
    return map(_event, conn.execute(_EVENTS, (delivery_id,)))


def _event(row: tuple[Any, ...]) -> Entry:
    (
        handover_id, attempt_id, provider_type, provider_class, reply_code, enhanced_code,
        text, remote_host, url, user_agent, occurred_at, received_at, recorded_at, basis, type,
        verdict, reason, machine, reason_basis, account, hearings,
    ) = row  # fmt: skip
    ours = basis == BASIS
    return Entry(
        received_at,
        Kind.EVENT,
        type,
        _LOCAL_STATES.get(type) if ours else verdict,
        account or OURSELVES,
        attempt_id,
        handover_id,
        provider_type=None if ours else provider_type,
        provider_class=provider_class or None,
        reason=reason,
        text=text,
        reply_code=reply_code,
        enhanced_code=enhanced_code,
        remote_host=remote_host,
        url=url,
        user_agent=user_agent,
        machine=machine,
        basis=basis,
        reason_basis=reason_basis,
        occurred_at=occurred_at,
        received_at=received_at,
        recorded_at=recorded_at,
        hearings=hearings,
    )


_LOCAL_STATES: dict[str, str] = {
    EventType.HELD: Stage.HELD,
    EventType.RELEASED: Stage.QUEUED,
    EventType.RESENT: Stage.QUEUED,
    EventType.CANCELLED: Stage.CANCELLED,
    EventType.EXPIRED: Stage.EXPIRED,
    EventType.SUPPRESSED: Stage.SUPPRESSED,
    EventType.REJECTED: Stage.REJECTED,
    EventType.NOT_TAKEN: Stage.QUEUED,
    EventType.WINDOW_PASSED: Verdict.UNCONFIRMED,
}
"""The state that one of our own events gives."""
