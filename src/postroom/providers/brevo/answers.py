"""What Brevo's answer to a call means.

https://developers.brevo.com/docs/how-it-works (status and error codes), .../docs/api-limits and
.../docs/heterogenous-versions-batch-emails, read 2026-11-24.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from postroom.providers.base import Copy, Refusal, Reply, ReplyKind
from postroom.providers.calls_left import none_left

CODES: dict[str, ReplyKind] = {
    "invalid_parameter": ReplyKind.REFUSED,
    "missing_parameter": ReplyKind.REFUSED,
    "out_of_range": ReplyKind.REFUSED,
    "document_not_found": ReplyKind.REFUSED,
    "not_acceptable": ReplyKind.REFUSED,
    "bad_request": ReplyKind.REFUSED,
    "unprocessable_entity": ReplyKind.REFUSED,
    "duplicate_parameter": ReplyKind.TAKEN,
    "duplicate_request": ReplyKind.TAKEN,
    "too_many_requests": ReplyKind.TRY_LATER,
    "campaign_processing": ReplyKind.TRY_LATER,
    "method_not_allowed": ReplyKind.ACCOUNT_STOPPED,
    "unauthorized": ReplyKind.ACCOUNT_STOPPED,
    "permission_denied": ReplyKind.ACCOUNT_STOPPED,
    "reseller_permission_denied": ReplyKind.ACCOUNT_STOPPED,
    "account_under_validation": ReplyKind.ACCOUNT_STOPPED,
    "not_enough_credits": ReplyKind.ACCOUNT_STOPPED,
}
"""Every `code` of the vendor's pages. A duplicate is a call with the key of one that was taken
before: the key is made of hand-overs, which no other call has."""

_STATUSES: dict[int, ReplyKind] = {
    400: ReplyKind.REFUSED,
    401: ReplyKind.ACCOUNT_STOPPED,
    402: ReplyKind.ACCOUNT_STOPPED,
    403: ReplyKind.ACCOUNT_STOPPED,
    413: ReplyKind.REFUSED,
    422: ReplyKind.REFUSED,
    503: ReplyKind.TRY_LATER,
}
"""Answers without a code of that list that say certainly what became of the call."""

_NAMED = re.compile(r"messageVersions\[?\.?(\d{1,4})(?=\D|\Z)")
_RESET = "x-sib-ratelimit-reset"


def read_answer(
    status: int, headers: Mapping[str, str], body: bytes, copies: Sequence[Copy]
) -> Reply:
    """The reply; `headers` have lower-case names."""
    fields = _fields(body)
    code, message = str(fields.get("code") or ""), str(fields.get("message") or "")
    kind = _kind(status, code)
    refused = _refused(code, message, status, copies) if kind is ReplyKind.REFUSED else {}
    named = bool(refused) and len(copies) > 1
    return Reply(
        # The one that is named stood in the way of the others.
        kind=ReplyKind.TRY_LATER if named else kind,
        status=status,
        headers=headers,
        body=body,
        retry_after_s=0.0 if named else _wait_s(headers) if status == 429 else None,
        rest_s=_wait_s(headers) if none_left(headers) else None,
        message_ids=_message_ids(fields, copies) if kind is ReplyKind.TAKEN else {},
        refused=refused,
    )


def _kind(status: int, code: str) -> ReplyKind:
    if 200 <= status < 300:
        return ReplyKind.TAKEN
    if status < 500 and status != 429 and code in CODES:
        return CODES[code]
    if status in _STATUSES:
        return _STATUSES[status]
    # Another 5xx may come from a proxy that has passed the call on; another 3xx or 4xx has not.
    return ReplyKind.UNKNOWN if status >= 500 else ReplyKind.TRY_LATER


def _refused(code: str, message: str, status: int, copies: Sequence[Copy]) -> dict[UUID, Refusal]:
    """The only copy, or the one whose version the message names by its number or address."""
    found = _NAMED.search(message)
    if len(copies) == 1:
        guilty = copies[0]
    elif found and int(found[1]) < len(copies):
        guilty = copies[int(found[1])]
    else:
        return {}
    said = message.lower()
    about_address = "email is not valid" in said or guilty.recipient.lower() in said
    reason = "address_syntax" if about_address and "sender" not in said else "provider_refused"
    return {guilty.handover_id: Refusal(reason, f"{code}: {message}", reply_code=status)}


def _message_ids(fields: Mapping[str, Any], copies: Sequence[Copy]) -> dict[UUID, str]:
    """In the order of the versions, without angle brackets; none for a duplicate."""
    ids = fields.get("messageIds")
    if not isinstance(ids, list):
        ids = [fields["messageId"]] if fields.get("messageId") else []
    if len(ids) != len(copies):
        return {}
    return {copy.handover_id: str(id).strip("<>") for copy, id in zip(copies, ids, strict=True)}


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """Seconds until the limit is lifted, at least one; None when the answer does not say."""
    reset = headers.get(_RESET, "")
    return (
        max(float(reset), 1.0) if reset.isascii() and reset.isdigit() and len(reset) < 7 else None
    )


def _fields(body: bytes) -> Mapping[str, Any]:
    """The answer's object; empty for an answer of any other shape."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
