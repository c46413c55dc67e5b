"""What SendGrid's answer to a call means.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/errors and .../how-to-use-the-sendgrid-
v3-api/rate-limits, read 2026-11-24.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from postroom.providers.base import Copy, Refusal, Reply, ReplyKind
from postroom.providers.calls_left import none_left

_KINDS: dict[int, ReplyKind] = {
    401: ReplyKind.ACCOUNT_STOPPED,
    403: ReplyKind.ACCOUNT_STOPPED,
    400: ReplyKind.REFUSED,
    413: ReplyKind.REFUSED,
    422: ReplyKind.REFUSED,
    503: ReplyKind.TRY_LATER,
}
"""Answers that say certainly what became of the call."""

_NAMED = re.compile(r"personalizations[.\[](\d{1,4})(?:\D|\Z)")
_SENDER_FIELDS = ("from", "reply_to")


@dataclass(frozen=True, slots=True)
class _Error:
    """One entry of `errors`."""

    message: str
    field: str

    @property
    def place(self) -> int | None:
        """The number of the personalization that it names."""
        found = _NAMED.match(self.field)
        return int(found[1]) if found else None


def read_answer(
    status: int, headers: Mapping[str, str], body: bytes, copies: Sequence[Copy], now_s: float
) -> Reply:
    """The reply; `headers` have lower-case names, `now_s` is Unix time for the rate-limit reset."""
    errors = _errors(body)
    kind = _kind(status, errors)
    refused = _refused(errors, copies, status) if kind is ReplyKind.REFUSED else {}
    all_named = bool(errors) and all(error.place is not None for error in errors)
    retry_after_s = _wait_s(headers, now_s) if status in (429, 503) else None
    if refused and all_named:
        kind, retry_after_s = ReplyKind.TRY_LATER, 0.0
    return Reply(
        kind=kind,
        status=status,
        headers=headers,
        body=body,
        retry_after_s=retry_after_s,
        rest_s=_wait_s(headers, now_s) if none_left(headers) else None,
        message_ids=_message_ids(headers, copies) if kind is ReplyKind.TAKEN else {},
        refused=refused,
    )


def _kind(status: int, errors: Sequence[_Error]) -> ReplyKind:
    if 200 <= status < 300:
        return ReplyKind.TAKEN
    if status == 403 and errors and all(e.field.startswith(_SENDER_FIELDS) for e in errors):
        # A From that is not verified is the fault of this mail; others go on.
        return ReplyKind.REFUSED
    if status in _KINDS:
        return _KINDS[status]
    # Another 5xx may come from a proxy that has passed the call on; another 3xx or 4xx has not.
    return ReplyKind.UNKNOWN if status >= 500 else ReplyKind.TRY_LATER


def _refused(errors: Sequence[_Error], copies: Sequence[Copy], status: int) -> dict[UUID, Refusal]:
    """The recipients that the answer names, each with the first thing said of it."""
    refused: dict[UUID, Refusal] = {}
    for error in errors:
        if error.place is not None and error.place < len(copies):
            refused.setdefault(copies[error.place].handover_id, _refusal(error, status))
    return refused


def _refusal(error: _Error, status: int) -> Refusal:
    inside = error.field.partition(".")[2].partition(".")[2]
    about_address = inside.startswith("to") and not inside.endswith(".name")
    reason = "address_syntax" if about_address else "provider_refused"
    return Refusal(reason, error.message, reply_code=status)


def _message_ids(headers: Mapping[str, str], copies: Sequence[Copy]) -> dict[UUID, str]:
    """One id for the whole call; the `sg_message_id` of every event begins with it."""
    message_id = headers.get("x-message-id")
    return {copy.handover_id: message_id for copy in copies} if message_id else {}


def _wait_s(headers: Mapping[str, str], now_s: float) -> float | None:
    """Seconds until the limit is lifted, at least one; None when the answer does not say."""
    reset, after = headers.get("x-ratelimit-reset", ""), headers.get("retry-after", "")
    if after.isascii() and after.isdigit() and len(after) < 10:
        return max(float(after), 1.0)
    if reset.isascii() and reset.isdigit() and len(reset) < 12:
        return max(float(reset) - now_s, 1.0)
    return None


def _errors(body: bytes) -> list[_Error]:
    """The entries of `errors`; empty for an answer of any other shape."""
    try:
        found = json.loads(body)["errors"]
        return [_Error(str(e.get("message") or ""), str(e.get("field") or "")) for e in found]
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return []
