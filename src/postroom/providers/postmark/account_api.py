"""Postmark's interface for accounts: domains (with the account's token), server and webhooks.

https://postmarkapp.com/developer/api/domains-api, .../server-api, .../webhooks-api and
https://postmarkapp.com/support/article/1113-how-do-i-manage-domains-using-the-api, read 2026-11-24.
A domain is signed with `d=` of that very domain, so it is aligned.
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
    Refused,
    Said,
    Webhook,
    has_login,
)
from postroom.providers.base import Account
from postroom.providers.http_calls import endpoint_of
from postroom.providers.postmark.carrier import ENDPOINT, STREAM
from postroom.providers.postmark.compose import STREAM_SETTING

_PAGE = 500
"""The most that one answer lists."""
_RETURN_PATH = "pm-bounces"
"""The label that Postmark proposes for the return path's host."""
_DKIM_RECORDS = (
    ("DKIMHost", "DKIMTextValue"),
    ("DKIMPendingHost", "DKIMPendingTextValue"),
)


class PostmarkAccountApi:
    """Asks Postmark about its server with `server_token`, about domains with `account_token`."""

    wanted_events = frozenset(
        {"Open", "Click", "Delivery", "Bounce", "SpamComplaint", "SubscriptionChange"}
    )

    def __init__(self) -> None:
        self._api = JsonApi()

    async def standing(self, account: Account) -> Sequence[str]:
        """Whether the tokens are taken, and what keeps the server from delivering."""
        said = await self._ask_server(account, "/server")
        sentences = [f"Postmark takes the token of the server {said.object()['Name']}."]
        if said.about("DeliveryType") == "Sandbox":
            sentences.append("The server is a sandbox: it delivers nothing.")
        if "smtp_host" in account.settings and said.about("SmtpApiActivated") is False:
            sentences.append("SMTP is switched off on the server.")
        try:
            await self._ask_account(account, "/domains?count=1&offset=0")
        except AskFailed as error:
            sentences.append(f"Its domains cannot be asked about: {error}.")
        return sentences

    async def identity(self, account: Account, domain: str) -> Identity | None:
        """The domain; Postmark is asked to look again at what it has not seen yet.

        It tells whether it has ever seen the DKIM record: one that is gone again it does not tell.
        """
        id = await self._find(account, domain)
        if id is None:
            return None
        found = await self._ask_account(account, f"/domains/{id}")
        if found.object()["DKIMVerified"] is not True:
            found = await self._ask_account(account, f"/domains/{id}/verifyDkim", method="PUT")
        if found.about("ReturnPathDomain") and not found.object()["ReturnPathDomainVerified"]:
            path = f"/domains/{id}/verifyReturnPath"
            found = await self._ask_account(account, path, method="PUT")
        return _identity(found.object())

    async def register(self, account: Account, domain: str) -> Identity:
        """The domain, with a return path below it, so that SPF is aligned as well."""
        found = await self.identity(account, domain)
        if found is not None:
            return found
        wanted = {"Name": domain, "ReturnPathDomain": f"{_RETURN_PATH}.{domain}"}
        made = await self._ask_account(account, "/domains", wanted, method="POST")
        return _identity(made.object())

    async def webhooks(self, account: Account) -> Sequence[Webhook]:
        """Those of the account's message stream; Postmark signs none."""
        stream = account.settings.get(STREAM_SETTING, STREAM)
        path = f"/webhooks?MessageStream={quote(stream, safe='')}"
        said = await self._ask_server(account, path)
        return [_webhook(one) for one in said.rows("Webhooks")]

    async def close(self) -> None:
        """Let kept connections go."""
        await self._api.close()

    async def _find(self, account: Account, domain: str) -> int | None:
        """The id of the domain, which no call finds by its name."""
        offset, total = 0, 1
        while offset < total:
            said = await self._ask_account(account, f"/domains?count={_PAGE}&offset={offset}")
            rows = said.rows("Domains")
            for one in rows:
                if str(one["Name"]).lower() == domain:
                    return int(one["ID"])
            offset, total = offset + len(rows), said.object()["TotalCount"] if rows else 0
        return None

    async def _ask_server(self, account: Account, path: str) -> Said:
        token = account.settings.get("server_token", "")
        return await self._ask(account, path, {"X-Postmark-Server-Token": token})

    async def _ask_account(
        self, account: Account, path: str, body: object = None, *, method: str = "GET"
    ) -> Said:
        token = account.settings.get("account_token")
        if not token:
            raise AskFailed("Postmark tells of domains only for the setting account_token")
        headers = {"X-Postmark-Account-Token": token}
        try:
            return await self._ask(account, path, headers, body, method)
        except Refused as error:
            raise Refused(f"account_token: {error}") from error

    async def _ask(
        self,
        account: Account,
        path: str,
        headers: dict[str, str],
        body: object = None,
        method: str = "GET",
    ) -> Said:
        endpoint = endpoint_of(account, ENDPOINT)
        return await self._api.ask(account, endpoint + path, headers, body, method=method)


def _identity(found: dict[str, Any]) -> Identity:
    seen = found["DKIMVerified"] is True
    status = IdentityStatus.VERIFIED if seen else IdentityStatus.PENDING
    return Identity(
        status, aligned=True, records=tuple(_records(found)), note="; ".join(_words(found))
    )


def _words(found: dict[str, Any]) -> Iterator[str]:
    """What is not as it should be."""
    if found["DKIMVerified"] is not True:
        yield "DKIM not seen"
    if found.get("WeakDKIM") is True:
        yield "the DKIM key is weaker than 1024 bits; ask Postmark for a new one"
    if found.get("ReturnPathDomain") and found.get("ReturnPathDomainVerified") is not True:
        yield "return path not seen"


def _records(found: dict[str, Any]) -> Iterator[DnsRecord]:
    """A key that is being replaced stands beside its successor."""
    for host, value in _DKIM_RECORDS:
        if found.get(host):
            yield DnsRecord(Purpose.DKIM, "TXT", str(found[host]), str(found[value]))
    if found.get("ReturnPathDomain"):
        host, value = str(found["ReturnPathDomain"]), str(found["ReturnPathDomainCNAMEValue"])
        yield DnsRecord(Purpose.RETURN_PATH, "CNAME", host, value)


def _webhook(told: dict[str, Any]) -> Webhook:
    triggers = Said(200, told).object("Triggers")
    events = (name for name, one in triggers.items() if one["Enabled"] is True)
    url, login = str(told["Url"]), Said(200, told).about("HttpAuth", "Username")
    return Webhook(url, frozenset(events), login=bool(login) or has_login(url))
