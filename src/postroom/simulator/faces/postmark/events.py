"""What the vendor's webhooks tell: one event a post, proved by basic auth in the URL alone.

postmarkapp.com/developer/webhooks (bounce, delivery, open tracking, click, spam complaint,
subscription change) and /developer/api/bounce-api (types), read 2026-11-24.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, NamedTuple

from postroom.simulator.dice import Dice
from postroom.simulator.faces.postmark.checks import inactive_message
from postroom.simulator.replies import Situation
from postroom.simulator.steps import What
from postroom.simulator.teller import Event, Post, Teller
from postroom.simulator.userinfo import split


class Kind(NamedTuple):
    """A type of bounce."""

    type: str
    code: int
    name: str
    description: str
    deactivates: bool = False


HARD = Kind(
    "HardBounce",
    1,
    "Hard bounce",
    "The server was unable to deliver your message (ex: unknown user, mailbox not found).",
    deactivates=True,
)
TRANSIENT = Kind(
    "Transient",
    2,
    "Message delayed",
    "The server could not temporarily deliver your message (ex: Message is delayed due to network"
    " troubles).",
)
AUTO = Kind(
    "AutoResponder",
    64,
    "Auto responder",
    'Automatic email responder (ex: "Out of Office" or "On Vacation").',
)
SPAM = Kind(
    "SpamNotification",
    512,
    "Spam notification",
    "The message was delivered, but was either blocked by the user, or classified as spam, bulk"
    " mail, or had rejected content.",
)
UNKNOWN = Kind("Unknown", 2048, "Unknown", "The bounce type could not be recognised.")
SOFT = Kind(
    "SoftBounce",
    4096,
    "Soft bounce",
    "Unable to temporarily deliver message (i.e. mailbox full, account disabled, exceeds quota,"
    " out of disk space).",
)
COMPLAINT = Kind("SpamComplaint", 100001, "Spam complaint", "", deactivates=True)
BLOCKED = Kind("Blocked", 100006, "ISP block", "Blocked from this ISP due to content or listing.")
SMTP_ERROR = Kind(
    "SMTPApiError", 100007, "SMTP API error", "An error occurred in accepting a mail by SMTP."
)

KINDS: dict[Situation | None, Kind] = {
    Situation.UNKNOWN: HARD,
    Situation.DISABLED: SOFT,
    Situation.FULL: SOFT,
    Situation.LATER: SOFT,
    Situation.BLOCKED: BLOCKED,
    Situation.SPAM: SPAM,
    None: UNKNOWN,
}
"""The type of a final bounce by what the receiver meant."""

_TELLER = {"User-Agent": "Postmark", "Content-Type": "application/json"}


class Webhook(Teller):
    """All triggers on, for every stream."""

    def __init__(self, name: str, url: str | None, server_id: int) -> None:
        self._auth, bare = split(url)
        super().__init__(name, bare)
        self._server_id = server_id

    def tell(self, event: Event) -> str | None:
        """The post's JSON object."""
        words = _WORDS[event.step.what]
        if words is None:
            return None
        common = {
            "MessageID": event.copy.message_id,
            "ServerID": self._server_id,
            "MessageStream": event.copy.more.get("stream", "outbound"),
            "Tag": "".join(event.copy.tags),
            "Metadata": event.copy.metadata,
        }
        return json.dumps({**words(event), **common})

    def post(self, entries: Sequence[str], at: float) -> Post:
        """One entry, under the credentials of the URL."""
        del at
        return Post(entries[0].encode(), {**_TELLER, **self._auth})

    def reissued(self, entry: str, round_: int) -> str:
        """The vendor gives events no id of their own."""
        del round_
        return entry

    def forged(self, entries: Sequence[str], true: Post, at: float, dice: Dice) -> Post:
        """Without credentials, or with others."""
        del true, at
        told = json.loads(entries[0])
        lie = {
            "RecordType": "Bounce",
            "Type": "HardBounce",
            "TypeCode": 1,
            "Email": told.get("Email") or told.get("Recipient"),
        }
        guess = {"Authorization": f"Basic {b64encode(b'postmark:guess').decode()}"}
        headers = dice.pick([_TELLER, {**_TELLER, **guess}])
        return Post(json.dumps({**told, **lie}).encode(), headers)

    def is_heard(self, status: int) -> bool:
        """Nothing but 200."""
        return status == 200

    def is_final(self, status: int) -> bool:
        """403 stops the repeats."""
        return status == 403


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def _delivery(event: Event) -> dict[str, Any]:
    return {
        "RecordType": "Delivery",
        "Recipient": event.copy.recipient,
        "DeliveredAt": _time(event.at),
        "Details": event.step.text,
    }


def _bounce(event: Event, kind: Kind, record: str = "Bounce") -> dict[str, Any]:
    copy = event.copy
    return {
        "RecordType": record,
        "ID": int.from_bytes(blake2b(event.id.encode(), digest_size=7).digest()),
        "Type": kind.type,
        "TypeCode": kind.code,
        "Name": kind.name,
        "Description": kind.description,
        "Details": event.step.text,
        "Email": copy.recipient,
        "From": copy.sender,
        "BouncedAt": _time(event.at),
        "DumpAvailable": event.step.after_acceptance,
        "Inactive": kind.deactivates,
        "CanActivate": kind is not COMPLAINT,
        "Subject": copy.more.get("subject", ""),
    }


def _final(event: Event) -> dict[str, Any]:
    return _bounce(event, KINDS[event.step.situation])


def _of(kind: Kind, record: str = "Bounce") -> Callable[[Event], dict[str, Any]]:
    return lambda event: _bounce(event, kind, record)


def _kept_back(event: Event) -> dict[str, Any]:
    """By SMTP the answer comes too early to say that an address is on the list."""
    details = inactive_message([event.copy.recipient])
    return {**_bounce(event, SMTP_ERROR), "Details": details}


def _visit(event: Event, record: str) -> dict[str, Any]:
    return {
        "RecordType": record,
        "Recipient": event.copy.recipient,
        "ReceivedAt": _time(event.at),
        "Client": {"Name": "", "Company": "", "Family": ""},
        "OS": {"Name": "", "Company": "", "Family": ""},
        "Platform": "Unknown",
        "UserAgent": event.step.agent,
        "Geo": {"IP": event.step.ip},
    }


def _open(event: Event) -> dict[str, Any]:
    return {**_visit(event, "Open"), "FirstOpen": True}


def _click(event: Event) -> dict[str, Any]:
    link = event.copy.url or "https://sim.example/"
    return {**_visit(event, "Click"), "ClickLocation": "HTML", "OriginalLink": link}


def _subscription(event: Event) -> dict[str, Any]:
    return {
        "RecordType": "SubscriptionChange",
        "Recipient": event.copy.recipient,
        "ChangedAt": _time(event.at),
        "Origin": "Recipient",
        "SuppressSending": True,
        "SuppressionReason": "ManualSuppression",
    }


_WORDS: dict[What, Callable[[Event], dict[str, Any]] | None] = {
    What.ACCEPTED: None,
    What.DEFERRED: _of(TRANSIENT),
    What.DELIVERED: _delivery,
    What.BOUNCED: _final,
    What.DROPPED: _kept_back,
    What.AUTO_REPLIED: _of(AUTO),
    What.COMPLAINED: _of(COMPLAINT, "SpamComplaint"),
    What.OPENED: _open,
    What.CLICKED: _click,
    What.UNSUBSCRIBED: _subscription,
}
"""By what happened; None: nothing is told of it. The API drops nobody, it refuses."""
