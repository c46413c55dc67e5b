"""SendGrid's Email Logs, asked for one mail at a time.

https://www.twilio.com/docs/sendgrid/api-reference/email-logs with the pages of its two calls, and
https://www.twilio.com/docs/sendgrid/api-reference/email-activity for the limit, read 2026-11-24:
thirty days, for every customer; a search without pages, by recipient and time, and then all events
of one mail, in the words and stamps of the Event Webhook but for the custom arguments, which stand
apart. The older Email Activity API is not asked: it costs extra, and tells a delivery without the
receiver's words and a stamp in another form, so each fact would come twice.

No limit of Email Logs is published; that of Email Activity, six questions a minute, is kept to.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from postroom.domain.delivery import EventType
from postroom.providers import told
from postroom.providers.base import Account, Heard
from postroom.providers.history import HistoryCalls, HistoryFailed, LookUp, Mail
from postroom.providers.http_calls import endpoint_of
from postroom.providers.json_events import Item, items_under
from postroom.providers.sendgrid import events
from postroom.providers.sendgrid.carrier import ENDPOINT
from postroom.providers.sendgrid.compose import HANDOVER_ARG

KEY_SETTING = "logs_api_key"
"""A key of its own, or the same again: that the account has it says that it may read the logs."""

_FOUND_MAX = 20
"""Mails to one recipient within the window that are looked into."""
_BEFORE, _AFTER = timedelta(minutes=1), timedelta(minutes=10)
"""Around the beginning of the call: clocks differ, and a call takes its time."""


class SendGridLookUp(LookUp):
    """Asks with the account's `logs_api_key`: a search, and one question for each mail found."""

    needs = frozenset({KEY_SETTING})
    names_our_id = True
    kept = timedelta(days=30)
    pause_s = 20.0
    mails_max = 1
    silent_for = timedelta(0)

    def __init__(self) -> None:
        self._calls = HistoryCalls()

    async def ask(self, account: Account, mails: Sequence[Mail]) -> bytes:
        """The events of these mails, each with the custom arguments of its mail."""
        kept = [event for mail in mails for event in await self._events(account, mail)]
        return json.dumps({"events": kept}).encode() if kept else b""

    def parse(self, body: bytes) -> Iterator[Heard]:
        """The events, read as the Event Webhook tells them."""
        return map(_heard, items_under(body, "events"))

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()

    async def _events(self, account: Account, mail: Mail) -> list[dict[str, Any]]:
        query = _query(mail)
        if query is None:
            return []
        url = f"{endpoint_of(account, ENDPOINT)}/v3/logs"
        asked = {"query": query, "limit": _FOUND_MAX}
        body = await self._calls.post(account, url, _login(account), asked)
        ids = [id for id in _ids(body) if _may_be(mail, id)]
        return [one for id in ids for one in await self._of_message(account, mail, f"{url}/{id}")]

    async def _of_message(self, account: Account, mail: Mail, url: str) -> list[dict[str, Any]]:
        body = await self._calls.find(account, url, _login(account))
        return [] if body is None else list(_own_events(body, mail))


def _login(account: Account) -> dict[str, str]:
    return {"Authorization": f"Bearer {account.settings.get(KEY_SETTING, '')}"}


def _query(mail: Mail) -> str | None:
    """The search for a mail; None for an address that would end the text it stands in."""
    if '"' in mail.recipient or "\\" in mail.recipient:
        return None
    return (
        f'to_email = "{mail.recipient}"'
        f' AND sg_message_id_created_at >= TIMESTAMP "{_stamp(mail.begun_at - _BEFORE)}"'
        f' AND sg_message_id_created_at <= TIMESTAMP "{_stamp(mail.begun_at + _AFTER)}"'
    )


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _ids(body: bytes) -> list[str]:
    try:
        found = json.loads(body)["messages"]
        return [quote(str(one["sg_message_id"]), safe="") for one in found]
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise HistoryFailed("the answer is not the one that is documented") from error


def _may_be(mail: Mail, id: str) -> bool:
    """The whole id begins with the one that the call was answered."""
    return mail.provider_message_id is None or id.startswith(quote(mail.provider_message_id))


def _own_events(body: bytes, mail: Mail) -> Iterator[dict[str, Any]]:
    """The events that carry our id of this mail; a recipient's other mails are not ours to keep."""
    try:
        message = json.loads(body)
        shared = message.get("custom_args") or {}
        for event in message["events"]:
            arguments = {**shared, **(event.get("custom_args") or {})}
            if arguments.get(HANDOVER_ARG) == str(mail.handover_id):
                yield {**event, "custom_args": {HANDOVER_ARG: arguments[HANDOVER_ARG]}}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise HistoryFailed("the answer is not the one that is documented") from error


def _heard(item: Item) -> Heard:
    """The event as its webhook has it; the two that no webhook tells by what they say."""
    fields = item.value if isinstance(item.value, Mapping) else {}
    posted = {**told.inner(fields, "custom_args"), **fields}
    if fields.get("event") == "cancel_drop":
        posted["event"] = "dropped"
    heard = events.heard(Item(posted, item.start, item.length))
    is_received = fields.get("event") == "received"
    return replace(heard, type=EventType.ACCEPTED) if is_received else heard
