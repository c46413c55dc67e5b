"""What Amazon SES's answer to a call means.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html ("Errors"), its "Common
Error Types" and https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html, read
2026-11-24. The service sends no rate headers: it names an exception.
"""

import json
from collections.abc import Mapping

from postroom.providers.base import Copy, Refusal, Reply, ReplyKind

ERRORS: dict[str, ReplyKind] = {
    "TooManyRequestsException": ReplyKind.TRY_LATER,
    "LimitExceededException": ReplyKind.TRY_LATER,
    "Throttling": ReplyKind.TRY_LATER,
    "ThrottlingException": ReplyKind.TRY_LATER,
    "RequestThrottledException": ReplyKind.TRY_LATER,
    "ServiceUnavailable": ReplyKind.TRY_LATER,
    "ServiceUnavailableException": ReplyKind.TRY_LATER,
    "RequestExpired": ReplyKind.TRY_LATER,
    "RequestTimeoutException": ReplyKind.TRY_LATER,
    "RequestAbortedException": ReplyKind.TRY_LATER,
    "AccountSuspendedException": ReplyKind.ACCOUNT_STOPPED,
    "SendingPausedException": ReplyKind.ACCOUNT_STOPPED,
    "NotFoundException": ReplyKind.ACCOUNT_STOPPED,
    "AccessDenied": ReplyKind.ACCOUNT_STOPPED,
    "AccessDeniedException": ReplyKind.ACCOUNT_STOPPED,
    "ExpiredToken": ReplyKind.ACCOUNT_STOPPED,
    "ExpiredTokenException": ReplyKind.ACCOUNT_STOPPED,
    "IncompleteSignature": ReplyKind.ACCOUNT_STOPPED,
    "IncompleteSignatureException": ReplyKind.ACCOUNT_STOPPED,
    "InvalidClientTokenId": ReplyKind.ACCOUNT_STOPPED,
    "InvalidSignatureException": ReplyKind.ACCOUNT_STOPPED,
    "MissingAuthenticationToken": ReplyKind.ACCOUNT_STOPPED,
    "MissingAuthenticationTokenException": ReplyKind.ACCOUNT_STOPPED,
    "NotAuthorized": ReplyKind.ACCOUNT_STOPPED,
    "OptInRequired": ReplyKind.ACCOUNT_STOPPED,
    "SignatureDoesNotMatch": ReplyKind.ACCOUNT_STOPPED,
    "UnrecognizedClientException": ReplyKind.ACCOUNT_STOPPED,
    "BadRequestException": ReplyKind.REFUSED,
    "InvalidParameterValue": ReplyKind.REFUSED,
    "MailFromDomainNotVerifiedException": ReplyKind.REFUSED,
    "MessageRejected": ReplyKind.REFUSED,
    "RequestEntityTooLargeException": ReplyKind.REFUSED,
    "ValidationError": ReplyKind.REFUSED,
    "ValidationException": ReplyKind.REFUSED,
    "InternalFailure": ReplyKind.UNKNOWN,
    "InternalServerException": ReplyKind.UNKNOWN,
}
"""Every error of the operation and every common one. `NotFoundException` is a configuration set
that is not there: every mail of the account would meet it, and none is at fault."""

_STATUSES: dict[int, ReplyKind] = {
    401: ReplyKind.ACCOUNT_STOPPED,
    403: ReplyKind.ACCOUNT_STOPPED,
    413: ReplyKind.REFUSED,
    503: ReplyKind.TRY_LATER,
}
"""Answers without a name that say certainly what became of the call."""

_CLOCK_TEXTS = ("signature expired", "signature not yet current")
"""Our clock is off: that stops the call and not the account."""

_QUOTA_S = 600.0
"""The daily quota is a sliding window; the vendor advises a pause of up to ten minutes."""
_RATE_S = 1.0
"""The sending rate is counted by the second."""

_ADDRESS_TEXTS = (
    "illegal address",
    "invalid email address",
    "missing final '@domain'",
    "missing local part",
    "missing start of address",
    "domain contains",
    "local address contains",
    "local part of the email address",
    "invalid domain name",
    "domain starts with dot",
    "domain ends with dot",
)
"""Words by which the service says that the recipient's address is none."""


def read_answer(status: int, headers: Mapping[str, str], body: bytes, copy: Copy) -> Reply:
    """The reply to the call of one copy; `headers` have lower-case names."""
    fields = _fields(body)
    name, text = _error_name(headers, fields), _text(fields)
    kind = _kind(status, name, text)
    message_id = fields.get("MessageId")
    taken = kind is ReplyKind.TAKEN and isinstance(message_id, str)
    return Reply(
        kind=kind,
        status=status,
        headers=headers,
        body=body,
        retry_after_s=_wait_s(text) if kind is ReplyKind.TRY_LATER else None,
        message_ids={copy.handover_id: str(message_id)} if taken else {},
        refused={copy.handover_id: _refusal(status, name, text, body)}
        if kind is ReplyKind.REFUSED
        else {},
    )


def _kind(status: int, name: str, text: str) -> ReplyKind:
    if 200 <= status < 300:
        return ReplyKind.TAKEN
    if any(words in text.lower() for words in _CLOCK_TEXTS):
        return ReplyKind.TRY_LATER
    if name in ERRORS:
        return ERRORS[name]
    if status in _STATUSES:
        return _STATUSES[status]
    # Another 5xx may come from a proxy that has passed the call on; another 3xx or 4xx has not.
    return ReplyKind.UNKNOWN if status >= 500 else ReplyKind.TRY_LATER


def _wait_s(text: str) -> float | None:
    """Seconds until another try can work; None where the error has nothing to do with a rate."""
    said = text.lower()
    if "daily" in said or "quota" in said:
        return _QUOTA_S
    return _RATE_S if "rate" in said else None


def _refusal(status: int, name: str, text: str, body: bytes) -> Refusal:
    said = text.lower()
    reason = "provider_refused"
    if any(words in said for words in _ADDRESS_TEXTS):
        reason = "address_syntax"
    elif status == 413 or name == "RequestEntityTooLargeException":
        reason = "message_too_large"
    whole = f"{name}: {text}" if name else text or body.decode("utf-8", "replace")
    return Refusal(reason, whole, reply_code=status)


def _error_name(headers: Mapping[str, str], fields: Mapping[str, object]) -> str:
    """The exception's name: of the header, else of the body, without namespace and address."""
    named = headers.get("x-amzn-errortype") or fields.get("__type") or fields.get("code") or ""
    return str(named).partition(":")[0].rpartition("#")[2]


def _text(fields: Mapping[str, object]) -> str:
    return str(fields.get("message") or fields.get("Message") or "")


def _fields(body: bytes) -> Mapping[str, object]:
    """The answer's object; empty for an answer of any other shape."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
