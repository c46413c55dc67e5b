"""What the vendor's webhooks tell: batches of events, each wrapped twice.

developers.sparkpost.com/api/webhooks and .../api/events (event types), support.sparkpost.com,
"Bounce Classification Codes" and "Webhook Authentication", read 2026-11-24. Proved by basic auth or
a bearer token, or not at all.
"""

import json
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

from postroom.simulator.dice import Dice
from postroom.simulator.faces.sparkpost.settings import Settings
from postroom.simulator.replies import Situation
from postroom.simulator.steps import What, Why
from postroom.simulator.teller import Event, Post, Teller
from postroom.simulator.userinfo import split

CLASSES: dict[Situation | None, str] = {
    Situation.UNKNOWN: "10",
    Situation.DISABLED: "10",
    Situation.FULL: "22",
    Situation.LATER: "20",
    Situation.BLOCKED: "51",
    Situation.SPAM: "52",
    None: "1",
}
"""The class of a failure by what the receiver meant; `1` where the text tells nothing."""

AUTO_REPLY = "60"

_SUPPRESSED = "554 5.7.1 recipient address suppressed due to customer policy"
_TELLER = {"User-Agent": "SparkPost", "Content-Type": "application/json"}


class Webhook(Teller):
    """One webhook for all events."""

    batch_max = 100

    def __init__(self, name: str, settings: Settings) -> None:
        self._auth, bare = split(settings.webhook_url)
        super().__init__(name, bare)
        if settings.webhook_token:
            self._auth = {"Authorization": f"Bearer {settings.webhook_token}"}

    def tell(self, event: Event) -> str | None:
        """The event inside its two wrappers."""
        wrapper, words = _WORDS[event.step.what]
        return json.dumps({"msys": {wrapper: {**_common(event), **words(event)}}})

    def post(self, entries: Sequence[str], at: float) -> Post:
        """The entries, under what proves them; the same batch has the same id."""
        del at
        body = f"[{','.join(entries)}]".encode()
        batch_id = {"X-MessageSystems-Batch-ID": blake2b(body, digest_size=16).hexdigest()}
        return Post(body, {**_TELLER, **batch_id, **self._auth})

    def reissued(self, entry: str, round_: int) -> str:
        """The same fact under another event id."""
        event_id = _number(f"{entry}-{round_}")
        return _altered(entry, {"event_id": event_id})

    def forged(self, entries: Sequence[str], true: Post, at: float, dice: Dice) -> Post:
        """Without credentials, or with others."""
        del true
        lie = {"type": "bounce", "bounce_class": "10", "raw_reason": "550 5.1.1 User unknown"}
        told = [_altered(entry, lie) for entry in entries]
        guess = {"Authorization": "Bearer guess"}
        return Post(self.post(told, at).body, dice.pick([_TELLER, {**_TELLER, **guess}]))

    def is_heard(self, status: int) -> bool:
        """Nothing but 200."""
        return status == 200


def _altered(entry: str, fields: dict[str, Any]) -> str:
    ((wrapper, event),) = json.loads(entry)["msys"].items()
    return json.dumps({"msys": {wrapper: {**event, **fields}}})


def _number(text: str) -> str:
    return str(int.from_bytes(blake2b(text.encode(), digest_size=7).digest()))


def _common(event: Event) -> dict[str, Any]:
    copy = event.copy
    return {
        "customer_id": "1",
        "event_id": _number(event.id),
        "transmission_id": copy.message_id,
        "message_id": blake2b(copy.id.encode(), digest_size=10).hexdigest(),
        "rcpt_to": copy.recipient.lower(),
        "raw_rcpt_to": copy.recipient,
        "rcpt_type": "to",
        "rcpt_meta": copy.metadata,
        "rcpt_tags": list(copy.tags),
        "friendly_from": copy.sender,
        "subject": copy.more.get("subject", ""),
        "routing_domain": copy.recipient.rpartition("@")[2],
        "open_tracking": copy.track_opens,
        "click_tracking": copy.track_clicks,
        "timestamp": str(int(event.at)),
    }


def _named(name: str) -> Callable[[Event], dict[str, Any]]:
    return lambda _event: {"type": name}


def _said(text: str) -> dict[str, Any]:
    return {"raw_reason": text, "reason": text, "error_code": text[:3]}


def _failed(event: Event, name: str) -> dict[str, Any]:
    classed = {"bounce_class": CLASSES[event.step.situation], "ip_address": event.step.ip}
    return {"type": name, **classed, **_said(event.step.text)}


def _deferred(event: Event) -> dict[str, Any]:
    return {**_failed(event, "delay"), "num_retries": str(event.step.attempt)}


def _delivered(event: Event) -> dict[str, Any]:
    return {"type": "delivery", "ip_address": event.step.ip, "num_retries": "0"}


def _bounced(event: Event) -> dict[str, Any]:
    return _failed(event, "out_of_band" if event.step.after_acceptance else "bounce")


def _dropped(event: Event) -> dict[str, Any]:
    if event.step.why is Why.FLAWED:
        return {"type": "generation_failure", **_said(event.step.text)}
    return {"type": "generation_rejection", **_said(_SUPPRESSED)}


def _auto_replied(event: Event) -> dict[str, Any]:
    return {"type": "out_of_band", "bounce_class": AUTO_REPLY, **_said(event.step.text)}


def _visited(event: Event, name: str) -> dict[str, Any]:
    parsed = {"is_mobile": False, "is_proxy": event.step.machine}
    return {
        "type": name,
        "ip_address": event.step.ip,
        "user_agent": event.step.agent,
        "user_agent_parsed": {**parsed, "is_prefetched": event.step.machine},
    }


def _opened(event: Event) -> dict[str, Any]:
    return _visited(event, "open")


def _clicked(event: Event) -> dict[str, Any]:
    link = event.copy.url or "https://sim.example/"
    return {**_visited(event, "click"), "target_link_url": link, "target_link_name": "Raw URL"}


_WORDS: dict[What, tuple[str, Callable[[Event], dict[str, Any]]]] = {
    What.ACCEPTED: ("message_event", _named("injection")),
    What.DEFERRED: ("message_event", _deferred),
    What.DELIVERED: ("message_event", _delivered),
    What.BOUNCED: ("message_event", _bounced),
    What.DROPPED: ("gen_event", _dropped),
    What.AUTO_REPLIED: ("message_event", _auto_replied),
    What.COMPLAINED: (
        "message_event",
        lambda _event: {"type": "spam_complaint", "fbtype": "abuse"},
    ),
    What.OPENED: ("track_event", _opened),
    What.CLICKED: ("track_event", _clicked),
    What.UNSUBSCRIBED: ("unsubscribe_event", _named("list_unsubscribe")),
}
"""The inner wrapper and the words, by what happened."""
