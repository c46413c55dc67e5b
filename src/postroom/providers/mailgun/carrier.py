"""Mailgun: hands over by its messages API, up to 1,000 recipients a call, or as finished mails.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages, read 2026-11-24.
There is no idempotency key: a call that broke after it was sent has an unknown outcome.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

from postroom.domain.content import Content
from postroom.providers.base import (
    Account,
    Call,
    CannotCarry,
    Capabilities,
    Copy,
    Mail,
    RawMail,
    Reply,
)
from postroom.providers.frames import Frames, calls
from postroom.providers.http_calls import Answer, HttpCalls, Request
from postroom.providers.mailgun import compose, form, mime
from postroom.providers.mailgun.answers import read_answer

ENDPOINT = "https://api.mailgun.net"
"""Of the United States; `https://api.eu.mailgun.net` is where domains of the EU region live."""


class _Api:
    """The calls to the paths of a domain."""

    def __init__(self, timeout_s: float) -> None:
        self._calls = HttpCalls(timeout_s)

    async def post(self, account: Account, path: str, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        endpoint = account.settings.get("endpoint", ENDPOINT).rstrip("/")
        domain = quote(account.settings.get("domain", ""), safe="")
        credentials = f"api:{account.settings.get('api_key', '')}".encode()
        body = call.body()
        headers = {
            "Authorization": "Basic " + b64encode(credentials).decode("ascii"),
            "Content-Type": form.content_type_of(body),
        }
        request = Request(f"{endpoint}/v3/{domain}/{path}", body, headers)
        return await self._calls.make(account, request, lambda answer: _read(answer, call))

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()


def _read(answer: Answer, call: Call) -> Reply:
    return read_answer(answer.status, answer.headers, answer.body, call.copies, time.time())


class MailgunCarrier:
    """Hands over by Mailgun's form; keeps the connections of each account."""

    capabilities = Capabilities(
        raw_mime=False,
        custom_envelope=False,
        calendar_alternative=False,
        own_message_id=False,
        substitution=True,
        batch_size=compose.LIMITS.copies,
    )

    def __init__(
        self, timeout_s: float = 40.0, new_token: Callable[[], str] = compose.new_token
    ) -> None:
        """A carrier whose calls end after `timeout_s` seconds; `new_token` is for tests."""
        self._api = _Api(timeout_s)
        self._frames = Frames(lambda content: compose.frame(content, new_token))

    def compose(
        self,
        account: Account,  # noqa: ARG002 - the protocol's; the mail is the same for every account
        mail: Mail,
        copies: Sequence[Copy],
    ) -> list[Call]:
        """The calls that carry these copies; raises CannotCarry, and MissingField for a gap."""
        if not isinstance(mail, Content):
            raise CannotCarry(f"{compose.API} takes no finished mail")
        frame = self._frames.of(mail)
        return [call for layer in _layers(copies) for call in calls(frame, layer, compose.LIMITS)]

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        return await self._api.post(account, "messages", call)

    async def close(self) -> None:
        """Let kept connections go."""
        await self._api.close()


def _layers(copies: Sequence[Copy]) -> Iterator[list[Copy]]:
    """The copies so that each address, whatever its case, stands in a layer once."""
    layers: list[list[Copy]] = []
    seen: dict[str, int] = {}
    for copy in copies:
        address = copy.recipient.casefold()
        number = seen[address] = seen.get(address, -1) + 1
        if number == len(layers):
            layers.append([])
        layers[number].append(copy)
    return iter(layers)


class MailgunMimeCarrier:
    """Hands over finished mails by the API, one recipient a call; leaves their bytes alone."""

    capabilities = Capabilities(
        raw_mime=True,
        custom_envelope=True,
        calendar_alternative=True,
        own_message_id=True,
        substitution=False,
        batch_size=1,
    )

    def __init__(self, timeout_s: float = 40.0) -> None:
        """A carrier whose calls end after `timeout_s` seconds."""
        self._api = _Api(timeout_s)

    def compose(
        self,
        account: Account,  # noqa: ARG002 - the protocol's; the mail is the same for every account
        mail: Mail,
        copies: Sequence[Copy],
    ) -> list[Call]:
        """One call per copy; raises CannotCarry for content that is not built yet."""
        if not isinstance(mail, RawMail):
            raise CannotCarry("this road carries finished mails only")
        return mime.calls(mail, copies)

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        return await self._api.post(account, "messages.mime", call)

    async def close(self) -> None:
        """Let kept connections go."""
        await self._api.close()
