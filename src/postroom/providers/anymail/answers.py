"""What became of a call by what Anymail says: per recipient, or by the error that it raised.

https://anymail.dev/en/stable/sending/anymail_additions/#esp-send-status and .../sending/exceptions/
(django-anymail 15.2), read 2026-11-24, with the vendors' own words for errors: Postal's
docs.postalserver.io/developer/api, Mandrill's mailchimp.com/developer/transactional/api.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import requests
from anymail.exceptions import AnymailAPIError
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from postroom.providers.base import Copy, Refusal, Reply, ReplyKind
from postroom.providers.http_calls import ANSWER_BYTES_MAX

TAKEN: frozenset[str] = frozenset({"sent", "queued"})
"""Anymail's words for a recipient whose mail the provider has."""

REFUSED: dict[str, str] = {
    "invalid": "address_syntax",
    "rejected": "suppressed_by_provider",
    "failed": "provider_refused",
}
"""Its words for one whose mail it will not send, and the reason that they amount to."""

WORDS: dict[str, ReplyKind] = {
    "InvalidServerAPIKey": ReplyKind.ACCOUNT_STOPPED,
    "AccessDenied": ReplyKind.ACCOUNT_STOPPED,
    "ServerSuspended": ReplyKind.ACCOUNT_STOPPED,
    "ValidationError": ReplyKind.REFUSED,
    "ParameterError": ReplyKind.REFUSED,
    "NoRecipients": ReplyKind.REFUSED,
    "NoContent": ReplyKind.REFUSED,
    "TooManyToAddresses": ReplyKind.REFUSED,
    "FromAddressMissing": ReplyKind.REFUSED,
    "UnauthenticatedFromAddress": ReplyKind.REFUSED,
    "AttachmentMissingName": ReplyKind.REFUSED,
    "AttachmentMissingData": ReplyKind.REFUSED,
    "Invalid_Key": ReplyKind.ACCOUNT_STOPPED,
    "PaymentRequired": ReplyKind.ACCOUNT_STOPPED,
    "Unknown_Subaccount": ReplyKind.ACCOUNT_STOPPED,
    "ServiceUnavailable": ReplyKind.TRY_LATER,
}
"""What vendors say whose status says nothing: Postal (`code`, under 200), Mandrill (`name`, under
500)."""

STATUSES: dict[int, ReplyKind] = {
    400: ReplyKind.REFUSED,
    401: ReplyKind.ACCOUNT_STOPPED,
    402: ReplyKind.ACCOUNT_STOPPED,
    403: ReplyKind.ACCOUNT_STOPPED,
    413: ReplyKind.REFUSED,
    422: ReplyKind.REFUSED,
}
"""Answers that say certainly what became of the call, whoever gives them."""

_NO_URL = (
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
    requests.exceptions.InvalidSchema,
)
_NOT_CONNECTED = (ConnectTimeoutError, NameResolutionError, NewConnectionError)


def read_statuses(
    statuses: Mapping[str, Any], response: requests.Response | None, copies: Sequence[Copy]
) -> Reply:
    """The reply by Anymail's status of each recipient; unknown for one of whom it says nothing."""
    by_address = {address.casefold(): told for address, told in statuses.items()}
    ids: dict[UUID, str] = {}
    refused: dict[UUID, Refusal] = {}
    taken = True
    for copy in copies:
        told = by_address.get(copy.recipient.casefold())
        word = told.status if told else None
        if word in REFUSED:
            text = f"Anymail reads the answer as {word!r}"
            refused[copy.handover_id] = Refusal(REFUSED[word], text)
        elif word in TAKEN and told and told.message_id is not None:
            ids[copy.handover_id] = str(told.message_id)
        taken = taken and (word in TAKEN or word in REFUSED)
    kind = ReplyKind.TAKEN if taken else ReplyKind.UNKNOWN
    return Reply(kind, **_verbatim(response), message_ids=ids, refused=refused)


def read_error(
    error: AnymailAPIError, answered: requests.Response | None, copies: Sequence[Copy]
) -> Reply:
    """The reply by an error of the call; `answered` is what had come before Anymail read it."""
    response = getattr(error, "response", None)
    response = answered if response is None else response
    if response is None:
        return _without_answer(error)
    kind = _kind(response)
    refused = {}
    if kind is ReplyKind.REFUSED and len(copies) == 1:
        reason = Refusal("provider_refused", response.text[:1_000], reply_code=response.status_code)
        refused = {copies[0].handover_id: reason}
    wait_s = _wait_s(response.headers) if kind is ReplyKind.TRY_LATER else None
    return Reply(kind, **_verbatim(response), retry_after_s=wait_s, refused=refused)


def _kind(response: requests.Response) -> ReplyKind:
    status = response.status_code
    worded = WORDS.get(_word(response.content)) if status < 300 or status >= 500 else None
    found = worded or STATUSES.get(status)
    # Success that Anymail could not read, or a 5xx of a proxy: the mail may be on its way.
    unclear = status < 300 or status >= 500
    return found or (ReplyKind.UNKNOWN if unclear else ReplyKind.TRY_LATER)


def _word(body: bytes) -> str:
    """The vendor's own word for an error; empty where there is none."""
    try:
        fields = json.loads(body[:ANSWER_BYTES_MAX])
    except (ValueError, RecursionError):
        return ""
    if not isinstance(fields, dict) or fields.get("status") != "error":
        return ""
    data = fields.get("data")
    word = fields.get("name") or (data.get("code") if isinstance(data, dict) else None)
    return word if isinstance(word, str) else ""


def _without_answer(error: AnymailAPIError) -> Reply:
    """Certainly not taken when no connection came to be; else nobody can tell."""
    cause = error.__cause__
    why = type(cause or error).__name__
    if isinstance(cause, _NO_URL):
        return Reply(ReplyKind.ACCOUNT_STOPPED, error="the account's endpoint is no URL")
    if isinstance(cause, requests.exceptions.InvalidHeader):
        return Reply(ReplyKind.ACCOUNT_STOPPED, error="the account's key is no header text")
    if isinstance(cause, requests.TooManyRedirects):
        return Reply(ReplyKind.TRY_LATER, error="the account's endpoint points elsewhere")
    if isinstance(cause, requests.ConnectTimeout | requests.exceptions.SSLError):
        return Reply(ReplyKind.TRY_LATER, error=f"not connected: {why}")
    if isinstance(cause, requests.ConnectionError) and _never_connected(cause):
        return Reply(ReplyKind.TRY_LATER, error=f"not connected: {why}")
    return Reply(ReplyKind.UNKNOWN, error=f"no answer: {why}")


def _never_connected(error: requests.ConnectionError) -> bool:
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, _NOT_CONNECTED)


def _wait_s(headers: Mapping[str, str]) -> float | None:
    """Seconds until the limit is lifted, at least one; None when the answer does not say."""
    told = headers.get("Retry-After", "").strip()
    usable = told.isascii() and told.isdigit() and len(told) < 7
    return max(float(told), 1.0) if usable else None


def _verbatim(response: requests.Response | None) -> dict[str, Any]:
    if response is None:
        return {}
    headers = {name.lower(): text for name, text in response.headers.items()}
    headers.pop("set-cookie", None)
    return {
        "status": response.status_code,
        "headers": headers,
        "body": response.content[:ANSWER_BYTES_MAX],
    }
