"""Whose rows a caller sees: its own application's, and only with the scope for it."""

from django.http import HttpRequest

from postroom.domain.problem import forbidden
from postroom.ledger.keys import Caller


def caller_with(request: HttpRequest, scope: str) -> Caller:
    """The caller; raises Problem (403) where its key has not this scope."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    if not caller.may(scope):
        raise forbidden(f"this key has not the scope {scope}")
    return caller


def readable(request: HttpRequest) -> tuple[int, ...]:
    """The applications whose rows the caller may read; raises Problem (403) without scope read."""
    return (caller_with(request, "read").application_id,)
