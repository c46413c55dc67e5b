"""What the vendor's webhooks tell: one event a post, signed by Svix.

resend.com/docs/webhooks/event-types with the page of each event, .../retries-and-replays, and
resend.com/docs/dashboard/emails/email-bounces, read 2026-11-24. Events about contacts, domains,
lists and mail received are never told: nobody here has any.
"""

import json
import secrets
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from postroom.simulator.dice import Dice
from postroom.simulator.faces.resend import signing
from postroom.simulator.faces.resend.settings import Settings
from postroom.simulator.faces.resend.signing import Signer
from postroom.simulator.replies import Situation
from postroom.simulator.steps import What, Why
from postroom.simulator.teller import Event, Post, Teller

BOUNCES: dict[Situation | None, tuple[str, str, str]] = {
    Situation.UNKNOWN: ("Permanent", "General", "sent a hard bounce message."),
    Situation.DISABLED: ("Permanent", "General", "sent a hard bounce message."),
    Situation.FULL: (
        "Transient",
        "MailboxFull",
        "sent a bounce message because the recipient's inbox was full.",
    ),
    Situation.LATER: ("Transient", "General", "sent a general bounce message."),
    Situation.BLOCKED: ("Transient", "General", "sent a general bounce message."),
    Situation.SPAM: (
        "Transient",
        "ContentRejected",
        "sent a bounce message because the message's content was not allowed.",
    ),
    None: ("Undetermined", "Undetermined", "sent a bounce message."),
}
"""Type, sub-type and the end of the sentence by what the receiver meant."""

_TELLER = {"User-Agent": "Svix-Webhooks/1.62.0", "Content-Type": "application/json"}


class Webhook(Teller):
    """One endpoint for all events."""

    time_limit_s = 15.0

    def __init__(self, name: str, settings: Settings) -> None:
        super().__init__(name, settings.webhook_url)
        self._signer = Signer(settings.webhook_secret)
        self._stranger = Signer(f"whsec_{b64encode(secrets.token_bytes(24)).decode()}")

    def tell(self, event: Event) -> str | None:
        """The post's id, a space, and its JSON object."""
        words = _WORDS[event.step.what]
        if words is None:
            return None
        name, own = words(event)
        told = {"type": name, "created_at": stamp(event.at), "data": {**_mail(event), **own}}
        return f"{signing.message_id(event.id)} {json.dumps(told)}"

    def post(self, entries: Sequence[str], at: float) -> Post:
        """One entry under its signature."""
        return _signed(self._signer, entries[0], at)

    def reissued(self, entry: str, round_: int) -> str:
        """The same fact under another id of the post."""
        id, _, body = entry.partition(" ")
        return f"{signing.message_id(f'{id} {round_}')} {body}"

    def forged(self, entries: Sequence[str], true: Post, at: float, dice: Dice) -> Post:
        """Unsigned, under a stranger's key, or under the signature of the true story."""
        id, _, body = entries[0].partition(" ")
        told = json.loads(body)
        lie = {"type": "Permanent", "subType": "General", "diagnosticCode": ["smtp; 550 5.1.1 No"]}
        told = {**told, "type": "email.bounced", "data": {**told["data"], "bounce": lie}}
        foreign = _signed(self._stranger, f"{id} {json.dumps(told)}", at)
        return Post(foreign.body, dice.pick([_TELLER, foreign.headers, true.headers]))


def stamp(at: float) -> str:
    """A time as the vendor writes it."""
    text = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _signed(signer: Signer, entry: str, at: float) -> Post:
    id, _, text = entry.partition(" ")
    body = text.encode()
    return Post(body, {**_TELLER, **signer.headers(id, at, body)})


def _mail(event: Event) -> dict[str, Any]:
    """What every event says of the mail; `to` is the one address of this copy, as it was given."""
    copy = event.copy
    return {
        "created_at": stamp(copy.taken_at),
        "email_id": copy.message_id,
        "message_id": copy.header_message_id,
        "from": copy.more.get("from", copy.sender),
        "to": [copy.more.get("named", copy.recipient)],
        "subject": copy.more.get("subject", ""),
        **({"tags": copy.metadata} if copy.metadata else {}),
    }


_Words = Callable[[Event], tuple[str, dict[str, Any]]]


def _named(name: str) -> _Words:
    return lambda _event: (name, {})


def _bounce(event: Event) -> tuple[str, dict[str, Any]]:
    step = event.step
    type, sub_type, words = BOUNCES[step.situation]
    own = {
        "type": type,
        "subType": sub_type,
        "message": f"The recipient's email provider {words}",
        "diagnosticCode": [f"smtp; {step.text}"],
    }
    return "email.bounced", {"bounce": own}


def _dropped(event: Event) -> tuple[str, dict[str, Any]]:
    if event.step.why is Why.FLAWED:
        return "email.failed", {"failed": {"reason": event.step.text}}
    own = {
        "type": "OnAccountSuppressionList",
        "message": "Resend has suppressed sending to this address because it is on the"
        " account-level suppression list.",
    }
    return "email.suppressed", {"suppressed": own}


def _clicked(event: Event) -> tuple[str, dict[str, Any]]:
    own = {
        "ipAddress": event.step.ip,
        "link": event.copy.url or "https://sim.example/",
        "timestamp": stamp(event.at),
        "userAgent": event.step.agent,
    }
    return "email.clicked", {"click": own}


def _opened(event: Event) -> tuple[str, dict[str, Any]]:
    own = {"ipAddress": event.step.ip, "timestamp": stamp(event.at), "userAgent": event.step.agent}
    return "email.opened", {"open": own}


_WORDS: dict[What, _Words | None] = {
    What.ACCEPTED: _named("email.sent"),
    What.DEFERRED: _named("email.delivery_delayed"),
    What.DELIVERED: _named("email.delivered"),
    What.BOUNCED: _bounce,
    What.DROPPED: _dropped,
    What.AUTO_REPLIED: None,
    What.COMPLAINED: _named("email.complained"),
    What.OPENED: _opened,
    What.CLICKED: _clicked,
    What.UNSUBSCRIBED: None,
}
"""By what happened; None: nothing is told of it."""
