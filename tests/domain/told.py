"""What tests of the reasons tell: an event with everything unsaid but what the test is about."""

from dataclasses import dataclass

from postroom.domain.delivery import EventType


@dataclass(frozen=True, slots=True)
class Event:
    """One event in the shape that `read` takes."""

    type: EventType = EventType.BOUNCED
    recipient: str | None = "someone@example.com"
    provider_type: str = ""
    provider_class: str = ""
    reply_code: int | None = None
    enhanced_code: str | None = None
    diagnostic: str | None = None
    remote_host: str | None = None
    given_up: bool = False
