"""What the vendor's webhooks tell: one event a post, signed over timestamp and token alone.

documentation.mailgun.com/docs/mailgun/user-manual/webhooks (payloads, securing, retries) and
/user-manual/events, read 2026-11-24.
"""

import hmac
import json
import secrets
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

from postroom.simulator.dice import Dice
from postroom.simulator.replies import Situation
from postroom.simulator.steps import Step, What, Why
from postroom.simulator.teller import Event, Post, Teller

SUPPRESSED: dict[Why | None, tuple[str, int, str]] = {
    Why.BOUNCED_BEFORE: (
        "suppress-bounce",
        605,
        "Not delivering to previously bounced address",
    ),
    Why.UNSUBSCRIBED_BEFORE: (
        "suppress-unsubscribe",
        606,
        "Not delivering to unsubscribed address",
    ),
    Why.COMPLAINED_BEFORE: (
        "suppress-complaint",
        607,
        "Not delivering to a user who marked your messages as spam",
    ),
}
"""Reason, code and description by what is on the domain's lists."""

REASONS: dict[Situation | None, str] = {
    Situation.UNKNOWN: "bounce",
    Situation.DISABLED: "bounce",
    Situation.FULL: "bounce",
    Situation.LATER: "generic",
    Situation.BLOCKED: "espblock",
    Situation.SPAM: "espblock",
    None: "generic",
}
"""Reasons of a permanent failure by what the receiver meant."""

_HEADERS = {"User-Agent": "mailgun/treq-22.2.0", "Content-Type": "application/json"}


class Webhook(Teller):
    """All events of the account to one URL."""

    def __init__(self, name: str, url: str | None, signing_key: str) -> None:
        super().__init__(name, url)
        self._key = signing_key

    def tell(self, event: Event) -> str | None:
        """The `event-data`, as JSON text."""
        words = _WORDS[event.step.what]
        return None if words is None else json.dumps({**_common(event), **words(event)})

    def post(self, entries: Sequence[str], at: float) -> Post:
        """The entry beside its signature."""
        return _signed(entries[0], self._key, at)

    def reissued(self, entry: str, round_: int) -> str:
        """The same fact under a new event id."""
        told = json.loads(entry)
        return json.dumps({**told, "id": f"{told['id']}-{round_}"})

    def forged(self, entries: Sequence[str], true: Post, at: float, dice: Dice) -> Post:
        """Unsigned, or under a stranger's key.

        The true signature would prove any story: it does not cover the event.
        """
        del true
        lie = {"event": "failed", "severity": "permanent", "reason": "bounce", "id": "forged"}
        told = json.dumps({**json.loads(entries[0]), **lie})
        if dice.happens(0.5):
            return Post(f'{{"event-data": {told}}}'.encode(), _HEADERS)
        return _signed(told, "a stranger's key", at)

    def is_heard(self, status: int) -> bool:
        """Nothing but 200."""
        return status == 200

    def is_final(self, status: int) -> bool:
        """406 says that the post is not wanted."""
        return status == 406


def _signed(entry: str, key: str, at: float) -> Post:
    stamp, token = str(int(at)), secrets.token_hex(25)
    proof = hmac.new(key.encode(), f"{stamp}{token}".encode(), "sha256").hexdigest()
    signature = json.dumps({"token": token, "timestamp": stamp, "signature": proof})
    return Post(f'{{"signature": {signature}, "event-data": {entry}}}'.encode(), _HEADERS)


def _common(event: Event) -> dict[str, Any]:
    copy = event.copy
    return {
        "id": blake2b(event.id.encode(), digest_size=11).hexdigest(),
        "timestamp": round(event.at, 6),
        "log-level": "info",
        "recipient": copy.recipient,
        "recipient-domain": copy.recipient.rpartition("@")[2],
        "message": {
            "headers": {
                "to": ", ".join(copy.to),
                "from": copy.more.get("from", copy.sender),
                "message-id": copy.header_message_id.strip("<>"),
                "subject": copy.more.get("subject", ""),
            },
            "attachments": [],
        },
        "flags": {"is-routed": False, "is-authenticated": True, "is-test-mode": False},
        "envelope": {
            "sender": copy.sender,
            "transport": "smtp",
            "targets": copy.recipient,
            "sending-ip": event.step.ip,
        },
        "domain": {"name": copy.message_id.rpartition("@")[2]},
        "tags": copy.tags,
        "campaigns": [],
        "user-variables": copy.metadata,
    }


def _accepted(event: Event) -> dict[str, Any]:
    return {"event": "accepted", "method": event.copy.door.upper()}


def _status(step: Step, attempt: int) -> dict[str, Any]:
    """The reply, cut into its code and its text."""
    code, _, text = step.text.partition(" ")
    return {
        "code": int(code),
        "message": text,
        "description": "",
        "enhanced-code": step.code or "",
        "attempt-no": attempt,
        "session-seconds": 0.25,
        "tls": True,
    }


def _delivered(event: Event) -> dict[str, Any]:
    attempt = event.number or 1
    return {"event": "delivered", "delivery-status": _status(event.step, attempt)}


def _deferred(event: Event) -> dict[str, Any]:
    step = event.step
    status = {**_status(step, step.attempt), "retry-seconds": 600 * step.attempt}
    return {
        "event": "failed",
        "severity": "temporary",
        "reason": "generic",
        "log-level": "warn",
        "delivery-status": status,
    }


def _failed(event: Event) -> dict[str, Any]:
    step = event.step
    status = _status(step, event.number)
    told: dict[str, Any] = {
        "event": "failed",
        "severity": "permanent",
        "reason": "old" if step.gave_up else REASONS[step.situation],
        "log-level": "error",
        "delivery-status": status,
    }
    if step.gave_up:
        status.update(code=602, description="Too old")
    if step.after_acceptance:
        told["flags"] = {**_common(event)["flags"], "is-delayed-bounce": True}
    return told


def _suppressed(event: Event) -> dict[str, Any]:
    reason, code, description = SUPPRESSED.get(event.step.why, ("generic", 600, event.step.text))
    return {
        "event": "failed",
        "severity": "permanent",
        "reason": reason,
        "log-level": "error",
        "delivery-status": {
            "code": code,
            "message": "",
            "description": description,
            "enhanced-code": "",
            "attempt-no": 1,
            "session-seconds": 0.0,
        },
    }


def _visit(name: str) -> Callable[[Event], dict[str, Any]]:
    def words(event: Event) -> dict[str, Any]:
        step = event.step
        client = {
            "user-agent": step.agent,
            "client-type": "browser",
            "device-type": "unknown",
            "bot": "apple" if step.machine else "",
        }
        told = {"event": name, "ip": step.ip, "client-info": client}
        link = event.copy.url or "https://sim.example/"
        return {**told, "url": link} if name == "clicked" else told

    return words


def _named(name: str) -> Callable[[Event], dict[str, Any]]:
    def words(event: Event) -> dict[str, Any]:
        del event
        return {"event": name}

    return words


_WORDS: dict[What, Callable[[Event], dict[str, Any]] | None] = {
    What.ACCEPTED: _accepted,
    What.DEFERRED: _deferred,
    What.DELIVERED: _delivered,
    What.BOUNCED: _failed,
    What.DROPPED: _suppressed,
    What.AUTO_REPLIED: None,
    What.COMPLAINED: _named("complained"),
    What.OPENED: _visit("opened"),
    What.CLICKED: _visit("clicked"),
    What.UNSUBSCRIBED: _named("unsubscribed"),
}
"""By what happened; None: nothing is told of it."""
