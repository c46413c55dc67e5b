"""Amazon SES's interface for accounts: identities, the account's standing, event destinations.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/ (API_GetAccount, API_GetEmailIdentity,
API_CreateEmailIdentity, API_GetConfigurationSetEventDestinations) and
https://docs.aws.amazon.com/ses/latest/dg/ (creating-identities, mail-from), read 2026-11-24. Easy
DKIM signs with `d=` of the identity's own domain, so it is aligned. Amazon looks at the DNS by
itself, for 72 hours.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
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
)
from postroom.providers.base import Account
from postroom.providers.http_calls import Request
from postroom.providers.limits_api import ToldLimits
from postroom.providers.ses.carrier import endpoint
from postroom.providers.ses.signature import Keys, signed

_EASY_DKIM_ZONE = "dkim.amazonses.com"
"""Where the keys lie when the answer names no zone; some regions have their own."""
_OWN_KEYS = "EXTERNAL"
"""The origin of keys that a person brought: the token is a selector, of which we know no value."""
_SPF = "v=spf1 include:amazonses.com ~all"
_UNLIMITED = -1
_GIVEN_UP = "Amazon has stopped looking; mend the DNS, then start the verification again there"
_EVENTS = (
    "SEND",
    "REJECT",
    "BOUNCE",
    "COMPLAINT",
    "DELIVERY",
    "OPEN",
    "CLICK",
    "DELIVERY_DELAY",
    "SUBSCRIPTION",
)
"""Those that our mail can have; RENDERING_FAILURE is about templates."""
_ENGAGEMENT = frozenset({"OPEN", "CLICK"})


class SesAccountApi:
    """Asks Amazon SES with the account's keys."""

    wanted_events: frozenset[str] = frozenset()
    """None: events leave to a topic, and only the topic knows who listens; see `standing`."""

    def __init__(self) -> None:
        self._api = JsonApi()

    async def standing(self, account: Account) -> Sequence[str]:
        """Whether the region lets us send, how much, and what its configuration sets publish."""
        said = await self._ask(account, "account")
        sentences = ["Amazon takes the keys.", *_obstacles(said), _quota(said)]
        for setting in ("configuration_set", "configuration_set_tracking"):
            name = account.settings.get(setting)
            if name:
                tracks = setting == "configuration_set_tracking"
                sentences += await self._destinations(account, name, tracks)
        return sentences

    async def limits(self, account: Account) -> ToldLimits:
        """The rate and what is left of the quota of any 24 hours."""
        quota = (await self._ask(account, "account")).object("SendQuota")
        per_day, sent = float(quota["Max24HourSend"]), float(quota["SentLast24Hours"])
        left = None if per_day == _UNLIMITED else max(0.0, per_day - sent)
        return ToldLimits(float(quota["MaxSendRate"]), left)

    async def identity(self, account: Account, domain: str) -> Identity | None:
        """The domain's identity; Amazon looks at the DNS by itself."""
        path = f"identities/{quote(domain, safe='')}"
        said = await self._ask(account, path, also=frozenset({404}))
        if said.status == 404:
            _must_be_amazons(said)
            return None
        return _identity(domain, said, account.settings.get("region", ""))

    async def register(self, account: Account, domain: str) -> Identity:
        """The domain's identity, with keys that Amazon makes and rotates (Easy DKIM)."""
        found = await self.identity(account, domain)
        if found is not None:
            return found
        made = await self._ask(account, "identities", {"EmailIdentity": domain})
        return _identity(domain, made, account.settings.get("region", ""))

    async def webhooks(self, account: Account) -> None:  # noqa: ARG002 - the protocol's
        """None: SES tells the topic; who is subscribed to it is a question to another service."""
        return

    async def close(self) -> None:
        """Let kept connections go."""
        await self._api.close()

    async def _destinations(self, account: Account, name: str, tracks: bool) -> list[str]:
        path = f"configuration-sets/{quote(name, safe='')}/event-destinations"
        try:
            said = await self._ask(account, path, also=frozenset({404}))
        except AskFailed as error:
            return [f"What the configuration set {name} publishes is not told: {error}."]
        if said.status == 404:
            return [f"There is no configuration set {name}."]
        return list(_published(name, said.rows("EventDestinations"), tracks))

    async def _ask(
        self,
        account: Account,
        path: str,
        body: object = None,
        *,
        also: frozenset[int] = frozenset(),
    ) -> Said:
        """The answer to a GET, or to a POST when there is a body."""
        keys = Keys.of(account.settings, "ses")
        base = account.settings.get("endpoint") or endpoint(keys.region, "email")
        url = f"{base.rstrip('/')}/v2/email/{path}"
        method, sent = ("GET", b"") if body is None else ("POST", json.dumps(body).encode())
        plain = {"Accept": "application/json", "Content-Type": "application/json"}
        headers = signed(keys, method, url, plain, sent, datetime.now(UTC))
        return await self._api.ask_bytes(account, Request(url, sent, headers, method), also)


def _must_be_amazons(said: Said) -> None:
    """Amazon's own 404 has a message; another one means a wrong endpoint. Raises ValueError."""
    if not isinstance(said.about("message"), str):
        raise ValueError


def _obstacles(said: Said) -> Iterator[str]:
    account = said.object()
    if account["ProductionAccessEnabled"] is not True:
        yield "The account is in the sandbox: mail reaches verified addresses only."
    if account["SendingEnabled"] is not True:
        yield "Sending is switched off in this region."
    if account.get("EnforcementStatus") == "PROBATION":
        yield "Amazon has the account under review (PROBATION); it may still send."
    if account.get("EnforcementStatus") == "SHUTDOWN":
        yield "Amazon has paused sending (SHUTDOWN); only its support can lift that."


def _quota(said: Said) -> str:
    quota = said.object("SendQuota")
    most, sent, rate = (quota[name] for name in ("Max24HourSend", "SentLast24Hours", "MaxSendRate"))
    limit = "without a limit" if most == _UNLIMITED else f"up to {most:.0f}"
    return f"In 24 hours it may send {limit} and has sent {sent:.0f}; up to {rate:g} a second."


def _published(name: str, rows: Sequence[dict[str, Any]], tracks: bool) -> Iterator[str]:
    to_topics = [row for row in rows if row.get("Enabled") is True and row.get("SnsDestination")]
    topics = sorted({Said(200, row).object("SnsDestination")["TopicArn"] for row in to_topics})
    if not topics:
        yield f"The configuration set {name} publishes to no SNS topic: we hear nothing."
        return
    yield f"The configuration set {name} publishes to {', '.join(topics)}."
    told = {event for row in to_topics for event in row["MatchingEventTypes"]}
    wanted = [event for event in _EVENTS if tracks or event not in _ENGAGEMENT]
    lacks = [event for event in wanted if event not in told]
    if lacks:
        yield f"The configuration set {name} does not publish {', '.join(lacks)}."


def _identity(domain: str, said: Said, region: str) -> Identity:
    found, dkim = said.object(), said.object("DkimAttributes")
    status = _status(found["VerifiedForSendingStatus"] is True, found, dkim)
    return Identity(
        status,
        aligned=dkim.get("SigningEnabled") is True,
        records=(*_dkim(domain, dkim), *_mail_from(said, region)),
        note=_note(status, said),
    )


def _status(may_send: bool, found: dict[str, Any], dkim: dict[str, Any]) -> IdentityStatus:
    """Verified while Amazon signs; a temporary trouble of its own looking takes nothing back."""
    if may_send and dkim.get("Status") in ("SUCCESS", "TEMPORARY_FAILURE"):
        return IdentityStatus.VERIFIED
    if "FAILED" in (found.get("VerificationStatus"), dkim.get("Status")):
        return IdentityStatus.FAILED
    return IdentityStatus.PENDING


def _note(status: IdentityStatus, said: Said) -> str:
    return "; ".join(_words(status, said))


def _words(status: IdentityStatus, said: Said) -> Iterator[str]:
    """Amazon's words for what is not as it should be."""
    dkim = said.about("DkimAttributes", "Status")
    if dkim != "SUCCESS":
        yield f"DKIM: {dkim}"
    trouble = said.about("VerificationInfo", "ErrorType")
    if trouble and status is not IdentityStatus.VERIFIED:
        yield str(trouble)
    mail_from = said.about("MailFromAttributes", "MailFromDomainStatus")
    if mail_from not in (None, "SUCCESS"):
        yield f"MAIL FROM: {mail_from}"
    if status is IdentityStatus.FAILED:
        yield _GIVEN_UP


def _dkim(domain: str, dkim: dict[str, Any]) -> Iterator[DnsRecord]:
    if dkim.get("SigningAttributesOrigin") == _OWN_KEYS:
        return
    zone = dkim.get("SigningHostedZone") or _EASY_DKIM_ZONE
    for token in dkim.get("Tokens") or ():
        host = f"{token}._domainkey.{domain}"
        yield DnsRecord(Purpose.DKIM, "CNAME", host, f"{token}.{str(zone).rstrip('.')}")


def _mail_from(said: Said, region: str) -> Iterator[DnsRecord]:
    host = said.object("MailFromAttributes").get("MailFromDomain")
    if host:
        exchange = f"10 feedback-smtp.{region}.amazonses.com"
        yield DnsRecord(Purpose.RETURN_PATH, "MX", host, exchange)
        yield DnsRecord(Purpose.RETURN_PATH, "TXT", host, _SPF)
