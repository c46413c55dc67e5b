"""When one event alone ends the writing to an address.

Only what stands at once: recipient failures whose reason says `now`, and complaints. The scope is
the organisation. Whether a suppression stands is the ledger's to say; this decides only whether
an event asks for one.
"""

from dataclasses import dataclass

from postroom.domain.delivery import EventType
from postroom.domain.reason import Reading
from postroom.domain.reason_table import Suppress

_ASK = frozenset(
    {EventType.BOUNCED, EventType.COMPLAINED, EventType.REJECTED, EventType.SUPPRESSED}
)
"""Types that may suppress; a deferral or an opened mail never does, whatever its reading."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A suppression that an event asks for."""

    reason: str
    """Why, in the words of the table of reasons."""


def asked_by(type: EventType, reading: Reading) -> Asked | None:
    """The suppression that this event asks for at once; None for nearly all events."""
    if type not in _ASK or reading.suppress is not Suppress.NOW or reading.reason is None:
        return None
    return Asked(reading.cause or reading.reason)
