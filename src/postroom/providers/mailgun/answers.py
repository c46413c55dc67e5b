"""What Mailgun's answer to a call means: it is taken or refused as a whole.

https://documentation.mailgun.com/docs/mailgun/api-reference/mg-auth ("Errors") and its
"Messages", read 2026-11-24. A refusal names the parameter and never the recipient.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from postroom.providers.base import Copy, Refusal, Reply, ReplyKind
from postroom.providers.calls_left import none_left

_KINDS: dict[int, ReplyKind] = {
    400: ReplyKind.REFUSED,
    401: ReplyKind.ACCOUNT_STOPPED,
    402: ReplyKind.ACCOUNT_STOPPED,
    403: ReplyKind.ACCOUNT_STOPPED,
    404: ReplyKind.ACCOUNT_STOPPED,
    413: ReplyKind.REFUSED,
    503: ReplyKind.TRY_LATER,
}
"""Answers that say certainly what became of the call; 404 is a domain that the account has not.
420 (the hourly limit of a new account) and 429 are no refusals."""

_LIMIT_S = 3_600.0
"""The limit of a new account is counted by the hour."""


def read_answer(
    status: int, headers: Mapping[str, str], body: bytes, copies: Sequence[Copy], now_s: float
) -> Reply:
    """The reply; `headers` have lower-case names, `now_s` is Unix time for the rate-limit reset."""
    fields = _fields(body)
    kind = _kind(status)
    alone = copies[0] if kind is ReplyKind.REFUSED and len(copies) == 1 else None
    message_id = str(fields.get("id") or "").strip("<>")
    taken = kind is ReplyKind.TAKEN and bool(message_id)
    return Reply(
        kind=kind,
        status=status,
        headers=headers,
        body=body,
        retry_after_s=_asked_s(status, headers, now_s),
        rest_s=_wait_s(headers, now_s) if none_left(headers) else None,
        message_ids={copy.handover_id: message_id for copy in copies} if taken else {},
        refused={alone.handover_id: _refusal(status, fields, body)} if alone else {},
    )


def _kind(status: int) -> ReplyKind:
    if 200 <= status < 300:
        return ReplyKind.TAKEN
    if status in _KINDS:
        return _KINDS[status]
    # Another 5xx may come from a proxy that has passed the call on; another 3xx or 4xx has not.
    return ReplyKind.UNKNOWN if status >= 500 else ReplyKind.TRY_LATER


def _refusal(status: int, fields: Mapping[str, Any], body: bytes) -> Refusal:
    text = str(fields.get("message") or "") or body.decode("utf-8", "replace")
    if status == 413:
        return Refusal("message_too_large", text, reply_code=status)
    reason = "address_syntax" if text.startswith("'to' parameter") else "provider_refused"
    return Refusal(reason, text, reply_code=status)


def _asked_s(status: int, headers: Mapping[str, str], now_s: float) -> float | None:
    """Seconds to wait before the call is repeated; None when the answer does not say."""
    if status == 420:
        return _LIMIT_S
    return _wait_s(headers, now_s) if status in (429, 503) else None


def _wait_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Seconds until the limit is lifted, at least one; None when the answer does not say."""
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if _is_number(after):
        return max(float(after), 1.0)
    # The vendor tells the reset in milliseconds since 1970.
    return max(float(reset) / 1_000 - now_s, 1.0) if _is_number(reset) else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 15


def _fields(body: bytes) -> Mapping[str, Any]:
    """The answer's object; empty for an answer of any other shape."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
