"""What Mailjet's answer to a call means, message by message.

https://dev.mailjet.com/email/guides/send-api-v31 ("Send in bulk", "Status and errors") and
.../email_api_overview/status_codes, read 2026-11-24. Valid messages of a call are sent although
others are refused; the answer may then be a 4xx, so the messages decide and not the status.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from postroom.providers.base import Copy, Refusal, Reply, ReplyKind

_KINDS: dict[int, ReplyKind] = {
    400: ReplyKind.REFUSED,
    401: ReplyKind.ACCOUNT_STOPPED,
    403: ReplyKind.ACCOUNT_STOPPED,
    413: ReplyKind.REFUSED,
    503: ReplyKind.TRY_LATER,
}
"""Statuses of a whole call that say certainly what became of it."""

_LATER = frozenset({401, 402, 429, 503})
"""Statuses of one message that have nothing to do with it."""


@dataclass(slots=True)
class _Told:
    """What the messages of an answer say."""

    taken: set[UUID] = field(default_factory=set)
    message_ids: dict[UUID, str] = field(default_factory=dict)
    refused: dict[UUID, Refusal] = field(default_factory=dict)
    later: set[UUID] = field(default_factory=set)

    @property
    def count(self) -> int:
        return len(self.taken) + len(self.refused) + len(self.later)


def read_answer(
    status: int, headers: Mapping[str, str], body: bytes, copies: Sequence[Copy]
) -> Reply:
    """The reply; `headers` have lower-case names."""
    messages = _messages(body)
    told = _told(messages, copies)
    if not messages:
        kind = _kind(status)
    else:
        # A message of which nothing is said may have been taken with the others.
        kind = ReplyKind.TAKEN if told.count == len(copies) else ReplyKind.UNKNOWN
    return Reply(
        kind=kind,
        status=status,
        headers=headers,
        body=body,
        retry_after_s=_wait_s(headers) if kind is ReplyKind.TRY_LATER else None,
        message_ids=told.message_ids,
        refused=told.refused,
        later=frozenset(told.later),
    )


def _kind(status: int) -> ReplyKind:
    """The kind of an answer that says nothing of single messages."""
    if 200 <= status < 300:
        return ReplyKind.UNKNOWN
    if status in _KINDS:
        return _KINDS[status]
    # Another 5xx may come from a proxy that has passed the call on; another 3xx or 4xx has not.
    return ReplyKind.UNKNOWN if status >= 500 else ReplyKind.TRY_LATER


def _told(messages: Sequence[Any], copies: Sequence[Copy]) -> _Told:
    """By place, as the vendor answers; an id of ours beside it must not say otherwise."""
    told = _Told()
    for copy, message in zip(copies, messages, strict=False):
        if not isinstance(message, dict):
            continue
        if message.get("CustomID") not in (None, "", str(copy.handover_id)):
            continue
        if message.get("Status") == "success":
            told.taken.add(copy.handover_id)
            if message_id := _message_id(message):
                told.message_ids[copy.handover_id] = message_id
        elif (errors := message.get("Errors")) and isinstance(errors, list):
            _refuse(told, copy.handover_id, errors)
    return told


def _refuse(told: _Told, handover_id: UUID, errors: Sequence[Any]) -> None:
    known = [error for error in errors if isinstance(error, dict)]
    statuses = {error.get("StatusCode") for error in known}
    if statuses & _LATER:
        told.later.add(handover_id)
    elif known and all(isinstance(code, int) and code < 500 for code in statuses):
        told.refused[handover_id] = _refusal(known[0])


def _refusal(error: Mapping[str, Any]) -> Refusal:
    related = error.get("ErrorRelatedTo")
    about = ", ".join(map(str, related)) if isinstance(related, list) else ""
    reason = "address_syntax" if about.startswith("To[") else "provider_refused"
    text = f"{error.get('ErrorCode')}: {error.get('ErrorMessage')} ({about})"
    return Refusal(reason, text, reply_code=error.get("StatusCode"))


def _message_id(message: Mapping[str, Any]) -> str:
    """The id of the only recipient; empty where the answer does not give it."""
    to = message.get("To")
    first = to[0] if isinstance(to, list) and to else None
    return str(first.get("MessageID") or "") if isinstance(first, dict) else ""


def _wait_s(headers: Mapping[str, str]) -> float | None:
    after = headers.get("retry-after", "")
    return (
        max(float(after), 1.0) if after.isascii() and after.isdigit() and len(after) < 7 else None
    )


def _messages(body: bytes) -> list[Any]:
    """The entries of `Messages`; empty for an answer of any other shape."""
    try:
        found = json.loads(body)["Messages"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return []
    return found if isinstance(found, list) else []
