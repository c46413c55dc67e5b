"""The HTTP door: submit a message; cancel, hold, release or pause what is not handed over yet."""

import dataclasses
import json
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from ninja import Router

from postroom.domain.address_hints import hints
from postroom.domain.communication import NAME_PATTERN
from postroom.domain.delivery import Stage
from postroom.domain.problem import (
    Problem,
    conflict,
    forbidden,
    invalid_field,
    not_authenticated,
    not_found,
    too_large,
    unavailable,
)
from postroom.domain.query import check_query
from postroom.ledger import queue
from postroom.ledger.acceptance import (
    Acceptance,
    Idempotency,
    IdempotencyConflict,
    KeyRevoked,
)
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.keys import Caller, authenticate
from postroom.ledger.pauses import pause_communication
from postroom.submission import http_docs
from postroom.submission.accept import accept
from postroom.submission.bulk_notes import bulk_notes
from postroom.submission.fields import IDEMPOTENCY_KEY
from postroom.submission.json_body import canonical_digest, read_json
from postroom.submission.message_body import read_submission

T = TypeVar("T")

router = Router(tags=["messages"])


@csrf_exempt
@require_POST
def submit(request: HttpRequest) -> HttpResponse:
    """Accept one message to one or many recipients. The answer comes after the commit.

    A plain view: what the API's framework does around a call costs more than reading the mail.
    """
    caller = _authenticated(request)
    check_query(request.GET.lists(), ())
    raw = _body(request)
    body = read_json(raw)
    submission = read_submission(body, raw)
    key = _idempotency_key(request)
    if key is not None:
        claim = Idempotency(key, canonical_digest(body))
        submission = dataclasses.replace(submission, idempotency=claim)
    acceptance = _committed(lambda: accept(submission, caller).result())
    return _accepted(acceptance, bulk_notes(submission, caller))


@router.post("/messages/{uuid:message_id}/cancel", **http_docs.CANCEL)
def cancel(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Withdraw every delivery of the message that is not yet handed over."""
    return _moved(request, message_id, queue.cancel, "cancelled")


@router.post("/messages/{uuid:message_id}/hold", **http_docs.HOLD)
def hold(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Let every delivery that is not yet handed over wait until it is released."""
    return _moved(request, message_id, queue.hold, "held")


@router.post("/messages/{uuid:message_id}/release", **http_docs.RELEASE)
def release(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Let the held deliveries of the message go on."""
    return _moved(request, message_id, queue.release, "released")


@router.post("/communications/{name}/pause", **http_docs.PAUSE)
def pause(request: HttpRequest, name: str) -> HttpResponse:
    """Hand over nothing more of the communication until it is resumed."""
    return _paused(request, name, paused=True)


@router.post("/communications/{name}/resume", **http_docs.RESUME)
def resume(request: HttpRequest, name: str) -> HttpResponse:
    """Let the communication go on."""
    return _paused(request, name, paused=False)


def _authenticated(request: HttpRequest) -> Caller:
    """The caller, remembered for some seconds: the commit checks the key again."""
    scheme, _, token = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    caller = authenticate(token) if scheme.lower() == "bearer" else None
    if caller is None:
        raise not_authenticated("send Authorization: Bearer <key>")
    return caller


def _body(request: HttpRequest) -> bytes:
    """The bytes as received; 411, 413 or 415 before any of them is read."""
    if request.content_type != "application/json":
        raise _unsupported("send the message as Content-Type: application/json")
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise _unsupported("send the body without Content-Encoding")
    length = request.META.get("CONTENT_LENGTH")
    if not length:
        raise Problem(
            411, "length-required", "The length is missing", "send the body with Content-Length"
        )
    bytes_max = settings.POSTROOM_BODY_BYTES_MAX
    if int(length) > bytes_max:
        raise too_large(f"the body has {length} bytes, at most {bytes_max} are taken")
    return request.body


def _unsupported(detail: str) -> Problem:
    return Problem(415, "unsupported-media-type", "The content type is not supported", detail)


def _idempotency_key(request: HttpRequest) -> str | None:
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not IDEMPOTENCY_KEY.fullmatch(key):
        raise invalid_field("Idempotency-Key", "is not 1 to 255 printable ASCII characters")
    return key


def _committed(commit: Callable[[], Acceptance]) -> Acceptance:
    """The acceptance; raises Problem for what the ledger had against it."""
    try:
        return commit()
    except IdempotencyConflict as error:
        raise conflict("this Idempotency-Key was used before with another body") from error
    except KeyRevoked as error:
        raise not_authenticated("this key has been revoked or has run out") from error
    except LedgerUnavailable as error:
        raise unavailable("the ledger cannot be written right now; nothing was accepted") from error


def _accepted(acceptance: Acceptance, warnings: Sequence[str]) -> HttpResponse:
    answer = {
        "message_id": str(acceptance.message_id),
        "communication": acceptance.communication,
        "lane": acceptance.lane.label,
        "notes": [*acceptance.notes, *warnings],
        "recipients": acceptance.recipients,
        "suppressed": acceptance.suppressed,
        "duplicates": acceptance.duplicates,
        "deliveries": [
            {"id": str(id), "email": email, "state": state}
            for id, email, state in acceptance.deliveries
        ],
        "hints": _hints(acceptance),
    }
    return _json(answer, 202)


def _hints(acceptance: Acceptance) -> list[dict[str, str | None]]:
    """What is odd about the addresses that are listed; refused ones have their reason already."""
    return [
        {"email": email, "about": hint.about, "suggestion": hint.suggestion}
        for _, email, state in acceptance.deliveries
        if state != Stage.REJECTED
        for hint in hints(email)
    ]


def _moved(
    request: HttpRequest,
    message_id: UUID,
    move: Callable[[UUID, int], int | None],
    word: str,
) -> HttpResponse:
    """How many deliveries a request moved; 404 for a message of somebody else, as for none."""
    caller = _mover(request)
    count = _changed(lambda: move(message_id, caller.application_id))
    if count is None:
        raise not_found("there is no such message")
    return _json({"message_id": str(message_id), word: count}, 200)


def _paused(request: HttpRequest, name: str, *, paused: bool) -> HttpResponse:
    """Whether a request changed anything; 404 for a communication of somebody else."""
    caller = _mover(request)
    if not re.fullmatch(NAME_PATTERN, name):
        raise not_found("there is no such communication")
    changed = _changed(lambda: pause_communication(caller.application_id, name, paused))
    if changed is None:
        raise not_found("there is no such communication")
    return _json({"communication": name, "paused": paused, "changed": changed}, 200)


def _mover(request: HttpRequest) -> Caller:
    """The caller; raises Problem (403) where its key may not move what is under way."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    if not (caller.may("send") or caller.may("manage")):
        raise forbidden("this key has neither scope send nor scope manage")
    return caller


def _changed(change: Callable[[], T]) -> T:
    try:
        return change()
    except LedgerUnavailable as error:
        raise unavailable("the ledger cannot be written right now; nothing was changed") from error


def _json(answer: dict[str, Any], status: int) -> HttpResponse:
    return HttpResponse(json.dumps(answer), content_type="application/json", status=status)
