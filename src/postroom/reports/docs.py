"""What `/v1/openapi.json` says of the failing answers of the reading routes."""

from typing import Any

_PROBLEMS = {
    401: "No key, or one that is unknown, revoked or run out.",
    403: "The key has not the scope.",
    404: "There is none, or it is another application's.",
    422: "A parameter is not valid; `errors` names it.",
    503: "The ledger cannot be reached right now.",
}

INSTANT = "ISO 8601; without an offset it is UTC."
CURSOR = "`next_cursor` of the page before."


def failing(*statuses: int) -> dict[str, Any]:
    """The problems that a route may answer with, besides 401, 403 and 503, which all may."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        "responses": {
            status: {"description": _PROBLEMS[status], "content": content}
            for status in sorted({401, 403, 503, *statuses})
        }
    }
