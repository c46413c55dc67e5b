"""What a provider's own interface tells and does about an account: sender domains, webhooks."""

import json
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

from postroom.providers.base import Account, Reply, ReplyKind
from postroom.providers.http_calls import Answer, HttpCalls, Request

T = TypeVar("T")

TIMEOUT_S = 20.0
"""A person waits for these answers, or a daily look."""


class AskFailed(Exception):
    """The provider could not be asked, or declined; the message says why, without secrets."""


class Refused(AskFailed):
    """The provider refuses the credentials, or what they may do."""


class IdentityStatus(StrEnum):
    """How far the provider trusts us with a From domain."""

    VERIFIED = "verified"
    """It has seen the records and signs for the domain."""
    PENDING = "pending"
    """It knows the domain and has not seen the records yet."""
    FAILED = "failed"
    """It has given up looking, or has withdrawn its trust; it must be asked to look again."""


class Purpose(StrEnum):
    """What a DNS record is for."""

    OWNERSHIP = "ownership"
    DKIM = "dkim"
    RETURN_PATH = "return-path"
    TRACKING = "tracking"
    DMARC = "dmarc"


@dataclass(frozen=True, slots=True)
class DnsRecord:
    """One record that the owner of the domain publishes."""

    purpose: Purpose
    type: str
    """`CNAME`, `TXT` or `MX`; `CAA` for a tracking host with a certificate of its own."""
    host: str
    """The full name, without the dot at its end."""
    value: str
    """Of an MX record: its priority, a space, the exchange."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A From domain at one provider account."""

    status: IdentityStatus
    aligned: bool
    """Whether mail signed there passes DMARC for the From domain (RFC 7489 section 3.1)."""
    records: tuple[DnsRecord, ...] = ()
    note: str = ""
    """The provider's own words about its state, or what to do there by hand; may be empty."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """One place to which the provider posts its notifications."""

    url: str
    events: frozenset[str]
    """In the provider's own words."""
    enabled: bool = True
    signed: bool | None = None
    """Whether it signs; None where the provider does not tell."""
    login: bool | None = None
    """Whether it shows a login or a token; None where the provider does not tell."""


class AccountApi(Protocol):
    """The management interface of one provider; every call raises AskFailed, asked by `asked`."""

    wanted_events: frozenset[str]
    """What a webhook must tell of, in the provider's own words."""

    async def standing(self, account: Account) -> Sequence[str]:
        """Plain sentences about the credentials and the account, when the provider takes them."""
        ...

    async def identity(self, account: Account, domain: str) -> Identity | None:
        """The From domain as it stands there; None when it was never registered.

        Asks the provider to look at the DNS again where it does not do so by itself.
        """
        ...

    async def register(self, account: Account, domain: str) -> Identity:
        """The From domain, registered by this call or before."""
        ...

    async def webhooks(self, account: Account) -> Sequence[Webhook] | None:
        """Where notifications go; None when no call tells."""
        ...

    async def close(self) -> None:
        """Let kept connections go."""
        ...


def is_aligned(signed_as: str, from_domain: str) -> bool:
    """Whether a signature by one domain vouches for a From of the other.

    Relaxed alignment (RFC 7489 section 3.1.1), where one is the other or lies below it.
    """
    one, other = f".{signed_as.lower()}", f".{from_domain.lower()}"
    return one.endswith(other) or other.endswith(one)


def has_login(url: str) -> bool:
    """Whether a login stands in the URL itself."""
    return bool(urlsplit(url).username)


async def asked(question: Awaitable[T]) -> T:
    """The answer to a question of `AccountApi`; raises AskFailed, whatever is wrong with it."""
    try:
        return await question
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise AskFailed("the answer is not the one that is documented") from error


@dataclass(frozen=True, slots=True)
class Said:
    """An answer whose body was JSON, or empty."""

    status: int
    body: Any = field(repr=False)

    def about(self, *path: str | int) -> Any:
        """What lies at that place of the body; None when it is not there."""
        found = self.body
        for step in path:
            try:
                found = found[step]
            except (KeyError, IndexError, TypeError):
                return None
        return found

    def rows(self, *path: str | int) -> list[dict[str, Any]]:
        """The objects listed at that place, none where nothing is; TypeError."""
        found = self.about(*path) or []
        if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
            raise TypeError
        return found

    def object(self, *path: str | int) -> dict[str, Any]:
        """The object at that place, an empty one where nothing is; TypeError."""
        found = self.about(*path) or {}
        if not isinstance(found, dict):
            raise TypeError
        return found


class JsonApi:
    """Asks a provider's interface that speaks JSON."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._calls = HttpCalls(timeout_s, answer_bytes_max=4 * 1024 * 1024)

    async def ask(
        self,
        account: Account,
        url: str,
        headers: Mapping[str, str],
        body: object = None,
        *,
        method: str = "GET",
        also: frozenset[int] = frozenset(),
    ) -> Said:
        """The answer, when its status is below 300 or in `also`; raises AskFailed.

        `body` is sent as JSON; None: nothing is sent.
        """
        sent = b"" if body is None else json.dumps(body).encode()
        whole = {"Accept": "application/json"} | dict(headers)
        if sent:
            whole = {"Content-Type": "application/json"} | whole
        return await self.ask_bytes(account, Request(url, sent, whole, method), also)

    async def ask_bytes(
        self, account: Account, request: Request, also: frozenset[int] = frozenset()
    ) -> Said:
        """As `ask`, for a request that is made already."""
        reply = await self._calls.make(account, request, _as_it_is)
        if reply.status is None:
            raise AskFailed(f"no answer: {reply.error}")
        if reply.status >= 300 and reply.status not in also:
            raise _declined(reply)
        return Said(reply.status, _json(reply))

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()


def _as_it_is(answer: Answer) -> Reply:
    return Reply(ReplyKind.TAKEN, answer.status, answer.headers, answer.body)


def _json(reply: Reply) -> Any:
    if not reply.body.strip():
        return None
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError):
        raise AskFailed("the answer is no JSON; is the endpoint right?") from None


def _declined(reply: Reply) -> AskFailed:
    said = " ".join(reply.body[:300].decode("utf-8", "replace").split())
    if reply.status in (401, 403):
        return Refused(f"the provider refuses the credentials ({reply.status}): {said}")
    if reply.status == 429:
        return AskFailed("the provider asks for fewer questions (429); try again in a minute")
    return AskFailed(f"the provider answered {reply.status}: {said}")
