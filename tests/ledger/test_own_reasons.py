"""Our own moves leave the same reason on the delivery and on the event that records them."""

from datetime import timedelta

from postroom.ledger import queue, timers
from postroom.ledger.verify import verify
from tests.helpers import eventually
from tests.ledger import making


def test_a_hold_that_was_asked_for_says_so_on_its_event_too(ledger: None) -> None:
    application_id = making.application()
    message_id = making.accept(making.new_message(application_id)).message_id
    assert queue.hold(message_id, application_id) == 1
    assert verify().discrepancies == []


def test_what_expires_on_hold_no_longer_has_the_reason_of_the_hold(ledger: None) -> None:
    soon = making.now() + timedelta(seconds=1)
    making.accept(making.new_message(making.application(), expires_at=soon))
    queue.put_on_hold(making.claim(), "needs_raw_carrier", "two header recipients")
    eventually(lambda: timers.expire(100) == 1)
    assert verify().discrepancies == []
