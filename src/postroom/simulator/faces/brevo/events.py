"""What the vendor's transactional webhooks tell: one event a post, or up to 500 in an array.

developers.brevo.com/docs/transactional-webhooks, .../batch-webhooks, .../retry-mechanism and
.../secure-webhook-calls, read 2026-11-24. Proved by a login in the URL or a token, or not at all.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from postroom.simulator.dice import Dice
from postroom.simulator.faces.brevo.settings import Settings
from postroom.simulator.replies import Situation
from postroom.simulator.steps import What, Why
from postroom.simulator.teller import Event, Post, Teller
from postroom.simulator.userinfo import split

HARD = frozenset({Situation.UNKNOWN, Situation.DISABLED})
"""What the receiver means when the bounce is a hard one."""

BLOCKED: dict[Why | None, str] = {
    Why.BOUNCED_BEFORE: "blocked : due to blacklist user",
    Why.COMPLAINED_BEFORE: "blocked : due to blacklist user",
    Why.UNSUBSCRIBED_BEFORE: "blocked : due to unsubscribed user",
}
"""The text by why it was not tried; anything else is an `error`."""

_TELLER = {"User-Agent": "SendinBlue Webhook", "Content-Type": "application/json"}


class Webhook(Teller):
    """One webhook for all events."""

    def __init__(self, name: str, settings: Settings) -> None:
        self._auth, bare = split(settings.webhook_url)
        super().__init__(name, bare)
        if settings.webhook_token:
            self._auth = {"Authorization": f"Bearer {settings.webhook_token}"}
        self._batched = settings.batched
        self.batch_max = 500 if settings.batched else 1

    def tell(self, event: Event) -> str | None:
        """The event's JSON object."""
        words = _WORDS[event.step.what]
        return None if words is None else json.dumps({**_common(event), **words(event)})

    def post(self, entries: Sequence[str], at: float) -> Post:
        """The entries, under what proves them."""
        del at
        body = f"[{','.join(entries)}]" if self._batched else entries[0]
        return Post(body.encode(), {**_TELLER, **self._auth})

    def reissued(self, entry: str, round_: int) -> str:
        """The vendor gives events no id of their own."""
        del round_
        return entry

    def forged(self, entries: Sequence[str], true: Post, at: float, dice: Dice) -> Post:
        """Without a login, or with another."""
        del true
        lie = {"event": "hard_bounce", "reason": "550 5.1.1 User unknown"}
        told = [json.dumps({**json.loads(entry), **lie}) for entry in entries]
        guess = {"Authorization": "Bearer guess"}
        return Post(self.post(told, at).body, dice.pick([_TELLER, {**_TELLER, **guess}]))

    def is_final(self, status: int) -> bool:
        """429 alone makes it repeat."""
        return status >= 400 and status != 429


def _common(event: Event) -> dict[str, Any]:
    copy, second = event.copy, int(event.at)
    return {
        "email": copy.recipient,
        "id": 814119,
        "date": datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "ts": second,
        "ts_event": second,
        "ts_epoch": int(event.at * 1000),
        "message-id": copy.message_id,
        "subject": copy.more.get("subject", ""),
        "X-Mailin-custom": copy.more.get("custom", ""),
        "sending_ip": event.step.ip,
        "tags": list(copy.tags),
    }


def _named(name: str) -> Callable[[Event], dict[str, Any]]:
    return lambda _event: {"event": name}


def _deferred(event: Event) -> dict[str, Any]:
    return {"event": "deferred", "reason": event.step.text}


def _bounce(event: Event) -> dict[str, Any]:
    hard = event.step.situation in HARD and not event.step.gave_up
    return {"event": "hard_bounce" if hard else "soft_bounce", "reason": event.step.text}


def _dropped(event: Event) -> dict[str, Any]:
    if event.step.why in BLOCKED:
        return {"event": "blocked", "reason": BLOCKED[event.step.why]}
    return {"event": "error", "reason": event.step.text}


def _opened(event: Event) -> dict[str, Any]:
    name = "unique_proxy_open" if event.step.machine else "unique_opened"
    return {"event": name, "user_agent": event.step.agent, "ip": event.step.ip}


def _clicked(event: Event) -> dict[str, Any]:
    link = event.copy.url or "https://sim.example/"
    return {"event": "click", "link": link, "user_agent": event.step.agent, "ip": event.step.ip}


_WORDS: dict[What, Callable[[Event], dict[str, Any]] | None] = {
    What.ACCEPTED: _named("request"),
    What.DEFERRED: _deferred,
    What.DELIVERED: _named("delivered"),
    What.BOUNCED: _bounce,
    What.DROPPED: _dropped,
    What.AUTO_REPLIED: None,
    What.COMPLAINED: _named("spam"),
    What.OPENED: _opened,
    What.CLICKED: _clicked,
    What.UNSUBSCRIBED: _named("unsubscribed"),
}
"""By what happened; None: nothing is told of it."""
