"""Mailgun's events of the account's domain, asked for by time.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/events and
.../user-manual/events, read 2026-11-24: pages of up to 300, each with the address of the next,
until an empty one; kept for at least three days. The vendor prefers its Logs API by now. That one
rounds the instants which webhooks tell to the microsecond, so each fact would come twice.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import quote, urlencode, urlsplit

from postroom.providers.base import Account, Heard, Unreadable
from postroom.providers.history import HistoryCalls, HistoryFailed, Page
from postroom.providers.json_events import items_under
from postroom.providers.mailgun import events
from postroom.providers.mailgun.carrier import ENDPOINT

_LIMIT = 300


class MailgunHistory:
    """Asks with `account_api_key`, or with `api_key` where that is one of the account."""

    needs = frozenset({"api_key", "domain"})
    names_our_id = True
    kept = timedelta(days=3)
    pause_s = 1.0

    def __init__(self) -> None:
        self._calls = HistoryCalls()

    async def page(
        self, account: Account, since: datetime, until: datetime, place: str | None
    ) -> Page:
        """Up to 300 events; `place` is what follows the path in the address of the next page."""
        settings = account.settings
        key = settings.get("account_api_key") or settings.get("api_key", "")
        endpoint = settings.get("endpoint", ENDPOINT).rstrip("/")
        path = f"{endpoint}/v3/{quote(settings.get('domain', ''), safe='')}/events"
        url = f"{path}?{_window(since, until)}" if place is None else f"{path}/{place}"
        login = "Basic " + b64encode(f"api:{key}".encode()).decode("ascii")
        body = await self._calls.get(account, url, {"Authorization": login})
        return _page(body)

    def parse(self, body: bytes) -> Iterator[Heard]:
        """The items are what webhooks call `event-data`."""
        return (
            replace(events.heard(item.value), start=item.start, length=item.length)
            for item in items_under(body, "items")
            if isinstance(item.value, dict)
        )

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()


def _window(since: datetime, until: datetime) -> str:
    return urlencode(
        {
            "begin": int(since.timestamp()),
            "end": int(until.timestamp()) + 1,
            "ascending": "yes",
            "limit": _LIMIT,
        }
    )


def _page(body: bytes) -> Page:
    try:
        if not items_under(body, "items"):
            return Page(b"", None)
        following = json.loads(body)["paging"]["next"]
        token = urlsplit(following).path.rpartition("/")[2]
    except (Unreadable, LookupError, TypeError, ValueError) as error:
        raise HistoryFailed("the answer is not the one that is documented") from error
    return Page(body, quote(token, safe="=%"))
