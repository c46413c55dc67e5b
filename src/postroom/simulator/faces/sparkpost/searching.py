"""Searches for message events.

developers.sparkpost.com/api/events, read 2026-11-24: as webhooks tell them, without their wrappers
and with instants in ISO 8601.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

PER_PAGE_MAX = 10_000
_FIRST = "initial"


@dataclass(frozen=True, slots=True)
class Search:
    """A stretch of time, and which part of it."""

    since: float
    until: float
    per_page: int
    cursor: str
    query: Mapping[str, str]

    @classmethod
    def asked(cls, query: Mapping[str, str]) -> "Search":
        """The search that these parameters are; raises ValueError or LookupError."""
        per_page = int(query.get("per_page", 1000))
        if not 0 < per_page <= PER_PAGE_MAX:
            raise ValueError
        since, until = (datetime.fromisoformat(query[name]) for name in ("from", "to"))
        cursor = query.get("cursor", _FIRST)
        return cls(since.timestamp(), until.timestamp(), per_page, cursor, query)

    def answer(self, entries: Sequence[str], path: str) -> dict[str, Any]:
        """What is said of all these entries of webhooks."""
        skipped = 0 if self.cursor == _FIRST else int(self.cursor)
        end = skipped + self.per_page
        links = {}
        if end < len(entries):
            links["next"] = f"{path}?{urlencode({**self.query, 'cursor': str(end)})}"
        shown = [_result(one) for one in entries[skipped:end]]
        return {"results": shown, "total_count": len(entries), "links": links}


def _result(entry: str) -> dict[str, Any]:
    (fields,) = json.loads(entry)["msys"].values()
    at = datetime.fromtimestamp(int(fields["timestamp"]), UTC)
    return {**fields, "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.000Z")}
