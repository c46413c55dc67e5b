"""Postmark's messages and bounces, asked for by time.

https://postmarkapp.com/developer/api/messages-api, .../bounce-api and
https://postmarkapp.com/blog/messageevents-every-message-event-in-one-api-call, read 2026-11-24.
What became of a message is told for each one alone, beside its content, which is not kept. That a
message is listed proves that Postmark took it, which no webhook tells. A search shows ten thousand
at most, and its times are Eastern: so it is made in stretches of five minutes.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from postroom.domain.delivery import EventType
from postroom.providers import told
from postroom.providers.base import Account, Heard, Unreadable
from postroom.providers.history import HistoryCalls, HistoryFailed, Page
from postroom.providers.http_calls import endpoint_of
from postroom.providers.json_events import Item, items_under, value
from postroom.providers.postmark import events
from postroom.providers.postmark.carrier import ENDPOINT, STREAM
from postroom.providers.postmark.compose import STREAM_SETTING

STRETCH = timedelta(minutes=5)
MESSAGES_COUNT = 50
"""Of one page: each is asked for alone."""
BOUNCES_COUNT = 500
_MESSAGES, _BOUNCES = "messages", "bounces"
_PLACE = re.compile(r"(messages|bounces)@(\d+)\+(\d+)", re.ASCII)
_KEPT_FIELDS = ("MessageID", "Recipients", "Metadata", "ReceivedAt", "MessageEvents")
"""Of the details; the others are the mail itself."""
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)


class PostmarkHistory:
    """Asks with the account's server token, about its message stream."""

    needs = frozenset({"server_token"})
    names_our_id = True
    kept = timedelta(days=45)
    pause_s = 1.0

    def __init__(self) -> None:
        self._calls = HistoryCalls()

    async def page(
        self, account: Account, since: datetime, until: datetime, place: str | None
    ) -> Page:
        """Of each stretch the messages and then the bounces; `place` says which and how far."""
        kind, start, offset = _read(place, since)
        end = start + STRETCH
        if kind == _MESSAGES:
            body, found = await self._messages(account, start, end, offset)
            more = found == MESSAGES_COUNT
        else:
            body = await self._list(account, _BOUNCES, BOUNCES_COUNT, offset, (start, end))
            found = len(_listed(body, "Bounces"))
            more = found == BOUNCES_COUNT
        following = _place(kind, start, offset + found) if more else _after(kind, start, until)
        return Page(body if found else b"", following)

    def parse(self, body: bytes) -> Iterator[Heard]:
        """That each message was taken, and what came of it, read as webhooks tell it."""
        found = value(body)
        if isinstance(found, dict) and "Bounces" in found:
            return (events.heard(_as_posted_bounce(one)) for one in items_under(body, "Bounces"))
        return (heard for item in items_under(body, "Messages") for heard in _of_message(item))

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()

    async def _messages(
        self, account: Account, start: datetime, end: datetime, offset: int
    ) -> tuple[bytes, int]:
        """What became of the messages of one page, and how many there are."""
        window = (start, end)
        body = await self._list(account, "messages/outbound", MESSAGES_COUNT, offset, window)
        listed = _listed(body, "Messages")
        kept = [await self._details(account, told.text(one.value, "MessageID")) for one in listed]
        return json.dumps({"Messages": kept}).encode(), len(listed)

    async def _details(self, account: Account, id: str | None) -> Mapping[str, Any]:
        body = await self._get(account, f"messages/outbound/{quote(id or '', safe='')}/details")
        try:
            found = json.loads(body)
            return {name: found[name] for name in _KEPT_FIELDS if name in found}
        except (ValueError, TypeError, RecursionError) as error:
            raise HistoryFailed("the answer is not the one that is documented") from error

    async def _list(
        self,
        account: Account,
        path: str,
        count: int,
        offset: int,
        window: tuple[datetime, datetime],
    ) -> bytes:
        asked = {
            "count": count,
            "offset": offset,
            "fromdate": _eastern(window[0]),
            "todate": _eastern(window[1]),
            "messagestream": account.settings.get(STREAM_SETTING, STREAM),
        }
        return await self._get(account, f"{path}?{urlencode(asked)}")

    async def _get(self, account: Account, path: str) -> bytes:
        endpoint = endpoint_of(account, ENDPOINT)
        token = account.settings.get("server_token", "")
        return await self._calls.get(
            account, f"{endpoint}/{path}", {"X-Postmark-Server-Token": token}
        )


def _place(kind: str, start: datetime, offset: int) -> str:
    return f"{kind}@{int(start.timestamp())}+{offset}"


def _read(place: str | None, since: datetime) -> tuple[str, datetime, int]:
    found = _PLACE.fullmatch(place or "")
    if found is None:
        return _MESSAGES, since.replace(microsecond=0), 0
    return found[1], datetime.fromtimestamp(int(found[2]), UTC), int(found[3])


def _after(kind: str, start: datetime, until: datetime) -> str | None:
    """The bounces of this stretch after its messages, then the next stretch."""
    if kind == _MESSAGES:
        return _place(_BOUNCES, start, 0)
    following = start + STRETCH
    return _place(_MESSAGES, following, 0) if following <= until else None


def _listed(body: bytes, name: str) -> list[Item]:
    try:
        found = items_under(body, name)
    except Unreadable as error:
        raise HistoryFailed("the answer is not the one that is documented") from error
    if not all(isinstance(one.value, dict) for one in found):
        raise HistoryFailed("the answer is not the one that is documented")
    return found


def _eastern(at: datetime) -> str:
    """The instant on the clocks of New York, without reliance on this machine's table of zones.

    Summer time begins on the second Sunday of March and ends on the first of November, each at
    two o'clock on the clocks of before (15 U.S.C. 260a).
    """
    begins = _sunday(at.year, 3, 8) + timedelta(hours=7)
    ends = _sunday(at.year, 11, 1) + timedelta(hours=6)
    hours = 4 if begins <= at < ends else 5
    return (at.astimezone(UTC) - timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S")


def _sunday(year: int, month: int, day: int) -> datetime:
    """The first Sunday from that day on, at midnight of UTC."""
    first = datetime(year, month, day, tzinfo=UTC)
    return first + timedelta(days=(6 - first.weekday()) % 7)


def _of_message(item: Item) -> Iterator[Heard]:
    fields = item.value if isinstance(item.value, dict) else {}
    stamp = _utc(told.text(fields, "ReceivedAt") or "")
    recipients = [one for one in told.listed(fields, "Recipients") if isinstance(one, str)]
    recipient = told.storable(recipients[0]) if len(recipients) == 1 else None
    yield Heard(
        type=EventType.ACCEPTED,
        recipient=recipient,
        occurred_at=told.iso_time(stamp),
        occurred_raw=stamp,
        provider_type="Sent",
        handover_id=told.uuid(told.inner(fields, "Metadata"), events.HANDOVER_KEY),
        provider_message_id=told.text(fields, "MessageID"),
        start=item.start,
        length=item.length,
    )
    for one in told.listed(fields, "MessageEvents"):
        if isinstance(one, dict) and one.get("Type") == "Delivered":
            yield events.heard(_as_posted_delivery(item, fields, one))


def _as_posted_delivery(item: Item, fields: told.Fields, event: told.Fields) -> Item:
    """The delivery as its webhook has it."""
    posted = {
        "RecordType": "Delivery",
        "Recipient": event.get("Recipient"),
        "DeliveredAt": _utc(told.text(event, "ReceivedAt") or ""),
        "Details": told.inner(event, "Details").get("DeliveryMessage"),
        "MessageID": fields.get("MessageID"),
        "Metadata": fields.get("Metadata"),
    }
    return Item(posted, item.start, item.length)


def _as_posted_bounce(item: Item) -> Item:
    """The bounce as its webhook has it."""
    fields = item.value if isinstance(item.value, dict) else {}
    complaint = fields.get("Type") == "SpamComplaint"
    posted = {
        **fields,
        "RecordType": "SpamComplaint" if complaint else "Bounce",
        "BouncedAt": _utc(told.text(fields, "BouncedAt") or ""),
    }
    return Item(posted, item.start, item.length)


def _utc(stamp: str) -> str:
    """The instant as webhooks write it: in UTC, with all its digits; other text as it is."""
    found = _STAMP.fullmatch(stamp)
    at = told.iso_time(f"{found[1]}{found[3]}") if found else None
    if found is None or at is None:
        return stamp
    return f"{at:%Y-%m-%dT%H:%M:%S}{found[2] or ''}Z"
