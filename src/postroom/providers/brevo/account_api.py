"""Brevo's interface for accounts: its state, sender domains, transactional webhooks.

https://developers.brevo.com/reference/get-account, .../get-domain-configuration,
.../create-domain, .../authenticate-domain, .../get-webhooks and .../create-webhook, read
2026-11-24. `verified` tells of the ownership alone; only mail from an `authenticated` domain is
signed with `d=` of it, other mail leaves under a domain of Brevo's.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from postroom.providers.account_api import (
    AskFailed,
    DnsRecord,
    Identity,
    IdentityStatus,
    JsonApi,
    Purpose,
    Said,
    Webhook,
)
from postroom.providers.base import Account
from postroom.providers.brevo.carrier import ENDPOINT
from postroom.providers.dns_names import full_name
from postroom.providers.http_calls import endpoint_of

_EVENTS = {
    "request",
    "delivered",
    "deferred",
    "softBounce",
    "hardBounce",
    "invalid",
    "blocked",
    "spam",
    "opened",
    "click",
    "unsubscribed",
}
"""All that a webhook may be set to, but `uniqueOpened`: it repeats what `opened` tells."""
_DECLINES = frozenset({400, 404})
_NOT_FOUND = "document_not_found"
_PURPOSES = {
    "brevo_code": Purpose.OWNERSHIP,
    "dmarc_record": Purpose.DMARC,
}


class BrevoAccountApi:
    """Asks Brevo with the account's API key."""

    wanted_events = frozenset(_EVENTS)

    def __init__(self) -> None:
        self._api = JsonApi()

    async def standing(self, account: Account) -> Sequence[str]:
        """Whether Brevo takes the key, and whether the account may send transactional mail."""
        said = await self._ask(account, "account")
        sentences = ["Brevo takes the API key."]
        if said.object("relay").get("enabled") is False:
            sentences.append("Brevo has not switched on transactional mail for this account.")
        return sentences

    async def identity(self, account: Account, domain: str) -> Identity | None:
        """The domain; Brevo is asked to look again while it is not authenticated."""
        found = await self._configuration(account, domain)
        if found is None:
            return None
        if found.get("authenticated") is True:
            return _identity(found, domain)
        looked = await self._ask(account, _path(domain) + "/authenticate", {}, method="PUT")
        why = str(looked.about("message") or "") if looked.status in _DECLINES else ""
        return _identity(await self._configuration(account, domain) or found, domain, why)

    async def register(self, account: Account, domain: str) -> Identity:
        """The domain, for every address in it."""
        found = await self.identity(account, domain)
        if found is not None:
            return found
        _taken(await self._ask(account, "senders/domains", {"name": domain}, method="POST"))
        made = await self._configuration(account, domain)
        if made is None:
            raise AskFailed("Brevo registered the domain and does not know it")
        return _identity(made, domain)

    async def webhooks(self, account: Account) -> Sequence[Webhook]:
        """The transactional webhooks for mail; Brevo never signs."""
        said = await self._ask(account, "webhooks?type=transactional")
        if _is_not_found(said):
            return ()
        told = _taken(said).rows("webhooks")
        return [_webhook(one) for one in told if one.get("channel", "email") == "email"]

    async def close(self) -> None:
        """Let kept connections go."""
        await self._api.close()

    async def _configuration(self, account: Account, domain: str) -> dict[str, Any] | None:
        said = await self._ask(account, _path(domain))
        return None if _is_not_found(said) else _taken(said).object()

    async def _ask(
        self, account: Account, path: str, body: object = None, *, method: str = "GET"
    ) -> Said:
        endpoint = endpoint_of(account, ENDPOINT)
        headers = {"api-key": account.settings.get("api_key", "")}
        url = f"{endpoint}/v3/{path}"
        return await self._api.ask(account, url, headers, body, method=method, also=_DECLINES)


def _path(domain: str) -> str:
    return f"senders/domains/{quote(domain, safe='')}"


def _is_not_found(said: Said) -> bool:
    """Whether Brevo says that there is no such thing, which its pages list under 400 and 404."""
    return said.status in _DECLINES and said.about("code") == _NOT_FOUND


def _taken(said: Said) -> Said:
    if said.status in _DECLINES:
        raise AskFailed(f"the provider answered {said.status}: {said.about('message') or ''}")
    return said


def _identity(found: dict[str, Any], domain: str, why: str = "") -> Identity:
    authenticated = found["authenticated"] is True
    status = IdentityStatus.VERIFIED if authenticated else IdentityStatus.PENDING
    notes = [] if authenticated else [*filter(None, [why]), *_unseen(found, domain)]
    return Identity(status, authenticated, tuple(_records(found, domain)), "; ".join(notes))


def _records(found: dict[str, Any], domain: str) -> Iterator[DnsRecord]:
    for name, one in Said(200, found).object("dns_records").items():
        host = full_name(str(one["host_name"]), domain)
        yield DnsRecord(_purpose(name), str(one["type"]).upper(), host, str(one["value"]))


def _purpose(name: str) -> Purpose:
    return Purpose.DKIM if name.startswith("dkim") else _PURPOSES.get(name, Purpose.OWNERSHIP)


def _unseen(found: dict[str, Any], domain: str) -> Iterator[str]:
    told = Said(200, found).object("dns_records").values()
    hosts = [full_name(str(one["host_name"]), domain) for one in told if one["status"] is not True]
    if hosts:
        yield f"Brevo does not see yet: {', '.join(hosts)}"


def _webhook(told: dict[str, Any]) -> Webhook:
    """Its pages name `sent` and `request` as two words for the same event."""
    events = {"request" if name == "sent" else str(name) for name in told["events"]}
    return Webhook(str(told.get("url", "")), frozenset(events))
