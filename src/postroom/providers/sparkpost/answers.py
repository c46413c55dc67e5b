"""What SparkPost's answer to a call means.

https://developers.sparkpost.com/api/transmissions, .../api ("Errors", "Rate Limiting") and
https://support.sparkpost.com/docs/tech-resources/extended-error-codes, read 2026-11-24. A call is
answered with one id and two numbers: how many recipients were accepted and how many were not.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from postroom.domain.provider_classes import LIST_TEXTS
from postroom.providers.base import Copy, Refusal, Reply, ReplyKind

CODES: dict[str, ReplyKind] = {
    "1100": ReplyKind.ACCOUNT_STOPPED,
    "1303": ReplyKind.ACCOUNT_STOPPED,
    "1304": ReplyKind.ACCOUNT_STOPPED,
    "1502": ReplyKind.TRY_LATER,
    "1601": ReplyKind.ACCOUNT_STOPPED,
    "1900": ReplyKind.TRY_LATER,
    "1910": ReplyKind.TRY_LATER,
    "2101": ReplyKind.TRY_LATER,
    "2102": ReplyKind.TRY_LATER,
    "2103": ReplyKind.TRY_LATER,
    "2105": ReplyKind.TRY_LATER,
}
"""Error codes that say more than the status they come under."""

ABOUT_THE_MAIL = frozenset({
    "1305", "3000", "3001", "3002", "3010", "3020", "3040", "3050", "7000", "7001",
})  # fmt: skip
"""Error codes under which every recipient of the mail would be refused: its sender's domain, its
texts, its headers."""

_STATUSES: dict[int, ReplyKind] = {
    400: ReplyKind.REFUSED,
    401: ReplyKind.ACCOUNT_STOPPED,
    403: ReplyKind.ACCOUNT_STOPPED,
    409: ReplyKind.REFUSED,
    413: ReplyKind.REFUSED,
    415: ReplyKind.REFUSED,
    420: ReplyKind.TRY_LATER,
    422: ReplyKind.REFUSED,
    503: ReplyKind.TRY_LATER,
}
"""Statuses that say certainly what became of the whole call."""

_WAIT_S = 5.0
"""The longest that the vendor asks to wait after 429."""


def read_answer(
    status: int, headers: Mapping[str, str], body: bytes, copies: Sequence[Copy]
) -> Reply:
    """The reply; `headers` have lower-case names."""
    fields = _fields(body)
    errors = _errors(fields, "errors")
    kind, refused, taken = _read(status, fields, errors, copies)
    results = fields.get("results")
    call_id = str(results.get("id") or "") if isinstance(results, dict) else ""
    return Reply(
        kind=kind,
        status=status,
        headers=headers,
        body=body,
        retry_after_s=_wait_s(headers) if status == 429 else None,
        message_ids={id: call_id for id in taken if call_id},
        refused=refused,
    )


_Read = tuple[ReplyKind, dict[UUID, Refusal], list[UUID]]
"""The kind, those refused by name, and those taken for certain."""


def _read(
    status: int, fields: Mapping[str, Any], errors: Sequence[Any], copies: Sequence[Copy]
) -> _Read:
    if 200 <= status < 300:
        return _counted(fields, errors, copies)
    codes = [str(error.get("code")) for error in errors]
    kind = _kind(status, codes)
    if kind is not ReplyKind.REFUSED:
        return kind, {}, []
    if len(copies) > 1 and not ABOUT_THE_MAIL.intersection(codes):
        return kind, {}, []
    return kind, {copy.handover_id: _refusal(errors) for copy in copies}, []


def _kind(status: int, codes: Sequence[str]) -> ReplyKind:
    if status < 500 and (known := next((CODES[code] for code in codes if code in CODES), None)):
        return known
    if status in _STATUSES:
        return _STATUSES[status]
    # Another 5xx may come from a proxy that has passed the call on; another 3xx or 4xx has not.
    return ReplyKind.UNKNOWN if status >= 500 else ReplyKind.TRY_LATER


def _counted(fields: Mapping[str, Any], errors: Sequence[Any], copies: Sequence[Copy]) -> _Read:
    """By the numbers; where some were refused and not all are named, nobody's truth is known."""
    results = fields.get("results")
    told = results if isinstance(results, dict) else {}
    accepted, rejected = (
        told.get("total_accepted_recipients"),
        told.get("total_rejected_recipients"),
    )
    ids = [copy.handover_id for copy in copies]
    if accepted == len(copies) and rejected == 0:
        return ReplyKind.TAKEN, {}, ids
    about = [*_errors(told, "rcpt_to_errors"), *errors]
    if accepted == 0 and rejected == len(copies):
        alone = {ids[0]: _refusal(about)} if len(copies) == 1 else {}
        return ReplyKind.REFUSED, alone, []
    named = _named(about, copies)
    if rejected == len(named) and accepted == len(copies) - len(named):
        return ReplyKind.TAKEN, named, [id for id in ids if id not in named]
    return ReplyKind.UNKNOWN, {}, []


def _named(errors: Sequence[Any], copies: Sequence[Copy]) -> dict[UUID, Refusal]:
    """The copies whose address stands in an error that names no other."""
    found: dict[UUID, Refusal] = {}
    for error in errors:
        words = _words(error).lower()
        about = [copy for copy in copies if copy.recipient.lower() in words]
        if len(about) == 1:
            found[about[0].handover_id] = _refusal([error])
    return found


def _refusal(errors: Sequence[Any]) -> Refusal:
    text = "; ".join(_words(error) for error in errors) or "refused without a word"
    said = text.lower()
    if any(words in said for words in LIST_TEXTS):
        return Refusal("suppressed_by_provider", text)
    invalid = "5002" in said or ("address" in said and ("invalid" in said or "valid email" in said))
    return Refusal("address_syntax" if invalid else "provider_refused", text)


def _words(error: Mapping[str, Any]) -> str:
    parts = (str(error.get(name) or "") for name in ("code", "message", "description"))
    return ": ".join(part for part in parts if part)


def _errors(fields: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = fields.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _wait_s(headers: Mapping[str, str]) -> float:
    after = headers.get("retry-after", "")
    told = after.isascii() and after.isdigit() and len(after) < 7
    return max(float(after), 1.0) if told else _WAIT_S


def _fields(body: bytes) -> Mapping[str, Any]:
    """The answer's object; empty for an answer of any other shape."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
