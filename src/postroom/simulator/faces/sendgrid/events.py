"""What the Event Webhook tells: an entry of its JSON array, and the signed post of many.

twilio.com/docs/sendgrid/for-developers/tracking-events/event, read 2026-11-24. Custom arguments
stand beside the provider's own fields and never replace one. Entries are JSON text, put together
from a part that is the same for all events of a copy and a part that is the event's own: a
broadcast to 100,000 people makes a quarter of a million of them.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence

from postroom.simulator.copies import Copy
from postroom.simulator.dice import Dice
from postroom.simulator.faces.sendgrid.signing import Signer
from postroom.simulator.replies import Situation
from postroom.simulator.steps import Step, What, Why
from postroom.simulator.teller import Event, Post, Teller

NAMES: dict[What, str | None] = {
    What.ACCEPTED: "processed",
    What.DEFERRED: "deferred",
    What.DELIVERED: "delivered",
    What.BOUNCED: "bounce",
    What.DROPPED: "dropped",
    What.AUTO_REPLIED: None,
    What.COMPLAINED: "spamreport",
    What.OPENED: "open",
    What.CLICKED: "click",
    What.UNSUBSCRIBED: "unsubscribe",
}
"""The vendor's words; None: it does not tell of that."""

CLASSES: dict[Situation | None, tuple[str, str]] = {
    Situation.UNKNOWN: ("bounce", "Invalid Address"),
    Situation.DISABLED: ("bounce", "Mailbox Unavailable"),
    Situation.FULL: ("bounce", "Mailbox Unavailable"),
    Situation.BLOCKED: ("blocked", "Reputation"),
    Situation.SPAM: ("blocked", "Content"),
    Situation.LATER: ("blocked", "Technical Failure"),
    None: ("bounce", "Unclassified"),
}
"""The vendor's type and bounce classification by what the receiver meant."""

DROP_REASONS: dict[Why | None, str] = {
    Why.BOUNCED_BEFORE: "Bounced Address",
    Why.UNSUBSCRIBED_BEFORE: "Unsubscribed Address",
    Why.COMPLAINED_BEFORE: "Spam Reporting Address",
}

FIELDS = frozenset({
    "email", "timestamp", "smtp-id", "sg_message_id", "event", "category", "sg_event_id",
    "response", "reason", "status", "type", "bounce_classification", "attempt", "ip", "tls",
    "useragent", "sg_machine_open", "sg_content_type", "url", "url_offset",
})  # fmt: skip
"""The provider's own; a custom argument of such a name is not told."""


class EventWebhook(Teller):
    """Signed posts of up to a thousand entries."""

    batch_max = 1000

    def __init__(self, name: str, url: str | None, signer: Signer) -> None:
        super().__init__(name, url)
        self._signer, self._stranger = signer, Signer.fresh()

    def opening(self, copy: Copy) -> str:
        """The fields that are the same in every entry: an object that is not closed yet."""
        return _opening(copy)

    def tell(self, event: Event) -> str | None:
        """The entry, as JSON text."""
        copy, step = event.copy, event.step
        name = NAMES[step.what]
        if name is None:
            return None
        opening = _opening(copy, nameless=True) if step.after_acceptance else event.opening
        words = _WORDS[step.what](step, copy)
        own = f", {json.dumps(words)[1:]}" if words else "}"
        identity = event_id(name, event.number, copy.id)
        return (
            f'{opening}, "event": "{name}", "timestamp": {int(event.at)},'
            f' "sg_event_id": "{identity}"{own}'
        )

    def post(self, entries: Sequence[str], at: float) -> Post:
        """The JSON array with its signature."""
        return _signed(self._signer, entries, at)

    def reissued(self, entry: str, round_: int) -> str:
        """The same fact under a new event id, as the vendor sometimes sends it."""
        return altered(entry, sg_event_id=f"{json.loads(entry)['sg_event_id']}-{round_}")

    def forged(self, entries: Sequence[str], true: Post, at: float, dice: Dice) -> Post:
        """Unsigned, under a stranger's key, or under the signature of the true story."""
        lie = {"event": "bounce", "type": "bounce", "reason": "550 5.1.1 no such user"}
        told = [altered(entry, **lie, sg_event_id="forged") for entry in entries]
        stranger = _signed(self._stranger, told, at)
        return Post(stranger.body, dice.pick([_HEADERS, stranger.headers, true.headers]))


_HEADERS = {"User-Agent": "SendGrid Event API", "Content-Type": "application/json"}


def _signed(signer: Signer, entries: Sequence[str], at: float) -> Post:
    body = body_of(entries)
    return Post(body, {**_HEADERS, **signer.headers(body, at)})


def body_of(entries: Sequence[str]) -> bytes:
    """The JSON array as the vendor writes it: an entry a line, and a line end after the last."""
    return ("[" + ",\r\n".join(entries) + "]\r\n").encode()


def _opening(copy: Copy, nameless: bool = False) -> str:
    """`nameless`: without message ids, as a bounce comes that a notification brought."""
    fields: dict[str, object] = {
        name: value for name, value in copy.metadata.items() if name not in FIELDS
    }
    fields["email"] = copy.recipient
    if not nameless:
        fields["smtp-id"] = copy.header_message_id
        fields["sg_message_id"] = full_message_id(copy)
    if copy.tags:
        fields["category"] = copy.tags
    return json.dumps(fields)[:-1]


Words = dict[str, object]


def _nothing(step: Step, copy: Copy) -> Words:
    del step, copy
    return {}


def _deferred(step: Step, copy: Copy) -> Words:
    del copy
    return {"response": step.text, "attempt": str(step.attempt), "ip": step.ip, "tls": 1}


def _delivered(step: Step, copy: Copy) -> Words:
    del copy
    return {"response": step.text, "ip": step.ip, "tls": 1}


def _bounced(step: Step, copy: Copy) -> Words:
    del copy
    kind, classification = CLASSES[step.situation]
    connection = {} if step.after_acceptance else {"ip": step.ip, "tls": 1}
    return {
        "reason": step.text,
        "status": step.code or "5.0.0",
        "type": kind,
        "bounce_classification": classification,
        **connection,
    }


def _dropped(step: Step, copy: Copy) -> Words:
    del copy
    return {"reason": DROP_REASONS.get(step.why, step.text), "status": "5.0.0"}


def _opened(step: Step, copy: Copy) -> Words:
    del copy
    return {
        "useragent": step.agent,
        "ip": step.ip,
        "sg_machine_open": step.machine,
        "sg_content_type": "html",
    }


def _clicked(step: Step, copy: Copy) -> Words:
    return {
        "useragent": step.agent,
        "ip": step.ip,
        "url_offset": {"index": 0, "type": "html"},
        "sg_content_type": "html",
        "url": copy.url or "https://sim.example/",
    }


_WORDS: dict[What, Callable[[Step, Copy], Words]] = {
    What.ACCEPTED: _nothing,
    What.DEFERRED: _deferred,
    What.DELIVERED: _delivered,
    What.BOUNCED: _bounced,
    What.DROPPED: _dropped,
    What.COMPLAINED: _nothing,
    What.OPENED: _opened,
    What.CLICKED: _clicked,
    What.UNSUBSCRIBED: _nothing,
}
"""The fields of the event alone."""


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
