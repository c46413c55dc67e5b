"""Provider webhooks: verify, keep the raw bytes, answer. Nothing is read here."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from postroom.domain.problem import Problem, not_found, unavailable
from postroom.feedback.keeping import keeping
from postroom.ledger.accounts import AccountRow
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.intake import NewReceipt, keep_refused
from postroom.ledger.spool import SpoolUnavailable
from postroom.providers.base import Account, CannotTell, NotAuthentic, ReplyKind
from postroom.providers.history import PULLED
from postroom.providers.http_calls import get_once
from postroom.providers.registry import PROVIDERS

log = logging.getLogger(__name__)

VISIT_TIMEOUT_S = 5.0
"""Amazon gives a confirmation 15 seconds to be answered."""
_NEVER_STORED = frozenset({"authorization", "cookie", "proxy-authorization", PULLED})


@csrf_exempt
@require_POST
def receive(request: HttpRequest, account: str, secret: str) -> HttpResponse:
    """200 once the notification is on disk; a problem that makes the provider repeat or stop."""
    received_at = datetime.now(UTC)
    row = _account(account, secret)
    headers = {name.lower(): value for name, value in request.headers.items()}
    with _trouble_as_told(row):
        _verify(row, headers, request.body, received_at)
        _store(NewReceipt(row.id, received_at, _storable(headers), request.body))
        _follow_up(row, headers, request.body)
    return HttpResponse(status=200)


def _account(name: str, secret: str) -> AccountRow:
    """The account whose webhook this is; what is only remembered makes nobody stop."""
    known = keeping().accounts
    row = known.find(name)
    if row is not None and row.is_webhook_secret(secret):
        return row
    if not known.are_current():
        raise unavailable("The webhook cannot be looked up; please repeat the notification.")
    raise not_found("There is no such webhook.")


@contextmanager
def _trouble_as_told(row: AccountRow) -> Iterator[None]:
    """Our own trouble under the status that makes this provider repeat."""
    try:
        yield
    except Problem as problem:
        if problem.status == 503:
            problem.status = PROVIDERS[row.provider].trouble_status
        raise


def _verify(
    row: AccountRow, headers: Mapping[str, str], body: bytes, received_at: datetime
) -> None:
    receiver = PROVIDERS[row.provider].receiver
    if receiver is None:
        raise not_found("There is no such webhook.")
    try:
        receiver.verify(_as_account(row), headers, body, received_at)
    except CannotTell as error:
        log.warning("webhook of account %s: %s", row.name, error)
        raise unavailable("The notification cannot be verified now; please repeat it.") from error
    except NotAuthentic as error:
        _count_refused(row, received_at, str(error), _storable(headers), body)
        raise _not_authentic(error) from error


def _count_refused(
    row: AccountRow, received_at: datetime, why: str, headers: Mapping[str, str], body: bytes
) -> None:
    """Without the ledger nobody is refused for good: the account may have other keys by now."""
    try:
        if keeping().accounts.are_current():
            keep_refused(row.id, received_at, why, headers, body)
            return
    except LedgerUnavailable as error:
        log.warning("a refused notification cannot be counted: %s", error)
    raise unavailable("The notification cannot be verified now; please repeat it.")


def _follow_up(row: AccountRow, headers: Mapping[str, str], body: bytes) -> None:
    """Visit what the stored notification asks for; unavailable makes its teller ask again."""
    asked = PROVIDERS[row.provider].follow_up
    if asked is None:
        return
    try:
        url = asked(_as_account(row), headers, body)
    except NotAuthentic as error:
        raise _not_authentic(error) from error
    if url is None:
        return
    reply = get_once(_as_account(row), url, VISIT_TIMEOUT_S)
    if reply.kind is not ReplyKind.TAKEN:
        log.warning("account %s: confirming failed: %s", row.name, reply.error or reply.status)
        raise unavailable("The confirmation could not be made; please repeat it.")
    log.info("account %s: confirmed that it is to be told", row.name)


def _not_authentic(error: NotAuthentic) -> Problem:
    why = str(error).removesuffix(".")
    return Problem(
        401,
        "not-authentic",
        "The notification does not prove its origin",
        f"{why[:1].upper()}{why[1:]}. Nothing was stored as an event.",
    )


def _store(receipt: NewReceipt) -> None:
    try:
        keeping().keep(receipt)
    except SpoolUnavailable as error:
        log.error("ALARM a notification is neither stored nor spooled: %s", error)
        raise unavailable("The notification could not be stored; please repeat it.") from error


def _storable(headers: Mapping[str, str]) -> dict[str, str]:
    """The header fields without those that carry credentials, or are ours to write."""
    return {name: value for name, value in headers.items() if name not in _NEVER_STORED}


def _as_account(row: AccountRow) -> Account:
    return Account(row.id, row.name, row.provider, row.simulated, row.settings)
