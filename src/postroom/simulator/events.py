"""One fact as the provider puts it on the wire: an entry of the Event Webhook's JSON array.

twilio.com/docs/sendgrid/for-developers/tracking-events/event, read 2026-11-24. Custom arguments
stand beside the provider's own fields and never replace one.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping

from postroom.simulator.copies import Copy
from postroom.simulator.plan import Step

Event = dict[str, object]


def event(copy: Copy, number: int, step: Step, at: float) -> Event:
    """The entry for fact `number` of this copy; `at` in seconds since 1970."""
    entry: Event = dict(copy.args)
    entry["email"] = copy.recipient
    entry["timestamp"] = int(at)
    if not step.nameless:
        entry["smtp-id"] = copy.smtp_id
        entry["sg_message_id"] = full_message_id(copy)
    entry["event"] = step.event
    if copy.category:
        entry["category"] = copy.category
    entry["sg_event_id"] = event_id(step.event, number, copy.id)
    entry |= step.words
    if step.event == "click":
        entry["url"] = copy.url or "https://sim.example/"
    return entry


def full_message_id(copy: Copy) -> str:
    """The answered id with the suffix of the machine that took it; both spellings are in use."""
    taken = f"{int(copy.taken_at):X}"
    if copy.door == "smtp":
        return f"{copy.message_id}.filter0001p1sim1.{copy.number}.{taken}.0"
    return f"{copy.message_id}.recvd-5f54b5d587-sim01-1-{taken}-{copy.number:X}.0"


def event_id(name: str, number: int, copy_id: str) -> str:
    """Unique to the fact and the same whenever it is told again."""
    return urlsafe_b64encode(f"{name}-{number}-{copy_id}".encode()).decode().rstrip("=")


def reissued(entry: Mapping[str, object], round_: int) -> Event:
    """The same fact under a new event id, as the vendor sometimes sends it."""
    return {**entry, "sg_event_id": f"{entry['sg_event_id']}-{round_}"}
