"""What a delivery in the queue waits for."""

from datetime import datetime

from postroom.domain.receiver import receiver_of
from postroom.ledger import receivers
from postroom.ledger.reading import Delivery


def slow_receiver(delivery: Delivery, now: datetime) -> str | None:
    """The receiver that asked for less mail, where the delivery waits for it; else None."""
    if delivery.state != "queued" or delivery.due_at <= now:
        return None
    receiver = receiver_of(delivery.recipient)
    slow = {(one.simulated, one.receiver) for one in receivers.slowed()}
    return receiver if (delivery.simulated, receiver) in slow else None
