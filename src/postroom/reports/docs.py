"""What `/v1/openapi.json` says of the failing answers of the reading routes."""

from typing import Any

_PROBLEMS = {
    400: "The body cannot be read: no JSON, not UTF-8, or a key twice in one object.",
    401: "No key, or one that is unknown, revoked or run out.",
    403: "The key has not the scope.",
    404: "There is none, or it is another application's.",
    422: "A parameter or field is unknown or not valid; `errors` names it.",
    503: "The ledger cannot be reached right now.",
}

INSTANT = "ISO 8601 with an offset from UTC, for instance `2026-11-24T10:00:00Z`."
LIMIT = "Items of a page, at most 1,000."
CURSOR = "`next_cursor` of the page before."


def failing(*statuses: int) -> dict[str, Any]:
    """The problems that a route may answer with, besides those that all may."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "responses": {
            status: {"description": _PROBLEMS[status], "content": content}
            for status in sorted({401, 403, 422, 503, *statuses})
        }
    }
