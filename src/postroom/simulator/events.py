"""One fact as the provider puts it on the wire: an entry of the Event Webhook's JSON array.

twilio.com/docs/sendgrid/for-developers/tracking-events/event, read 2026-11-24. Custom arguments
stand beside the provider's own fields and never replace one. Entries are JSON text, put together
from a part that is the same for all events of a copy and a part that is the event's own: a
broadcast to 100,000 people makes a quarter of a million of them.
"""

import json
from base64 import urlsafe_b64encode

from postroom.simulator.copies import Copy
from postroom.simulator.plan import Step

FIELDS = frozenset({
    "email", "timestamp", "smtp-id", "sg_message_id", "event", "category", "sg_event_id",
    "response", "reason", "status", "type", "bounce_classification", "attempt", "ip", "tls",
    "useragent", "sg_machine_open", "sg_content_type", "url", "url_offset",
})  # fmt: skip
"""The provider's own; a custom argument of such a name is not told."""


def common_part(copy: Copy, nameless: bool = False) -> str:
    """What all entries of a copy begin with: an object that is not closed yet."""
    fields: dict[str, object] = {
        name: value for name, value in copy.args.items() if name not in FIELDS
    }
    fields["email"] = copy.recipient
    if not nameless:
        fields["smtp-id"] = copy.smtp_id
        fields["sg_message_id"] = full_message_id(copy)
    if copy.category:
        fields["category"] = copy.category
    return json.dumps(fields)[:-1]


def words_of(copy: Copy, step: Step) -> str:
    """The fields of this event alone, as a JSON object."""
    if step.event == "click":
        return json.dumps({**step.words, "url": copy.url or "https://sim.example/"})
    return json.dumps(step.words) if step.words else "{}"


def entry(common: str, name: str, identity: str, at: float, words: str) -> str:
    """The whole entry; `identity` is its event id and `at` in seconds since 1970."""
    gap = ", " if len(words) > 2 else ""
    return (
        f'{common}, "event": "{name}", "timestamp": {int(at)}, "sg_event_id": "{identity}"'
        f"{gap}{words[1:]}"
    )


def full_message_id(copy: Copy) -> str:
    """The answered id with the suffix of the machine that took it; both spellings are in use."""
    taken = f"{int(copy.taken_at):X}"
    if copy.door == "smtp":
        return f"{copy.message_id}.filter0001p1sim1.{copy.number}.{taken}.0"
    return f"{copy.message_id}.recvd-5f54b5d587-sim01-1-{taken}-{copy.number:X}.0"


def event_id(name: str, number: int, copy_id: str) -> str:
    """Unique to the fact and the same whenever it is told again."""
    return urlsafe_b64encode(f"{name}-{number}-{copy_id}".encode()).decode().rstrip("=")


def altered(text: str, **changes: object) -> str:
    """The same entry with some fields changed."""
    return json.dumps({**json.loads(text), **changes})


def reissued(text: str, round_: int) -> str:
    """The same fact under a new event id, as the vendor sometimes sends it."""
    return altered(text, sg_event_id=f"{json.loads(text)['sg_event_id']}-{round_}")
