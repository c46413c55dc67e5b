"""Fields that both doors read from text: times, addresses of callbacks, tags."""

import re
from datetime import UTC, datetime

NOTIFY_URL_PATTERN = r"^https?://[!-~]{1,2000}\Z"
TAGS_MAX = 20
TAG_CHARS_MAX = 100
REF_CHARS_MAX = 200
METADATA_KEYS_MAX = 50
IDEMPOTENCY_KEY = re.compile(r"[!-~](?:[ -~]{0,253}[!-~])?")
"""1 to 255 printable ASCII characters, no space at either end: some clients would trim it."""


def notify_url(text: str) -> str:
    """The URL itself; raises ValueError for what can be none."""
    if not re.fullmatch(NOTIFY_URL_PATTERN, text):
        raise ValueError("is no http or https URL")
    return text


def instant(text: str) -> datetime:
    """Aware UTC; ValueError, with what is wrong, for anything but ISO 8601 with an offset."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("is not an ISO 8601 date and time") from None
    if at.tzinfo is None:
        raise ValueError("has no offset from UTC; end it with Z or +hh:mm")
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise ValueError("is outside of the calendar") from None
