"""Resend's interface for accounts: domains and webhooks.

https://resend.com/docs/api-reference/domains/get-domain, .../list-domains, .../create-domain,
.../verify-domain, https://resend.com/docs/api-reference/webhooks/list-webhooks and
https://resend.com/docs/dashboard/domains/introduction, read 2026-11-24. A domain is signed with
`d=` of that very domain, so it is aligned.
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
)
from postroom.providers.base import Account
from postroom.providers.dns_names import full_name
from postroom.providers.http_calls import endpoint_of
from postroom.providers.resend.carrier import ENDPOINT

_EVENTS = {
    "email.sent",
    "email.delivered",
    "email.delivery_delayed",
    "email.bounced",
    "email.failed",
    "email.suppressed",
    "email.complained",
    "email.opened",
    "email.clicked",
}
"""`email.scheduled` is not among them: we schedule ourselves."""
_PURPOSES = {
    "SPF": Purpose.RETURN_PATH,
    "DKIM": Purpose.DKIM,
    "Tracking": Purpose.TRACKING,
    "TrackingCAA": Purpose.TRACKING,
}
"""`Receiving` is not among them: it would lead the domain's own mail to Resend."""
_FOR_SENDING = frozenset({"SPF", "DKIM"})
_PARTIAL = frozenset({"partially_verified", "partially_failed"})
"""Either sending or receiving is verified, and the other one is not."""
_SENDING_KEY = "restricted_api_key"
_PAGES_MAX = 50


class ResendAccountApi:
    """Asks Resend with the account's API key, which needs full access for it."""

    wanted_events = frozenset(_EVENTS)

    def __init__(self) -> None:
        self._api = JsonApi()

    async def standing(self, account: Account) -> Sequence[str]:
        """Whether Resend takes the key, and whether it may do more than send."""
        said = await self._ask(account, "/domains?limit=1", also=frozenset({401}))
        sentences = ["Resend takes the API key."]
        if said.about("name") == _SENDING_KEY:
            sentences.append(
                "The key may only send: it cannot read how sender domains and webhooks stand."
            )
        elif said.status == 401:
            why = said.about("message") or ""
            raise Refused(f"the provider refuses the credentials (401): {why}")
        return sentences

    async def identity(self, account: Account, domain: str) -> Identity | None:
        """The domain; Resend is asked to look again when it does not look by itself."""
        id = await self._find(account, domain)
        if id is None:
            return None
        found = await self._get(account, id)
        # While it is pending, Resend looks for 72 hours.
        if _status(found) is not IdentityStatus.VERIFIED and found.get("status") != "pending":
            await self._ask(account, f"/domains/{id}/verify", {}, method="POST")
            found = await self._get(account, id)
        return _identity(found, domain)

    async def register(self, account: Account, domain: str) -> Identity:
        """The domain, without tracking: at Resend that is the domain's and not the mail's."""
        found = await self.identity(account, domain)
        if found is not None:
            return found
        wanted = {"name": domain, "open_tracking": False, "click_tracking": False}
        made = await self._ask(account, "/domains", wanted, method="POST")
        return _identity(made.object(), domain)

    async def webhooks(self, account: Account) -> Sequence[Webhook]:
        """Every webhook; all of them sign."""
        said = await self._ask(account, "/webhooks?limit=100")
        return [
            Webhook(
                url=str(one.get("endpoint", "")),
                events=frozenset(map(str, one["events"])),
                enabled=one.get("status") != "disabled",
                signed=True,
            )
            for one in said.rows("data")
        ]

    async def close(self) -> None:
        """Let kept connections go."""
        await self._api.close()

    async def _find(self, account: Account, domain: str) -> str | None:
        """The id that Resend knows the domain by, quoted for a path."""
        after = ""
        for _ in range(_PAGES_MAX):
            said = await self._ask(account, f"/domains?limit=100{after}")
            ids = {one["name"]: quote(str(one["id"]), safe="") for one in said.rows("data")}
            if domain in ids or said.about("has_more") is not True:
                return ids.get(domain)
            after = f"&after={list(ids.values())[-1]}"
        raise AskFailed(f"Resend lists more than {_PAGES_MAX * 100} domains")

    async def _get(self, account: Account, id: str) -> dict[str, Any]:
        return (await self._ask(account, f"/domains/{id}")).object()

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
        headers = {"Authorization": f"Bearer {account.settings.get('api_key', '')}"}
        return await self._api.ask(
            account, endpoint + path, headers, body, method=method, also=also
        )


def _identity(found: dict[str, Any], domain: str) -> Identity:
    records = tuple(_records(found, domain))
    note = "; ".join(_whys(found, domain))
    return Identity(_status(found), aligned=True, records=records, note=note)


def _status(found: dict[str, Any]) -> IdentityStatus:
    if found["status"] == "failed":
        return IdentityStatus.FAILED
    for_sending = [one["status"] for one in _rows(found) if one["record"] in _FOR_SENDING]
    sends = found["status"] == "verified" or (
        found["status"] in _PARTIAL and set(for_sending) == {"verified"}
    )
    return IdentityStatus.VERIFIED if sends and _may_send(found) else IdentityStatus.PENDING


def _may_send(found: dict[str, Any]) -> bool:
    return Said(200, found).object("capabilities").get("sending") != "disabled"


def _rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    return Said(200, found).rows("records")


def _records(found: dict[str, Any], domain: str) -> Iterator[DnsRecord]:
    for one in _rows(found):
        purpose, type, value = _PURPOSES.get(one["record"]), str(one["type"]), str(one["value"])
        if purpose is None:
            continue
        if type == "MX":
            value = f"{one.get('priority', 10)} {value}"
        elif type == "TXT":
            # Resend's pages show it as it would stand in a zone file.
            value = value.strip('"')
        yield DnsRecord(purpose, type, full_name(str(one["name"]), domain), value.rstrip("."))


def _whys(found: dict[str, Any], domain: str) -> Iterator[str]:
    if not _may_send(found):
        yield "sending is switched off for the domain at Resend"
    unseen = [
        full_name(str(one["name"]), domain)
        for one in _rows(found)
        if one["record"] in _FOR_SENDING and one["status"] != "verified"
    ]
    if unseen:
        yield f"Resend does not see yet: {', '.join(dict.fromkeys(unseen))}"
