"""What Postmark's answer to a call means, message by message.

https://postmarkapp.com/developer/api/overview (response and error codes) and .../api/email-api
("Send batch emails"), read 2026-11-24. A batch is answered with 200 and a result for each message,
in their order; only what is wrong with the whole call has another status.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from postroom.providers.base import Copy, Refusal, Reply, ReplyKind

CODES: dict[int, ReplyKind] = {
    0: ReplyKind.TAKEN,
    10: ReplyKind.ACCOUNT_STOPPED,
    100: ReplyKind.TRY_LATER,
    300: ReplyKind.REFUSED,
    400: ReplyKind.REFUSED,
    401: ReplyKind.REFUSED,
    402: ReplyKind.REFUSED,
    403: ReplyKind.REFUSED,
    405: ReplyKind.ACCOUNT_STOPPED,
    406: ReplyKind.REFUSED,
    409: ReplyKind.REFUSED,
    410: ReplyKind.REFUSED,
    411: ReplyKind.REFUSED,
    412: ReplyKind.ACCOUNT_STOPPED,
    413: ReplyKind.ACCOUNT_STOPPED,
    429: ReplyKind.TRY_LATER,
    1235: ReplyKind.ACCOUNT_STOPPED,
}
"""Every `ErrorCode` of sending. 405: out of credits; 412: not approved yet; 413: may not send;
1235: there is no such message stream. 400 and 401 are about the sender's address."""

_STATUSES: dict[int, ReplyKind] = {
    401: ReplyKind.ACCOUNT_STOPPED,
    403: ReplyKind.ACCOUNT_STOPPED,
    413: ReplyKind.REFUSED,
    415: ReplyKind.REFUSED,
    422: ReplyKind.REFUSED,
    503: ReplyKind.TRY_LATER,
}
"""Statuses that say certainly what became of the whole call."""

_INVALID, _INACTIVE = 300, 406
_KEPT_BACK = "will not deliver to these inactive addresses"
"""Words of a result without an error of which nothing is sent all the same."""
_ABOUT_RECIPIENT = ("'to' address", "illegal email address", "zero recipients")


@dataclass(slots=True)
class _Told:
    """What the results of an answer say."""

    message_ids: dict[UUID, str] = field(default_factory=dict)
    refused: dict[UUID, Refusal] = field(default_factory=dict)
    later: set[UUID] = field(default_factory=set)
    stopped: bool = False

    @property
    def count(self) -> int:
        return len(self.message_ids) + len(self.refused) + len(self.later)


def read_answer(
    status: int, headers: Mapping[str, str], body: bytes, copies: Sequence[Copy]
) -> Reply:
    """The reply; `headers` have lower-case names."""
    answer = _json(body)
    told = _told(answer, copies) if status == 200 and isinstance(answer, list) else _Told()
    return Reply(
        kind=_kind(status, answer, told, len(copies)),
        status=status,
        headers=headers,
        body=body,
        message_ids=told.message_ids,
        refused=told.refused,
        later=frozenset(told.later),
    )


def _kind(status: int, answer: Any, told: _Told, count: int) -> ReplyKind:
    """The kind for the messages of which the answer does not speak."""
    if status == 200:
        whole = ReplyKind.ACCOUNT_STOPPED if told.stopped else ReplyKind.TAKEN
        return whole if told.count == count else ReplyKind.UNKNOWN
    code = _code(answer)
    if status == 422 and code in CODES and code != 0:
        return CODES[code]
    if status in _STATUSES:
        return _STATUSES[status]
    # Another 5xx may come from a proxy that has passed the call on; another 3xx or 4xx has not.
    return ReplyKind.UNKNOWN if not 300 <= status < 500 else ReplyKind.TRY_LATER


def _told(results: Sequence[Any], copies: Sequence[Copy]) -> _Told:
    """By place, as the vendor answers."""
    told = _Told()
    for copy, result in zip(copies, results, strict=False):
        code = _code(result)
        if code is not None:
            _note(told, copy.handover_id, code, result)
    return told


def _note(told: _Told, handover_id: UUID, code: int, result: Mapping[str, Any]) -> None:
    message = str(result.get("Message") or "")
    kind = CODES.get(code, ReplyKind.REFUSED)
    if kind is ReplyKind.TAKEN and _KEPT_BACK not in message.lower():
        if message_id := result.get("MessageID"):
            told.message_ids[handover_id] = str(message_id)
    elif kind in (ReplyKind.TAKEN, ReplyKind.REFUSED):
        told.refused[handover_id] = Refusal(_reason(code, message), f"{code}: {message}")
    else:
        told.later.add(handover_id)
        told.stopped |= kind is ReplyKind.ACCOUNT_STOPPED


def _reason(code: int, message: str) -> str:
    """Of an address on the list is not told why it stands there."""
    if code in (0, _INACTIVE):
        return "suppressed_by_provider"
    said = message.lower()
    about_recipient = code == _INVALID and any(words in said for words in _ABOUT_RECIPIENT)
    return "address_syntax" if about_recipient else "provider_refused"


def _code(result: Any) -> int | None:
    """The result's `ErrorCode`; None for what is no result."""
    code = result.get("ErrorCode") if isinstance(result, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
