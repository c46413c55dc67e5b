"""What Resend's answer to a call means.

https://resend.com/docs/api-reference/errors, .../api-reference/rate-limit,
https://resend.com/docs/dashboard/emails/idempotency-keys and
https://resend.com/changelog/batch-validation-modes, read 2026-11-24. A batch is checked entry by
entry: the good ones are taken, and each of the others is named by its place.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from postroom.providers.base import Copy, Refusal, Reply, ReplyKind
from postroom.providers.calls_left import none_left
from postroom.providers.http_calls import Answer

ERRORS: dict[tuple[int, str], ReplyKind] = {
    (400, "invalid_idempotency_key"): ReplyKind.REFUSED,
    (400, "validation_error"): ReplyKind.REFUSED,
    (401, "missing_api_key"): ReplyKind.ACCOUNT_STOPPED,
    (401, "restricted_api_key"): ReplyKind.ACCOUNT_STOPPED,
    (403, "invalid_api_key"): ReplyKind.ACCOUNT_STOPPED,
    (403, "validation_error"): ReplyKind.REFUSED,
    (404, "not_found"): ReplyKind.ACCOUNT_STOPPED,
    (405, "method_not_allowed"): ReplyKind.ACCOUNT_STOPPED,
    (409, "invalid_idempotent_request"): ReplyKind.UNKNOWN,
    (409, "concurrent_idempotent_requests"): ReplyKind.UNKNOWN,
    (422, "invalid_attachment"): ReplyKind.REFUSED,
    (422, "invalid_from_address"): ReplyKind.REFUSED,
    (422, "invalid_access"): ReplyKind.REFUSED,
    (422, "invalid_parameter"): ReplyKind.REFUSED,
    (422, "invalid_region"): ReplyKind.REFUSED,
    (422, "missing_required_field"): ReplyKind.REFUSED,
    (429, "rate_limit_exceeded"): ReplyKind.TRY_LATER,
    (429, "daily_quota_exceeded"): ReplyKind.TRY_LATER,
    (429, "monthly_quota_exceeded"): ReplyKind.TRY_LATER,
    (451, "security_error"): ReplyKind.REFUSED,
    (500, "application_error"): ReplyKind.UNKNOWN,
    (500, "internal_server_error"): ReplyKind.UNKNOWN,
}
"""Every error of the vendor's page. A 403 `validation_error` is a From of a domain that is not
verified: the fault of this mail. A key that is known with another body, or at work, belongs to an
earlier call of the same hand-overs, of which this answer says nothing."""

_STATUSES: dict[int, ReplyKind] = {
    400: ReplyKind.REFUSED,
    401: ReplyKind.ACCOUNT_STOPPED,
    403: ReplyKind.ACCOUNT_STOPPED,
    409: ReplyKind.UNKNOWN,
    413: ReplyKind.REFUSED,
    422: ReplyKind.REFUSED,
}
"""Answers without one of those names that say certainly what became of the call."""

QUOTA_WAIT_S = 900.0
"""Until the account is asked again after its allowance was used up, where the answer is silent."""


def read_answer(answer: Answer, copies: Sequence[Copy]) -> Reply:
    """The reply to the call of these copies."""
    fields = _fields(answer.body)
    name, message = str(fields.get("name") or ""), str(fields.get("message") or "")
    if 200 <= answer.status < 300:
        return _taken(answer, fields, copies)
    kind = _kind(answer.status, name)
    refused = {}
    if kind is ReplyKind.REFUSED and len(copies) == 1:
        refused = {copies[0].handover_id: _refusal(f"{name}: {message}", answer.status)}
    return Reply(
        kind=kind,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        retry_after_s=_wait_s(answer.headers, name) if answer.status == 429 else None,
        refused=refused,
    )


def _kind(status: int, name: str) -> ReplyKind:
    found = ERRORS.get((status, name)) or _STATUSES.get(status)
    # Another 5xx may come from a proxy that has passed the call on; another 3xx or 4xx has not.
    return found or (ReplyKind.UNKNOWN if status >= 500 else ReplyKind.TRY_LATER)


def _taken(answer: Answer, fields: Mapping[str, Any], copies: Sequence[Copy]) -> Reply:
    """Each copy by what is said of its entry; unknown where that does not add up."""
    refused = _errors(fields, copies)
    good = [copy for copy in copies if copy.handover_id not in refused]
    ids = _ids(fields)
    adds_up = len(ids) == len(good)
    return Reply(
        # The status alone says nothing: of a batch some may be refused.
        kind=ReplyKind.TAKEN if adds_up else ReplyKind.UNKNOWN,
        status=answer.status,
        headers=answer.headers,
        body=answer.body,
        rest_s=_wait_s(answer.headers, "") if none_left(answer.headers) else None,
        message_ids={
            copy.handover_id: id for copy, id in zip(good, ids if adds_up else (), strict=False)
        },
        refused=refused if adds_up else {},
    )


def _ids(fields: Mapping[str, Any]) -> list[str]:
    data = fields.get("data", [fields])
    entries = data if isinstance(data, list) else []
    found = [entry.get("id") if isinstance(entry, dict) else None for entry in entries]
    return [id for id in found if isinstance(id, str)]


def _errors(fields: Mapping[str, Any], copies: Sequence[Copy]) -> dict[UUID, Refusal]:
    """The entries of a batch that were refused, by the places that the answer names."""
    errors = fields.get("errors")
    refused: dict[UUID, Refusal] = {}
    for error in errors if isinstance(errors, list) else []:
        place = error.get("index") if isinstance(error, dict) else None
        if isinstance(place, int) and 0 <= place < len(copies):
            refused[copies[place].handover_id] = _refusal(str(error.get("message") or ""))
    return refused


def _refusal(text: str, status: int | None = None) -> Refusal:
    """Why: the address, where the vendor's sentence is about the field `to`."""
    about_address = "`to` field" in text and "missing" not in text.lower()
    reason = "address_syntax" if about_address else "provider_refused"
    return Refusal(reason, text, reply_code=status)


def _wait_s(headers: Mapping[str, str], name: str) -> float | None:
    """Seconds until the limit is lifted, at least one; None when the answer does not say."""
    for header in ("retry-after", "ratelimit-reset"):
        told = headers.get(header, "").strip()
        if told.isascii() and told.isdigit() and len(told) < 7:
            return max(float(told), 1.0)
    return QUOTA_WAIT_S if name.endswith("quota_exceeded") else None


def _fields(body: bytes) -> Mapping[str, Any]:
    """The answer's object; empty for an answer of any other shape."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
