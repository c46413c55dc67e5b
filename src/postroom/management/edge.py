"""The web role's outer edge: every failing route answers one shape, every answer is guarded."""

import json
import logging
import sys
from collections.abc import Callable, Sequence
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.response import HttpResponseBase
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from postroom.domain.problem import (
    Problem,
    not_authenticated,
    not_found,
    too_large,
    unavailable,
    unreadable,
)
from postroom.domain.wrong_fields import wrong_fields
from postroom.ledger.db import LedgerUnavailable

log = logging.getLogger(__name__)

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
"""On every answer that does not set its own; a page that needs more says so itself."""


def render(problem: Problem) -> HttpResponse:
    """The answer that tells a caller about a problem."""
    return HttpResponse(
        json.dumps(problem.body()),
        status=problem.status,
        content_type="application/problem+json",
        headers=dict(problem.headers),
    )


def problem_of(error: Exception) -> Problem:
    """What a caller is told about an error; never anything of its inside."""
    if isinstance(error, Problem):
        return error
    for kind, build in _PROBLEMS:
        if isinstance(error, kind):
            return build(error)
    return Problem(500, "internal", "Internal error", "something went wrong on our side")


def _of_validation(error: ValidationError) -> Problem:
    return wrong_fields({**told, "loc": _own_path(told["loc"])} for told in error.errors)


def _own_path(loc: Sequence[int | str]) -> Sequence[int | str]:
    """Without the source, and for a body without the name that it has in the code."""
    return loc[2:] if loc[0] == "body" else loc[1:]


def _of_http_error(error: HttpError) -> Problem:
    if isinstance(error.__cause__, Problem):
        return error.__cause__
    return _plain(error.status_code, str(error))


_PROBLEMS: tuple[tuple[type[Exception], Callable[[Any], Problem]], ...] = (
    (AuthenticationError, lambda _: not_authenticated("send Authorization: Bearer <key>")),
    (ValidationError, _of_validation),
    (HttpError, _of_http_error),
    (Http404, lambda _: not_found("there is nothing at this address")),
    (RequestDataTooBig, lambda _: too_large("the body is larger than is taken")),
    (UnreadablePostError, lambda _: unreadable("the body broke off")),
    (SuspiciousOperation, lambda _: unreadable("the request is malformed")),
    (LedgerUnavailable, lambda _: unavailable("the ledger cannot be reached right now")),
)


def _plain(status: int, detail: str) -> Problem:
    """A problem that needs no slug of its own."""
    phrase = HTTPStatus(status).phrase
    return Problem(status, phrase.lower().replace(" ", "-"), phrase, detail)


def register(api: NinjaAPI) -> None:
    """Let every error of the API's routes be answered as a problem."""
    kinds: list[type[Exception]] = [Exception, Problem, *(kind for kind, _ in _PROBLEMS)]
    for kind in kinds:
        api.add_exception_handler(kind, _answer)


def _answer(request: HttpRequest, error: Any) -> HttpResponse:
    problem = problem_of(error)
    if problem.status == 500:
        route = request.resolver_match.route if request.resolver_match else "?"
        log.error("%s %s failed", request.method, route, exc_info=error)
    return render(problem)


class Edge:
    """Middleware: security headers on every answer, one shape for Django's own refusals."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if response.status_code == 405 and response["Content-Type"] != "application/problem+json":
            problem = _plain(405, f"{request.method} is not possible here")
            problem.headers = {"Allow": response["Allow"]}
            response = render(problem)
        for name, text in SECURITY_HEADERS.items():
            response.headers.setdefault(name, text)
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse:
        """The same shape for the views that stand beside the API."""
        return _answer(request, error)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Django's own 400."""
    return render(unreadable("the request is malformed"))


def nothing_here(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001
    """Django's own 404."""
    return render(not_found("there is nothing at this address"))


def internal_error(request: HttpRequest) -> HttpResponse:  # noqa: ARG001
    """Django's own 500. Its own log of it is off: it names paths, and some paths hold secrets."""
    log.error("a request failed", exc_info=sys.exc_info())
    return render(problem_of(RuntimeError()))
