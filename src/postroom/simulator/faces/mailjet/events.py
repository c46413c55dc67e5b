"""What the vendor's Event API tells: one event a post, or all of the last second in an array.

dev.mailjet.com/email/guides/webhooks, read 2026-11-24. Proved by basic auth in the URL alone.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from postroom.simulator.dice import Dice
from postroom.simulator.replies import Situation
from postroom.simulator.steps import What, Why
from postroom.simulator.teller import Event, Post, Teller
from postroom.simulator.userinfo import split

ERRORS: dict[Situation | None, tuple[str, str, bool]] = {
    Situation.UNKNOWN: ("recipient", "user unknown", True),
    Situation.DISABLED: ("recipient", "mailbox inactive", True),
    Situation.FULL: ("recipient", "quota exceeded", False),
    Situation.LATER: ("system", "connection issue", False),
    Situation.BLOCKED: ("spam", "sender blocked", False),
    Situation.SPAM: ("spam", "content blocked", False),
    None: ("spam", "policy issue", False),
}
"""What it is related to, the error, and whether it is hard, by what the receiver meant."""

KEPT_BACK: dict[Why | None, tuple[str, str]] = {
    Why.BOUNCED_BEFORE: ("mailjet", "preblocked"),
    Why.COMPLAINED_BEFORE: ("recipient", "spam reporter"),
    Why.UNSUBSCRIBED_BEFORE: ("recipient", "blacklisted"),
    Why.FLAWED: ("content", "error in template language"),
}
"""What it is related to and the error, by why it was not tried."""

_TELLER = {"Content-Type": "application/json"}


class Webhook(Teller):
    """One URL for all types of event."""

    def __init__(self, name: str, url: str | None, grouped: bool) -> None:
        self._auth, bare = split(url)
        super().__init__(name, bare)
        self._grouped = grouped
        self.batch_max = 100 if grouped else 1

    def tell(self, event: Event) -> str | None:
        """The event's JSON object."""
        words = _WORDS[event.step.what]
        return None if words is None else json.dumps({**_common(event), **words(event)})

    def post(self, entries: Sequence[str], at: float) -> Post:
        """The entries, under the credentials of the URL."""
        del at
        body = f"[{','.join(entries)}]" if self._grouped else entries[0]
        return Post(body.encode(), {**_TELLER, **self._auth})

    def reissued(self, entry: str, round_: int) -> str:
        """The vendor gives events no id of their own."""
        del round_
        return entry

    def forged(self, entries: Sequence[str], true: Post, at: float, dice: Dice) -> Post:
        """Without credentials, or with others."""
        del true
        lie = {"event": "bounce", "hard_bounce": True, "blocked": True, "error": "user unknown"}
        told = [json.dumps({**json.loads(entry), **lie}) for entry in entries]
        guess = {"Authorization": f"Basic {b64encode(b'mailjet:guess').decode()}"}
        return Post(self.post(told, at).body, dice.pick([_TELLER, {**_TELLER, **guess}]))

    def is_heard(self, status: int) -> bool:
        """Nothing but 200."""
        return status == 200


def _common(event: Event) -> dict[str, Any]:
    copy = event.copy
    return {
        "time": int(event.at),
        "MessageID": int(copy.message_id),
        "Message_GUID": str(uuid5(NAMESPACE_OID, copy.id)),
        "email": copy.recipient,
        "mj_campaign_id": 0,
        "mj_contact_id": 1000 + copy.number,
        "customcampaign": "",
        "CustomID": copy.handover or "",
        "Payload": copy.more.get("payload", ""),
    }


def _sent(event: Event) -> dict[str, Any]:
    reply = f"sent ({event.step.text})"
    return {"event": "sent", "mj_message_id": event.copy.message_id, "smtp_reply": reply}


def _deferred(event: Event) -> dict[str, Any]:
    return {**_error("domain", "greylisted", event), "event": "bounce", "hard_bounce": False}


def _bounce(event: Event) -> dict[str, Any]:
    related, error, hard = ERRORS[event.step.situation]
    hard = hard and not event.step.gave_up
    return {**_error(related, error, event), "event": "bounce", "hard_bounce": hard}


def _error(related: str, error: str, event: Event) -> dict[str, Any]:
    return {
        "blocked": False,
        "error_related_to": related,
        "error": error,
        "comment": event.step.text,
    }


def _blocked(event: Event) -> dict[str, Any]:
    related, error = KEPT_BACK.get(event.step.why, ("mailjet", "preblocked"))
    return {"event": "blocked", "error_related_to": related, "error": error}


def _visit(name: str) -> Callable[[Event], dict[str, Any]]:
    def words(event: Event) -> dict[str, Any]:
        step = event.step
        told = {"event": name, "ip": step.ip, "geo": "", "agent": step.agent}
        link = event.copy.url or "https://sim.example/"
        return {**told, "url": link} if name == "click" else told

    return words


def _spam(event: Event) -> dict[str, Any]:
    del event
    return {"event": "spam", "source": "JMRPP"}


def _unsubscribed(event: Event) -> dict[str, Any]:
    return {**_visit("unsub")(event), "mj_list_id": 1}


_WORDS: dict[What, Callable[[Event], dict[str, Any]] | None] = {
    What.ACCEPTED: None,
    What.DEFERRED: _deferred,
    What.DELIVERED: _sent,
    What.BOUNCED: _bounce,
    What.DROPPED: _blocked,
    What.AUTO_REPLIED: None,
    What.COMPLAINED: _spam,
    What.OPENED: _visit("open"),
    What.CLICKED: _visit("click"),
    What.UNSUBSCRIBED: _unsubscribed,
}
"""By what happened; None: nothing is told of it."""
