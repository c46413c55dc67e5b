"""What a caller is told when a request is refused: one shape for every failing route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field of the request that is wrong, and what to do about it."""

    field: str
    """Its path as written by the caller: `to[17].vars.name`."""
    detail: str


@dataclass(eq=False)
class Problem(Exception):
    """A refusal with its HTTP status, in the terms of RFC 9457.

    `detail` is one sentence for people; it never holds internals, secrets or content.
    """

    status: int
    slug: str
    """The kind of problem, stable for programs: `type` is `urn:postroom:problem:<slug>`."""
    title: str
    """The kind of problem in words, the same for every occurrence."""
    detail: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    """HTTP headers that belong to the answer, for instance `Retry-After`."""

    def __str__(self) -> str:
        return self.detail

    def body(self) -> dict[str, Any]:
        """The members of the `application/problem+json` document."""
        document: dict[str, Any] = {
            "type": f"urn:postroom:problem:{self.slug}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = [
                {"field": error.field, "detail": error.detail} for error in self.errors
            ]
        return document


def invalid(detail: str, *errors: FieldError) -> Problem:
    """422: the request was read, and at least one of its fields is wrong."""
    return Problem(422, "invalid", "The request is not valid", detail, errors)


def invalid_field(field: str, detail: str) -> Problem:
    """422 for one field."""
    return invalid(f"{field}: {detail}", FieldError(field, detail))


def unreadable(detail: str) -> Problem:
    """400: the bytes are not what the content type promises."""
    return Problem(400, "unreadable", "The request cannot be read", detail)


def not_authenticated(detail: str) -> Problem:
    """401: no key, or none that we know."""
    return Problem(
        401,
        "not-authenticated",
        "A valid key is needed",
        detail,
        headers={"WWW-Authenticate": 'Bearer realm="postroom"'},
    )


def forbidden(detail: str) -> Problem:
    """403: the key is known and may not do this."""
    return Problem(403, "forbidden", "The key may not do this", detail)


def not_found(detail: str) -> Problem:
    """404: not there, or not the caller's to see; the answer is the same."""
    return Problem(404, "not-found", "Not found", detail)


def conflict(detail: str) -> Problem:
    """409: it contradicts what was accepted before."""
    return Problem(409, "conflict", "Conflict with an earlier request", detail)


def too_large(detail: str) -> Problem:
    """413: more bytes than this installation takes in one request."""
    return Problem(413, "too-large", "The request is too large", detail)


def unavailable(detail: str) -> Problem:
    """503: our own trouble; nothing was acknowledged and the request may be repeated."""
    return Problem(
        503, "unavailable", "Temporarily unavailable", detail, headers={"Retry-After": "5"}
    )
