"""Mailgun's interface for accounts: the domain that signs, and the webhooks.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/ (domains,
domain-webhooks, account-webhooks) and .../user-manual/domains/domains-verify and
.../api-key-mgmt/rbac-mgmt, read 2026-11-24. An account sends by one domain, its setting `domain`;
that one signs, whatever the From is. So every question about a From domain is one about it.
"""

from base64 import b64encode
from collections.abc import Iterator, Sequence
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
    is_aligned,
)
from postroom.providers.base import Account
from postroom.providers.http_calls import Request, endpoint_of
from postroom.providers.mailgun import form
from postroom.providers.mailgun.carrier import ENDPOINT
from postroom.providers.mailgun.compose import new_token

_STATUSES = {
    "active": IdentityStatus.VERIFIED,
    "unverified": IdentityStatus.PENDING,
    "disabled": IdentityStatus.FAILED,
}
_DKIM_BITS = "2048"
_SENDING_KEY = "; a key that may only send is not enough: set account_api_key"


class MailgunAccountApi:
    """Asks Mailgun with `account_api_key`, or with `api_key` where that is one of the account."""

    wanted_events = frozenset(
        {
            "accepted",
            "delivered",
            "opened",
            "clicked",
            "unsubscribed",
            "complained",
            "permanent_fail",
            "temporary_fail",
        }
    )

    def __init__(self) -> None:
        self._api = JsonApi()

    async def standing(self, account: Account) -> Sequence[str]:
        """Whether the key may ask, and how the domain stands by which the account sends."""
        found = await self._find(account)
        if found is None:
            raise AskFailed(
                f"Mailgun does not know {_domain(account)} here; the European region has an"
                " endpoint of its own"
            )
        state, type = found.about("domain", "state"), found.about("domain", "type")
        sentences = ["Mailgun takes the API key.", f"{_domain(account)} is {state}."]
        if type == "sandbox":
            sentences.append("It is a sandbox: mail reaches authorized recipients only.")
        return sentences

    async def identity(self, account: Account, domain: str) -> Identity | None:
        """The domain that signs; Mailgun is asked to look again while it is unverified."""
        found = await self._find(account)
        if found is None:
            return None
        if found.about("domain", "state") == "unverified":
            found = await self._ask(account, f"{_path(account)}/verify", method="PUT")
        return _identity(found, _domain(account), domain)

    async def register(self, account: Account, domain: str) -> Identity:
        """The domain that signs; it is registered when it stands for the From domain."""
        found = await self.identity(account, domain)
        if found is not None:
            return found
        signer = _domain(account)
        if not is_aligned(signer, domain):
            return Identity(IdentityStatus.PENDING, aligned=False, note=_elsewhere(signer))
        named = (("name", signer), ("dkim_key_size", _DKIM_BITS))
        made = await self._ask(account, "/v4/domains", _form(named), method="POST")
        return _identity(made, signer, domain)

    async def webhooks(self, account: Account) -> Sequence[Webhook]:
        """Those of the domain and those of the whole account; Mailgun signs every one."""
        path = f"/v3/domains/{quote(_domain(account), safe='')}/webhooks"
        of_domain = await self._ask(account, path)
        of_account = await self._ask(account, "/v1/webhooks")
        events: dict[str, set[str]] = {}
        for url, event in (*_of_domain(of_domain), *_of_account(of_account)):
            events.setdefault(url, set()).add(event)
        return [
            Webhook(url, frozenset(told), signed=True, login=has_login(url))
            for url, told in events.items()
        ]

    async def close(self) -> None:
        """Let kept connections go."""
        await self._api.close()

    async def _find(self, account: Account) -> Said | None:
        """What Mailgun knows of the domain; None when nothing. ValueError for another's 404."""
        said = await self._ask(account, _path(account), also=frozenset({404}))
        if said.status != 404:
            return said
        if not isinstance(said.about("message"), str):
            raise ValueError
        return None

    async def _ask(
        self,
        account: Account,
        path: str,
        body: bytes = b"",
        *,
        method: str = "GET",
        also: frozenset[int] = frozenset(),
    ) -> Said:
        own_key = account.settings.get("account_api_key")
        key = own_key or account.settings.get("api_key", "")
        headers = {
            "Accept": "application/json",
            "Authorization": "Basic " + b64encode(f"api:{key}".encode()).decode("ascii"),
        }
        if body:
            headers["Content-Type"] = form.content_type_of(body)
        url = endpoint_of(account, ENDPOINT) + path
        try:
            return await self._api.ask_bytes(account, Request(url, body, headers, method), also)
        except Refused as error:
            raise Refused(f"{error}{'' if own_key else _SENDING_KEY}") from error


def _domain(account: Account) -> str:
    """The domain that signs all mail of the account."""
    domain = account.settings.get("domain", "").lower()
    if not domain:
        raise AskFailed("the setting domain is missing, by which the account sends")
    return domain


def _path(account: Account) -> str:
    return f"/v4/domains/{quote(_domain(account), safe='')}"


def _form(named: Sequence[tuple[str, str]]) -> bytes:
    boundary = new_token()
    return form.fields(boundary, named) + form.closing(boundary)


def _identity(said: Said, signer: str, domain: str) -> Identity:
    status = _STATUSES[said.object()["domain"]["state"]]
    if not is_aligned(signer, domain):
        return Identity(status, aligned=False, note=_elsewhere(signer))
    records = (*_sending(said, signer), *_returning(said, signer, domain))
    return Identity(status, aligned=True, records=records, note=_note(said, status))


def _elsewhere(signer: str) -> str:
    return f"this account sends as {signer}; add one whose setting domain fits"


def _note(said: Said, status: IdentityStatus) -> str:
    if status is IdentityStatus.FAILED:
        return str(said.about("domain", "disabled", "reason") or "disabled by Mailgun")
    if status is IdentityStatus.VERIFIED:
        return ""
    unseen = [one for one in said.rows("sending_dns_records") if one.get("valid") != "valid"]
    return ", ".join(f"{one['record_type']} {one.get('name')} not seen" for one in unseen)


def _sending(said: Said, signer: str) -> Iterator[DnsRecord]:
    for one in said.rows("sending_dns_records"):
        type, value = str(one["record_type"]).upper(), str(one["value"])
        host = str(one.get("name") or signer).rstrip(".")
        yield DnsRecord(_purpose(type, host), type, host, value)


def _purpose(type: str, host: str) -> Purpose:
    if "._domainkey." in host:
        return Purpose.DKIM
    return Purpose.TRACKING if type == "CNAME" else Purpose.RETURN_PATH


def _returning(said: Said, signer: str, domain: str) -> Iterator[DnsRecord]:
    """The MX by which late bounces come back to Mailgun.

    Only for a domain of its own below the From domain: elsewhere it would turn people's mail away
    from where they read it.
    """
    if not signer.endswith(f".{domain}"):
        return
    for one in said.rows("receiving_dns_records"):
        if one["record_type"] == "MX":
            value = f"{one['priority']} {one['value']}"
            host = str(one.get("name") or signer).rstrip(".")
            yield DnsRecord(Purpose.RETURN_PATH, "MX", host, value)


def _of_domain(said: Said) -> Iterator[tuple[str, str]]:
    """Older webhooks have one `url` where others have `urls`."""
    for event, told in said.object("webhooks").items():
        entry = Said(200, told).object()
        for url in entry.get("urls") or filter(None, [entry.get("url")]):
            yield str(url), event


def _of_account(said: Said) -> Iterator[tuple[str, str]]:
    for one in said.rows("webhooks"):
        for event in one["event_types"]:
            yield str(one["url"]), str(event)
