"""A ledger in which something of every kind has happened, made by the ledger's own functions."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from postroom.domain.address import suppression_key
from postroom.domain.delivery import EventType, Outcome, Stage
from postroom.ledger import queue, timers
from postroom.ledger.acceptance import Acceptance, NewDelivery
from postroom.ledger.attempts import NewAttempt
from postroom.ledger.db import transaction
from postroom.ledger.events import NewEvent, record
from postroom.ledger.intake import NewReceipt
from postroom.ledger.settlements import Then
from postroom.ledger.suppressions import NewSuppression, add
from postroom.ledger.writer import store_receipt
from tests.ledger import making

COMMUNICATION = "news"


@dataclass
class Busy:
    """Who wrote, and the deliveries by what happened to them."""

    application_id: int
    deliveries: dict[str, UUID]
    attempt: NewAttempt

    def handover(self, name: str) -> UUID:
        """The hand-over of a delivery of the first message."""
        return next(
            one.id for one in self.attempt.handovers if one.delivery_id == self.deliveries[name]
        )


HEARD = (
    "delivered",
    "bounced",
    "deferred",
    "late",
    "contradicted",
    "complained",
    "opened",
    "silent",
    "suppressed-there",
    "rejected-there",
    "taken",
)
"""Deliveries of the first message, each by the local part of its address."""


def busy_ledger(application: str = "shop") -> Busy:
    """Messages with deliveries in every state that people see but `accepted` and `submitting`."""
    application_id = making.application(application)
    add(NewSuppression(True, "stopped@example.com", "asked", "person", "by phone"))
    first = _accept(application_id, [f"{name}@example.com" for name in HEARD])
    attempt = making.begin(making.claim())
    making.settle(attempt)
    made = Busy(application_id, _named(first), attempt)
    hear(made)
    made.deliveries |= _named(_stopped_early(application_id))
    made.deliveries |= _named(_in_doubt(application_id))
    made.deliveries |= _named(_waiting(application_id))
    return made


def _accept(application_id: int, recipients: Sequence[str], **changes: object) -> Acceptance:
    new = making.new_message(
        application_id, recipients, communication=COMMUNICATION, duplicates=1, **changes
    )
    return making.accept(new)


def _named(acceptance: Acceptance) -> dict[str, UUID]:
    return {address.partition("@")[0]: id for id, address, _ in acceptance.deliveries}


def heard_of(made: Busy, receipt: UUID, name: str, event: EventType, **changes: object) -> NewEvent:
    """An event about one delivery of the first message."""
    described = {"occurred_raw": f"{name} {event}", "diagnostic": f"{event} {name}"} | changes
    return making.event(receipt, made.handover(name), event, **described)


def tell(*events: NewEvent) -> None:
    """Record events as the interpreter does."""
    with transaction() as conn:
        record(conn, events)


def hear(made: Busy) -> None:
    """Every kind of event that providers tell, one of them twice."""
    body = b'[{"event": "one"}, {"event": "two"}]'
    headers = {"content-type": "application/json"}
    first, second = (NewReceipt(making.account(), making.now(), headers, body) for _ in range(2))
    receipt, again = store_receipt(first).result(10), store_receipt(second).result(10)

    def of(name: str, event: EventType, **changes: object) -> NewEvent:
        return heard_of(made, receipt, name, event, receipt_start=1, receipt_length=16, **changes)

    accepted = [of(name, EventType.ACCEPTED) for name in HEARD if name != "taken"]
    delivered = of("delivered", EventType.DELIVERED)
    tell(
        *accepted,
        delivered,
        of(
            "bounced",
            EventType.BOUNCED,
            reason="address_unknown",
            reply_code=550,
            enhanced_code="5.1.1",
            diagnostic="550 5.1.1 <bounced@example.com>: user unknown",
            asynchronous=False,
            suppress="now",
            suppression_reason="address_unknown",
        ),
        of("deferred", EventType.DEFERRED, reason="greylisted"),
        of("late", EventType.DELIVERED),
        of("late", EventType.BOUNCED, reason="mailbox_full", asynchronous=True),
        of("contradicted", EventType.DELIVERED),
        of("contradicted", EventType.BOUNCED, reason="policy_refused", asynchronous=False),
        of(
            "complained",
            EventType.COMPLAINED,
            reason="complained_before",
            suppress="now",
            suppression_reason="complained_before",
        ),
        of("opened", EventType.DELIVERED),
        of("opened", EventType.OPENED),
        of("opened", EventType.CLICKED),
        of("suppressed-there", EventType.SUPPRESSED, reason="suppressed_by_provider"),
        of("rejected-there", EventType.REJECTED, reason="provider_refused"),
    )
    tell(replace(delivered, receipt_id=again))
    let_the_window_pass(made.deliveries["silent"])


def let_the_window_pass(delivery_id: UUID) -> None:
    """No word came about this delivery in the time in which one was to be expected."""
    with transaction() as conn:
        conn.execute(
            "UPDATE delivery SET silent_since = now() - interval '4 days' WHERE id = %s",
            (delivery_id,),
        )
    assert timers.pass_windows(72 * 3600, 96 * 3600, 100) == 1


def _stopped_early(application_id: int) -> Acceptance:
    """Suppressed, rejected and expired before any attempt; and a cancelled message beside them."""
    invalid = NewDelivery(
        "invalid@", "invalid@", stage=Stage.REJECTED, reason="address_syntax", reason_text="no @"
    )
    stopped = _accept(
        application_id,
        (),
        deliveries=[*_new("stopped", "expiring"), invalid],
        expires_at=making.now() + timedelta(milliseconds=1),
    )
    while timers.expire(100) == 0:
        pass
    cancelled = _accept(application_id, ["cancelled@example.com"])
    assert queue.cancel(cancelled.message_id, application_id) == 1
    return replace(stopped, deliveries=[*stopped.deliveries, *cancelled.deliveries])


def _in_doubt(application_id: int) -> Acceptance:
    """An unknown outcome, a refusal of one, and one that was certainly not taken."""
    accepted = _accept(application_id, [f"{name}@example.com" for name in ("refused", "unclear")])
    claimed = {one.recipient.partition("@")[0]: one for one in making.claim()}
    making.settle(
        making.begin([claimed["refused"]]),
        Outcome.REFUSED,
        reason="provider_refused",
        text="400 does not look like an address",
    )
    making.settle(making.begin([claimed["unclear"]]), Outcome.UNKNOWN)
    again = _accept(application_id, ["again@example.com"])
    making.settle(
        making.begin(making.claim()),
        Outcome.NOT_TAKEN,
        Then.QUEUED,
        retry_at=making.now() + timedelta(hours=1),
    )
    return replace(accepted, deliveries=[*accepted.deliveries, *again.deliveries])


def _waiting(application_id: int) -> Acceptance:
    """Held at acceptance, held for want of a road, released, scheduled, and queued."""
    held = _accept(application_id, (), deliveries=_new("held", stage=Stage.HELD, reason="asked"))
    unroadworthy = _accept(application_id, ["raw@example.com"])
    queue.put_on_hold(making.claim(), "needs_raw_carrier", "two header recipients")
    released = _accept(application_id, ["released@example.com"])
    assert queue.hold(released.message_id, application_id) == 1
    assert queue.release(released.message_id, application_id) == 1
    scheduled = _accept(
        application_id,
        (),
        deliveries=_new("scheduled", stage=Stage.SCHEDULED),
        send_at=making.now() + timedelta(hours=1),
    )
    queued = _accept(application_id, ["queued@example.com"])
    every = (held, unroadworthy, released, scheduled, queued)
    return replace(queued, deliveries=[one for each in every for one in each.deliveries])


def _new(*names: str, stage: Stage = Stage.QUEUED, reason: str | None = None) -> list[NewDelivery]:
    addresses = [f"{name}@example.com" for name in names]
    return [NewDelivery(one, suppression_key(one), stage=stage, reason=reason) for one in addresses]
