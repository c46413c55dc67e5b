"""SparkPost's interface for accounts: sending domains, the account and its webhooks.

https://developers.sparkpost.com/api/sending-domains/, .../account/ and .../webhooks/, read
2026-11-24. A domain is signed with `d=` of that very domain, or of the `signing_domain` that an
enterprise account has set for it.
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
    Refused,
    Said,
    Webhook,
    is_aligned,
)
from postroom.providers.base import Account
from postroom.providers.http_calls import endpoint_of
from postroom.providers.sparkpost.carrier import ENDPOINT

_DKIM_BITS = 2048
_NOT_LOOKED_YET = {"dkim_status": "unverified"}
"""How a new domain stands; the answer to its making does not say."""
_TAKEN = "SparkPost takes the API key."
_PERMISSIONS = (
    "; the key needs the permissions Sending Domains: Read/Write and Event Webhooks: Read-only"
)


class SparkPostAccountApi:
    """Asks SparkPost with the account's API key."""

    wanted_events = frozenset(
        {
            "injection",
            "delay",
            "delivery",
            "bounce",
            "out_of_band",
            "policy_rejection",
            "generation_failure",
            "generation_rejection",
            "spam_complaint",
            "open",
            "initial_open",
            "click",
            "list_unsubscribe",
            "link_unsubscribe",
        }
    )

    def __init__(self) -> None:
        self._api = JsonApi()

    async def standing(self, account: Account) -> Sequence[str]:
        """Whether the key is taken, and how the account and its quota stand."""
        try:
            said = await self._ask(account, "account?include=usage")
        except Refused:
            # A key may lack this permission alone: one that may read webhooks is taken.
            await self._ask(account, "webhooks")
            return [_TAKEN, "It may not read the account: suspension and quota are not told."]
        return [_TAKEN, *_obstacles(said), *_usage(said)]

    async def identity(self, account: Account, domain: str) -> Identity | None:
        """The sending domain; SparkPost is asked to look again while it has not seen the key."""
        path = f"sending-domains/{quote(domain, safe='')}"
        said = await self._ask(account, path, also=frozenset({404}))
        if said.status == 404:
            _must_be_sparkposts(said)
            return None
        found = said.object("results")
        if found["status"]["dkim_status"] == "valid":
            return _identity(domain, found)
        wanted = {"dkim_verify": True}
        looked = await self._ask(account, f"{path}/verify", wanted, method="POST")
        return _identity(domain, found | {"status": looked.object("results")})

    async def register(self, account: Account, domain: str) -> Identity:
        """The sending domain, with a key that SparkPost makes."""
        found = await self.identity(account, domain)
        if found is not None:
            return found
        wanted = {"domain": domain, "dkim_key_length": _DKIM_BITS}
        made = await self._ask(account, "sending-domains", wanted, method="POST")
        return _identity(domain, made.object("results") | {"status": _NOT_LOOKED_YET})

    async def webhooks(self, account: Account) -> Sequence[Webhook]:
        """Every webhook; SparkPost signs none."""
        said = await self._ask(account, "webhooks")
        return [_webhook(one) for one in said.rows("results")]

    async def close(self) -> None:
        """Let kept connections go."""
        await self._api.close()

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
        headers = {"Authorization": account.settings.get("api_key", "")}
        url = f"{endpoint}/api/v1/{path}"
        try:
            return await self._api.ask(account, url, headers, body, method=method, also=also)
        except Refused as error:
            raise Refused(f"{error}{_PERMISSIONS}") from error


def _must_be_sparkposts(said: Said) -> None:
    """SparkPost's own 404 has errors; another one means a wrong endpoint. Raises ValueError."""
    if not said.rows("errors"):
        raise ValueError


def _obstacles(said: Said) -> Iterator[str]:
    account = said.object()["results"]
    if account["status"] != "active":
        why = account.get("status_reason_category")
        yield f"The account is {account['status']}{f' ({why})' if why else ''}."


def _usage(said: Said) -> Iterator[str]:
    """What is used of the quota; an enterprise account is not told."""
    for period in ("day", "month"):
        told = said.object("results", "usage", period)
        if told:
            limit = f" of {told['limit']}" if told.get("limit") else ""
            yield f"{told['used']}{limit} mails are used this {period}."


def _identity(domain: str, found: dict[str, Any]) -> Identity:
    said = Said(200, found)
    signed_as = str(said.about("dkim", "signing_domain") or domain)
    return Identity(
        _status(found["status"]),
        aligned=is_aligned(signed_as, domain),
        records=tuple(_dkim(signed_as, said)),
        note="; ".join(_words(said)),
    )


def _status(status: dict[str, Any]) -> IdentityStatus:
    """A domain whose owner is proved otherwise may send, and is not signed: not verified here."""
    if status.get("compliance_status") == "blocked":
        return IdentityStatus.FAILED
    seen = status["dkim_status"] == "valid"
    return IdentityStatus.VERIFIED if seen else IdentityStatus.PENDING


def _words(said: Said) -> Iterator[str]:
    """What is not as it should be."""
    if said.about("status", "compliance_status") == "blocked":
        yield "SparkPost has blocked the domain"
    error = said.about("status", "dns", "dkim_error")
    if error:
        yield str(error)
    if not said.about("dkim", "public"):
        yield "SparkPost has no DKIM key for the domain; make one there"


def _dkim(signed_as: str, said: Said) -> Iterator[DnsRecord]:
    """As SparkPost's own application shows it, which the API leaves to be put together."""
    dkim = said.object("dkim")
    if dkim.get("public"):
        host = f"{dkim['selector']}._domainkey.{signed_as}"
        yield DnsRecord(Purpose.DKIM, "TXT", host, f"v=DKIM1; k=rsa; h=sha256; p={dkim['public']}")


def _webhook(told: dict[str, Any]) -> Webhook:
    events = frozenset(str(event) for event in told["events"])
    auth_type = told.get("auth_type")
    return Webhook(
        url=str(told["target"]),
        events=events,
        enabled=told.get("active") is not False,
        login=None if auth_type is None else auth_type != "none",
    )
