"""Email Logs: a search for mails, and all events of one.

twilio.com/docs/sendgrid/api-reference/email-logs, read 2026-11-24: as the Event Webhook tells them,
with the custom arguments apart. Of what a search may name only what stands there is understood:
the recipient, and from when and until when.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from postroom.simulator.faces.sendgrid.events import FIELDS

LIMIT_MAX = 1000
_CONDITION = re.compile(r'(\w+) (=|>=|<=|>|<) (?:TIMESTAMP )?"([^"]*)"')
_STATUS = {"bounce": "bounced", "open": "delivered", "click": "delivered"}


@dataclass(frozen=True, slots=True)
class Search:
    """Whose mails, and when they were taken."""

    to_email: str
    since: float
    until: float
    limit: int

    @classmethod
    def asked(cls, body: bytes) -> "Search":
        """The search that the body is; raises ValueError, TypeError or LookupError."""
        described = json.loads(body)
        limit = described.get("limit", 10)
        if not 1 <= limit <= LIMIT_MAX:
            raise ValueError
        found = [_CONDITION.fullmatch(one) for one in described["query"].split(" AND ")]
        named = {(one[1], one[2]): one[3] for one in found if one is not None}
        if len(named) != len(found):
            raise ValueError
        since, until = (
            datetime.fromisoformat(named["sg_message_id_created_at", sign]).timestamp()
            for sign in (">=", "<=")
        )
        return cls(named["to_email", "="], since, until, limit)

    def answer(self, entries: Iterable[str]) -> dict[str, Any]:
        """What is said of all these entries of webhooks."""
        messages = [
            _summary(own)
            for own in _by_message(entries).values()
            if own[0]["email"] == self.to_email and self.since <= own[0]["timestamp"] <= self.until
        ]
        return {"messages": messages[: self.limit]}


def message(entries: Iterable[str], id: str) -> dict[str, Any] | None:
    """Everything that happened to the mail of this id; None when there is none."""
    own = _by_message(entries).get(id)
    if own is None:
        return None
    arguments = [_arguments(one) for one in own]
    events = [
        {name: told for name, told in one.items() if name in FIELDS} | {"custom_args": given}
        for one, given in zip(own, arguments, strict=True)
    ]
    named = {name: told for name, told in _summary(own).items() if not name.endswith("_at")}
    return {**named, "api_key_id": "simulator", "client_ip": "127.0.0.1",
            "custom_args": arguments[0], "events": events}  # fmt: skip


def _by_message(entries: Iterable[str]) -> dict[str, list[Mapping[str, Any]]]:
    """The events of each mail, in their order; some bounces come without an id."""
    messages: dict[str, list[Mapping[str, Any]]] = {}
    for event in map(json.loads, entries):
        if "sg_message_id" in event:
            messages.setdefault(event["sg_message_id"], []).append(event)
    return messages


def _arguments(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: told for name, told in event.items() if name not in FIELDS}


def _summary(own: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    last = next(_final(own), own[-1]["event"])
    return {
        "from_email": "sender@sim.example",
        "sg_message_id": own[0]["sg_message_id"],
        "subject": "",
        "to_email": own[0]["email"],
        "status": _STATUS.get(last, last),
        "sg_message_id_created_at": datetime.fromtimestamp(own[0]["timestamp"], UTC).isoformat(),
    }


def _final(own: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    return (one["event"] for one in reversed(own) if one["event"] in ("bounce", "delivered"))
