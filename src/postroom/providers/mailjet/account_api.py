"""Mailjet's interface for accounts: senders, their DNS settings, and the event callback URLs.

https://dev.mailjet.com/email/reference/sender-addresses-and-domains/,
https://dev.mailjet.com/email/reference/webhook/ and the guides of Mailjet's
https://github.com/mailjet/api-documentation ("Domains and DNS"), read 2026-11-24. A From domain is
the sender `*@domain`. Mailjet takes mail from it when it has seen the ownership token, and signs
with `d=` of it when it has seen the DKIM record, else with a domain of its own: both are asked for.

Its SPF record is not: the return path is Mailjet's own, so that the record aligns nothing, and a
domain with two SPF records has none (RFC 7208 section 4.5).
"""

from base64 import b64encode
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
from postroom.providers.dns_names import full_name
from postroom.providers.http_calls import endpoint_of
from postroom.providers.mailjet.carrier import ENDPOINT
from postroom.providers.mailjet.events import TYPES

_RUN_LEVELS = {
    "Softlock": "Mailjet has suspended sending for this key.",
    "Hardlock": "Mailjet has locked this key.",
}


class MailjetAccountApi:
    """Asks Mailjet with the account's two keys."""

    wanted_events = frozenset(TYPES)

    def __init__(self) -> None:
        self._api = JsonApi()

    async def standing(self, account: Account) -> Sequence[str]:
        """Whether Mailjet takes the keys, and whether it lets them send."""
        await self._ask(account, "sender?Limit=1")
        # A key of a sub-account may be refused here; that says nothing about sending.
        keys = await self._ask(account, "apikey?Limit=1000", also=frozenset({401, 403}))
        ours = [
            one
            for one in (keys.rows("Data") if keys.status < 300 else ())
            if one.get("APIKey") == account.settings.get("api_key")
        ]
        limits = (_RUN_LEVELS.get(str(one.get("Runlevel"))) for one in ours)
        return ["Mailjet takes the API keys.", *filter(None, limits)]

    async def identity(self, account: Account, domain: str) -> Identity | None:
        """The sender `*@domain`; Mailjet is asked to look again for what it has not seen."""
        sender = await self._sender(account, domain)
        if sender is None:
            return None
        known = await self._dns(account, domain)
        owned, signed = sender.get("Status") == "Active", known.get("DKIMStatus") == "OK"
        notes: list[str] = []
        if not owned:
            looked = await self._look(account, f"sender/{sender['ID']}/validate")
            owned = bool(looked.get("ValidationMethod"))
            notes += () if owned else _words(looked.get("GlobalError"))
        if not signed:
            looked = await self._look(account, f"dns/{known['ID']}/check")
            signed = looked.get("DKIMStatus") == "OK"
            notes += () if signed else _words(looked.get("DKIMErrors"))
        return _identity(known, domain, owned, signed, "; ".join(notes))

    async def register(self, account: Account, domain: str) -> Identity:
        """The sender `*@domain`, for every address of the domain."""
        found = await self.identity(account, domain)
        if found is not None:
            return found
        await self._ask(account, "sender", {"Email": f"*@{domain}"}, method="POST")
        return _identity(await self._dns(account, domain), domain, owned=False, signed=False)

    async def webhooks(self, account: Account) -> Sequence[Webhook]:
        """One for each URL: Mailjet has a callback for each type of event. It never signs."""
        said = await self._ask(account, "eventcallbackurl?Limit=1000")
        at: dict[str, list[dict[str, Any]]] = {}
        for one in said.rows("Data"):
            # A backup is posted to only while the first one fails.
            if not _is_true(one.get("IsBackup")):
                at.setdefault(str(one["Url"]), []).append(one)
        return [_webhook(url, callbacks) for url, callbacks in at.items()]

    async def close(self) -> None:
        """Let kept connections go."""
        await self._api.close()

    async def _sender(self, account: Account, domain: str) -> dict[str, Any] | None:
        said = await self._ask(account, f"sender?Limit=1000&Domain={quote(domain, safe='')}")
        fits = (one for one in said.rows("Data") if one.get("Email") == f"*@{domain}")
        return next(fits, None)

    async def _dns(self, account: Account, domain: str) -> dict[str, Any]:
        return _only(await self._ask(account, f"dns/{quote(domain, safe='')}"))

    async def _look(self, account: Account, path: str) -> dict[str, Any]:
        return _only(await self._ask(account, path, {}, method="POST"))

    async def _ask(
        self,
        account: Account,
        path: str,
        body: object = None,
        *,
        method: str = "GET",
        also: frozenset[int] = frozenset(),
    ) -> Said:
        endpoint = endpoint_of(account, ENDPOINT)
        key, secret = (account.settings.get(name, "") for name in ("api_key", "api_secret"))
        login = b64encode(f"{key}:{secret}".encode()).decode("ascii")
        headers = {"Authorization": f"Basic {login}"}
        url = f"{endpoint}/v3/REST/{path}"
        return await self._api.ask(account, url, headers, body, method=method, also=also)


def _only(said: Said) -> dict[str, Any]:
    """The one object that the answer is about; LookupError."""
    return said.rows("Data")[0]


def _identity(
    known: dict[str, Any], domain: str, owned: bool, signed: bool, note: str = ""
) -> Identity:
    status = IdentityStatus.VERIFIED if owned and signed else IdentityStatus.PENDING
    return Identity(status, aligned=signed, records=tuple(_records(known, domain)), note=note)


def _records(known: dict[str, Any], domain: str) -> Iterator[DnsRecord]:
    for purpose, host, value in (
        (Purpose.OWNERSHIP, known["OwnerShipTokenRecordName"], known["OwnerShipToken"]),
        (Purpose.DKIM, known["DKIMRecordName"], known["DKIMRecordValue"]),
    ):
        yield DnsRecord(purpose, "TXT", full_name(str(host), domain), str(value))


def _webhook(url: str, callbacks: Sequence[dict[str, Any]]) -> Webhook:
    """Mailjet gives up a callback that fails for long; its `Status` is `dead` then."""
    alive = [one for one in callbacks if one.get("Status") != "dead"]
    events = frozenset(str(one.get("EventType")) for one in alive)
    return Webhook(url, events, enabled=bool(alive))


def _words(told: object) -> list[str]:
    """Errors, which Mailjet tells as one text or as a list of them."""
    several = told if isinstance(told, list) else [told]
    return [" ".join(str(one).split()) for one in several if one]


def _is_true(told: object) -> bool:
    """Mailjet's pages show booleans also as text."""
    return str(told).lower() == "true"
