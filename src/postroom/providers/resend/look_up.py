"""Resend's last event of a mail, asked for by its id.

https://resend.com/docs/api-reference/emails/retrieve-email and .../emails/list-emails,
https://resend.com/docs/api-reference/rate-limit, read 2026-11-24. A mail tells its last event and
neither the time nor the words of it; the list of mails tells no more and carries no id of ours, so
nothing can be found of a call whose answer was lost. Only mails that had no final word are asked
for, and only a final word is read: that a mail was sent or is delayed would be the fact that is
known already, told in another form.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from urllib.parse import quote

from postroom.domain.delivery import EventType
from postroom.providers import told
from postroom.providers.base import Account, Heard
from postroom.providers.history import HistoryCalls, HistoryFailed, LookUp, Mail
from postroom.providers.http_calls import endpoint_of
from postroom.providers.json_events import Item, items_under
from postroom.providers.resend.carrier import ENDPOINT

FINAL: dict[str, EventType] = {
    "delivered": EventType.DELIVERED,
    "bounced": EventType.BOUNCED,
    "failed": EventType.REJECTED,
    "suppressed": EventType.SUPPRESSED,
    "complained": EventType.COMPLAINED,
}
"""Final words among the values of `last_event`."""

NOT_READ: frozenset[str] = frozenset({
    "queued", "scheduled", "sent", "delivery_delayed", "opened", "clicked", "canceled",
})  # fmt: skip
"""The others: not final, or not telling machines from people."""


class ResendLookUp(LookUp):
    """Asks with the account's API key, which needs full access."""

    needs = frozenset({"api_key"})
    names_our_id = False
    kept = timedelta(days=30)
    pause_s = 5.0
    mails_max = 5
    """With the pause one question a second: the limit of five is for sending."""
    silent_for = timedelta(hours=28)
    """Webhooks are repeated for 27 hours. What they tell has a time, so it would come twice."""

    def __init__(self) -> None:
        self._calls = HistoryCalls()

    async def ask(self, account: Account, mails: Sequence[Mail]) -> bytes:
        """What is known of these mails, without their content; each with our id."""
        kept = [
            {"handover_id": str(mail.handover_id), "to": mail.recipient, **known}
            for mail in mails
            if (known := await self._known(account, mail.provider_message_id)) is not None
        ]
        return json.dumps({"emails": kept}).encode() if kept else b""

    def parse(self, body: bytes) -> Iterator[Heard]:
        """The final words."""
        for item in items_under(body, "emails"):
            heard = _heard(item)
            if heard is not None:
                yield heard

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()

    async def _known(self, account: Account, id: str | None) -> dict[str, str] | None:
        if id is None:
            return None
        url = f"{endpoint_of(account, ENDPOINT)}/emails/{quote(id, safe='')}"
        login = {"Authorization": f"Bearer {account.settings.get('api_key', '')}"}
        body = await self._calls.find(account, url, login)
        if body is None:
            return None
        try:
            found = json.loads(body)
            return {"id": str(found["id"]), "last_event": str(found["last_event"])}
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            raise HistoryFailed("the answer is not the one that is documented") from error


def _heard(item: Item) -> Heard | None:
    fields = item.value if isinstance(item.value, dict) else {}
    last = told.text(fields, "last_event") or ""
    type = FINAL.get(last)
    if type is None:
        return None
    return Heard(
        type=type,
        recipient=told.text(fields, "to"),
        occurred_at=None,
        occurred_raw="",
        provider_type=f"email.{last}",
        handover_id=told.uuid(fields, "handover_id"),
        provider_message_id=told.text(fields, "id"),
        start=item.start,
        length=item.length,
    )
