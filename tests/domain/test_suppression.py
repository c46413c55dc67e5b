"""Which event alone ends the writing to an address."""

import pytest

from postroom.domain.delivery import EventType
from postroom.domain.reason import read
from postroom.domain.suppression import Asked, asked_by
from tests.domain.told import Event


@pytest.mark.parametrize(
    ("event", "asked"),
    [
        (Event(enhanced_code="5.1.1"), Asked("address_unknown")),
        (Event(EventType.COMPLAINED), Asked("complained_before")),
        (
            Event(EventType.SUPPRESSED, provider_class="Spam Reporting Address"),
            Asked("complained_before"),
        ),
        (Event(EventType.SUPPRESSED, provider_class="Bounced Address"), None),
        (Event(enhanced_code="5.2.2"), None),
        (Event(enhanced_code="4.1.1"), None),
        (Event(EventType.DEFERRED, enhanced_code="5.1.1"), None),
        (Event(enhanced_code="5.7.1"), None),
        (Event(EventType.UNSUBSCRIBED), None),
        (Event(EventType.DELIVERED), None),
    ],
)
def test_only_a_bad_address_or_a_complaint_suppresses_at_once(
    event: Event, asked: Asked | None
) -> None:
    assert asked_by(event.type, read(event, "sendgrid")) == asked
