"""The vendor's errors: a status, a name and a message.

resend.com/docs/api-reference/errors and .../knowledge-base/403-error-1010, read 2026-11-24. A field
of the wrong form is answered with 422, as the vendor's own clients expect beside the 400 of that
page.
"""

from typing import NamedTuple

from aiohttp import web


class Flaw(NamedTuple):
    """Why a call, or one mail of a batch, is not taken."""

    status: int
    name: str
    message: str


MISSING_KEY = Flaw(401, "missing_api_key", "Missing API key in the authorization header.")
INVALID_KEY = Flaw(403, "invalid_api_key", "API key is invalid.")
KEY_LENGTH = Flaw(400, "invalid_idempotency_key", "The key must be between 1-256 chars.")
OTHER_BODY = Flaw(
    409,
    "invalid_idempotent_request",
    "Same idempotency key used with a different request payload.",
)
AT_WORK = Flaw(
    409,
    "concurrent_idempotent_requests",
    "Same idempotency key used while original request is still in progress.",
)
NO_JSON = Flaw(400, "validation_error", "We found an error with one or more fields in the request.")
NOT_FOUND = Flaw(404, "not_found", "The requested endpoint does not exist.")
NO_EMAIL = Flaw(404, "not_found", "Email not found.")

_TROUBLES: dict[int, Flaw] = {
    400: NO_JSON,
    401: MISSING_KEY,
    403: INVALID_KEY,
    404: NOT_FOUND,
    405: Flaw(405, "method_not_allowed", "Method is not allowed for the requested path."),
    413: Flaw(413, "validation_error", "The request is larger than 40MB."),
    429: Flaw(
        429,
        "rate_limit_exceeded",
        "Too many requests. Please limit the number of requests per second."
        " Or contact support to increase rate limit.",
    ),
}


def trouble(status: int) -> Flaw:
    """What is said under this status when nothing is wrong with the mail."""
    unexpected = Flaw(status, "internal_server_error", "An unexpected error occurred.")
    return _TROUBLES.get(status, unexpected)


def missing(field: str) -> Flaw:
    """A field that every mail has."""
    return Flaw(422, "missing_required_field", f"Missing `{field}` field.")


def invalid(message: str) -> Flaw:
    """A field of another form than the vendor takes."""
    return Flaw(422, "validation_error", message)


def refused(flaw: Flaw) -> web.Response:
    """The answer that tells of it."""
    told = {"statusCode": flaw.status, "name": flaw.name, "message": flaw.message}
    return web.json_response(told, status=flaw.status)


def without_user_agent() -> web.Response:
    """The answer of what stands before the API, in its own shape."""
    return web.Response(status=403, text="error code: 1010")
