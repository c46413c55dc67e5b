"""How every answer gives a time."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import PlainSerializer


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


Instant = Annotated[datetime, PlainSerializer(_iso)]
"""ISO 8601 in UTC with all its microseconds, so that an `as_of` can be asked for again."""
