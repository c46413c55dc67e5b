"""Pages of the events API.

documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/events, read 2026-11-24. Each page
names the next one, also the last, whose next is empty.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from typing import Any

LIMIT_MAX = 300


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of time, and which part of it."""

    begin: float
    end: float
    limit: int
    skipped: int = 0

    @classmethod
    def asked(cls, token: str | None, query: Mapping[str, str]) -> "Page":
        """The page of this token, or the first one of a search; raises ValueError."""
        if token is not None:
            return cls(*json.loads(urlsafe_b64decode(token)))
        limit = int(query.get("limit", 100))
        if not 0 < limit <= LIMIT_MAX or query.get("ascending") != "yes":
            raise ValueError
        return cls(float(query["begin"]), float(query["end"]), limit)

    def answer(self, events: Sequence[Any], base: str) -> dict[str, Any]:
        """What is said of all these events; `base` is the address of the search."""
        shown = events[self.skipped : self.skipped + self.limit]
        following = replace(self, skipped=self.skipped + len(shown))
        previous = replace(self, skipped=max(0, self.skipped - self.limit))
        return {
            "items": list(shown),
            "paging": {
                "next": f"{base}/{following.token}",
                "previous": f"{base}/{previous.token}",
            },
        }

    @property
    def token(self) -> str:
        """By this it is asked for."""
        return urlsafe_b64encode(json.dumps(astuple(self)).encode()).decode()
