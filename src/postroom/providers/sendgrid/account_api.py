"""SendGrid's interface for accounts: domain authentication and the Event Webhook's settings.

https://www.twilio.com/docs/sendgrid/api-reference/domain-authentication and
https://www.twilio.com/docs/sendgrid/api-reference/webhooks, read 2026-11-24. An authenticated
domain is signed with `d=` of that very domain, so it is aligned.
"""

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from postroom.providers.account_api import (
    DnsRecord,
    Identity,
    IdentityStatus,
    JsonApi,
    Purpose,
    Said,
    Webhook,
)
from postroom.providers.base import Account
from postroom.providers.http_calls import endpoint_of
from postroom.providers.sendgrid.carrier import ENDPOINT

_EVENTS = {
    "processed",
    "delivered",
    "deferred",
    "bounce",
    "dropped",
    "open",
    "click",
    "spam_report",
    "unsubscribe",
    "group_unsubscribe",
    "group_resubscribe",
}
_PURPOSES = {
    "mail_cname": Purpose.RETURN_PATH,
    "mail_server": Purpose.RETURN_PATH,
    "subdomain_spf": Purpose.RETURN_PATH,
    "dkim": Purpose.DKIM,
    "dkim1": Purpose.DKIM,
    "dkim2": Purpose.DKIM,
}
"""SendGrid's names of the records, with and without its automated security."""


class SendGridAccountApi:
    """Asks SendGrid with the account's API key."""

    wanted_events = frozenset(_EVENTS)

    def __init__(self) -> None:
        self._api = JsonApi()

    async def standing(self, account: Account) -> Sequence[str]:
        """Whether the key may send, and what else it may not."""
        said = await self._ask(account, "/v3/scopes")
        scopes = set(said.about("scopes") or ())
        sentences = ["SendGrid takes the API key."]
        for scope, needed_for in (
            ("mail.send", "send"),
            ("whitelabel.read", "read how sender domains stand"),
            ("user.webhooks.event.settings.read", "read the settings of the Event Webhook"),
        ):
            if scope not in scopes:
                sentences.append(f"The key lacks the scope {scope}: it cannot {needed_for}.")
        return sentences

    async def identity(self, account: Account, domain: str) -> Identity | None:
        """The authenticated domain; SendGrid is asked to look again while it is not valid."""
        found = await self._find(account, domain)
        if found is None:
            return None
        if found.get("valid") is True:
            return _identity(found)
        path = f"/v3/whitelabel/domains/{found.get('id')}/validate"
        said = await self._ask(account, path, {}, method="POST")
        return _identity(found | {"valid": said.about("valid")}, "; ".join(_whys(said)))

    async def register(self, account: Account, domain: str) -> Identity:
        """The authenticated domain, with records that SendGrid rotates by itself."""
        found = await self.identity(account, domain)
        if found is not None:
            return found
        wanted = {"domain": domain, "automatic_security": True, "default": False}
        made = await self._ask(account, "/v3/whitelabel/domains", wanted, method="POST")
        return _identity(made.object())

    async def webhooks(self, account: Account) -> Sequence[Webhook]:
        """Every Event Webhook; one with a public key signs."""
        said = await self._ask(account, "/v3/user/webhooks/event/settings/all")
        return [_webhook(one) for one in said.rows("webhooks")]

    async def close(self) -> None:
        """Let kept connections go."""
        await self._api.close()

    async def _find(self, account: Account, domain: str) -> dict[str, Any] | None:
        said = await self._ask(account, f"/v3/whitelabel/domains?limit=50&domain={quote(domain)}")
        # The filter is a search: `example.com` finds `example.community` too.
        fits = [one for one in said.rows() if one.get("domain") == domain]
        return max(fits, key=lambda one: one.get("valid") is True, default=None)

    async def _ask(
        self, account: Account, path: str, body: object = None, *, method: str = "GET"
    ) -> Said:
        endpoint = endpoint_of(account, ENDPOINT)
        headers = {"Authorization": f"Bearer {account.settings.get('api_key', '')}"}
        return await self._api.ask(account, endpoint + path, headers, body, method=method)


def _identity(found: dict[str, Any], note: str = "") -> Identity:
    status = IdentityStatus.VERIFIED if found.get("valid") is True else IdentityStatus.PENDING
    return Identity(status, aligned=True, records=tuple(_records(found)), note=note)


def _records(found: dict[str, Any]) -> Iterator[DnsRecord]:
    for name, one in Said(200, found).object("dns").items():
        type, value = str(one["type"]).upper(), str(one["data"])
        if type == "MX":
            value = f"10 {value}"
        purpose = _PURPOSES.get(name, Purpose.OWNERSHIP)
        yield DnsRecord(purpose, type, str(one["host"]).rstrip("."), value)


def _whys(said: Said) -> Iterator[str]:
    for name in said.object("validation_results"):
        result = said.object("validation_results", name)
        if not result.get("valid") and result.get("reason"):
            yield str(result["reason"])


def _webhook(told: dict[str, Any]) -> Webhook:
    return Webhook(
        url=str(told.get("url", "")),
        events=frozenset(name for name in _EVENTS if told.get(name) is True),
        enabled=told.get("enabled") is True,
        signed=bool(told.get("public_key")),
    )
