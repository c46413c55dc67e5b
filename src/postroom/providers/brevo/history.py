"""Brevo's transactional events, asked for by day.

https://developers.brevo.com/reference/get-email-event-report, read 2026-11-24: days of UTC, up to
2,500 events a page, at most 300 questions an hour. The events carry no id of ours: they are tied
to their mail by Brevo's id and the recipient, and say nothing of a call whose answer was lost.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from postroom.providers import told
from postroom.providers.base import Account, Heard, Unreadable
from postroom.providers.brevo import events
from postroom.providers.brevo.carrier import ENDPOINT
from postroom.providers.history import HistoryCalls, HistoryFailed, Page
from postroom.providers.http_calls import endpoint_of
from postroom.providers.json_events import Item, items_under

NAMES = {
    "requests": "request",
    "delivered": "delivered",
    "deferred": "deferred",
    "softBounces": "soft_bounce",
    "hardBounces": "hard_bounce",
    "invalid": "invalid_email",
    "blocked": "blocked",
    "error": "error",
    "spam": "spam",
    "opened": "opened",
    "loadedByProxy": "proxy_open",
    "clicks": "click",
    "unsubscribed": "unsubscribed",
}
"""The report's words, and what webhooks call the same. `bounces` only asks for both kinds."""

_LIMIT = 2500


class BrevoHistory:
    """Asks with the account's API key."""

    needs = frozenset({"api_key"})
    names_our_id = False
    kept = timedelta(days=30)
    pause_s = 15.0

    def __init__(self) -> None:
        self._calls = HistoryCalls()

    async def page(
        self, account: Account, since: datetime, until: datetime, place: str | None
    ) -> Page:
        """Up to 2,500 events of these days, the oldest first; `place` counts those before."""
        offset = int(place or 0)
        asked = {
            "startDate": _day(since),
            "endDate": _day(until),
            "limit": _LIMIT,
            "offset": offset,
            "sort": "asc",
        }
        endpoint = endpoint_of(account, ENDPOINT)
        url = f"{endpoint}/v3/smtp/statistics/events?{urlencode(asked)}"
        body = await self._calls.get(account, url, {"api-key": account.settings.get("api_key", "")})
        return _page(body, offset, until)

    def parse(self, body: bytes) -> Iterator[Heard]:
        """The events, read as webhooks tell them."""
        return (events.heard(_as_posted(item)) for item in items_under(body, "events"))

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()


def _day(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d")


def _page(body: bytes, offset: int, until: datetime) -> Page:
    # Where nothing happened, Brevo leaves the list out.
    if b'"events"' not in body:
        return Page(b"", None)
    try:
        found = items_under(body, "events")
    except Unreadable as error:
        raise HistoryFailed("the answer is not the one that is documented") from error
    if not found:
        return Page(b"", None)
    newest = _instant(found[-1])
    through = len(found) < _LIMIT or (newest is not None and newest > until)
    return Page(body, None if through else str(offset + len(found)))


def _instant(item: Item) -> datetime | None:
    fields = item.value if isinstance(item.value, dict) else {}
    return told.iso_time(told.text(fields, "date") or "")


def _as_posted(item: Item) -> Item:
    """The item under the names that webhooks use, with the instant in seconds."""
    fields = item.value if isinstance(item.value, Mapping) else {}
    event, at = told.text(fields, "event") or "", _instant(item)
    posted = {
        "event": NAMES.get(event, event),
        "email": fields.get("email"),
        "message-id": fields.get("messageId"),
        "reason": fields.get("reason"),
        "link": fields.get("link"),
        "ts_event": str(int(at.timestamp())) if at else fields.get("date"),
    }
    return Item(posted, item.start, item.length)
