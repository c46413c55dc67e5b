"""SparkPost's events, asked for by time.

https://developers.sparkpost.com/api/events/ and
https://support.sparkpost.com/docs/tech-resources/events-api-integration, read 2026-11-24: pages by
a cursor, kept for ten days; the key needs the permission Events Search: Read-only. The items are
those of webhooks without their wrapper, with their instants in ISO 8601 instead of in seconds.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from postroom.providers import told
from postroom.providers.base import Account, Heard, Unreadable
from postroom.providers.history import HistoryCalls, HistoryFailed, Page
from postroom.providers.http_calls import endpoint_of
from postroom.providers.json_events import Item, items_under
from postroom.providers.sparkpost import events
from postroom.providers.sparkpost.carrier import ENDPOINT

_PER_PAGE = 1000
_FIRST = "initial"


class SparkPostHistory:
    """Asks with the account's API key."""

    needs = frozenset({"api_key"})
    names_our_id = True
    kept = timedelta(days=10)
    pause_s = 1.0

    def __init__(self) -> None:
        self._calls = HistoryCalls()

    async def page(
        self, account: Account, since: datetime, until: datetime, place: str | None
    ) -> Page:
        """Up to 1,000 events; `place` is the cursor in the address of the next page."""
        asked = {
            "cursor": place or _FIRST,
            "from": _stamp(since),
            "to": _stamp(until + timedelta(seconds=1)),
            "per_page": str(_PER_PAGE),
        }
        endpoint = endpoint_of(account, ENDPOINT)
        url = f"{endpoint}/api/v1/events/message?{urlencode(asked)}"
        key = account.settings.get("api_key", "")
        return _page(await self._calls.get(account, url, {"Authorization": key}))

    def parse(self, body: bytes) -> Iterator[Heard]:
        """The items, read as webhooks tell them."""
        return (events.heard(_as_posted(item)) for item in items_under(body, "results"))

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _page(body: bytes) -> Page:
    try:
        if not items_under(body, "results"):
            return Page(b"", None)
        return Page(body, _next_cursor(json.loads(body).get("links")))
    except (Unreadable, LookupError, TypeError, ValueError) as error:
        raise HistoryFailed("the answer is not the one that is documented") from error


def _next_cursor(links: Any) -> str | None:
    """The cursor of the link `next`, which stands in an object, or in a list as it once did."""
    if isinstance(links, list):
        links = {one["rel"]: one["href"] for one in links}
    following = (links or {}).get("next")
    return parse_qs(urlsplit(following).query)["cursor"][0] if following else None


def _as_posted(item: Item) -> Item:
    """The item as a webhook has it: wrapped, and with the instant in seconds."""
    fields = item.value if isinstance(item.value, Mapping) else {}
    at = told.iso_time(told.text(fields, "timestamp") or "")
    if at is not None:
        fields = {**fields, "timestamp": str(int(at.timestamp()))}
    return Item({"msys": {"event": fields}}, item.start, item.length)
