"""Mailgun: hands over by its messages API, up to 1,000 recipients a call, or as finished mails.

https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages, read 2026-11-24.
There is no idempotency key: a call that broke after it was sent has an unknown outcome.
"""

import time
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar
from urllib.parse import quote

from postroom.domain.content import Content
from postroom.providers.base import Account, Call, Copy, RawMail, Reply
from postroom.providers.frames import Frames, calls
from postroom.providers.http_calls import Answer, Request, endpoint_of
from postroom.providers.http_carriers import (
    ContentCarrier,
    FinishedCarrier,
    HttpCarrier,
    of_content,
    of_finished,
)
from postroom.providers.mailgun import compose, form, mime
from postroom.providers.mailgun.answers import read_answer

ENDPOINT = "https://api.mailgun.net"
"""Of the United States; `https://api.eu.mailgun.net` is where domains of the EU region live."""


class _Domain(HttpCarrier):
    """The call that both roads make, each to its own path of the account's domain."""

    path: ClassVar[str]

    def _request(self, account: Account, call: Call) -> Request:
        domain = quote(account.settings.get("domain", ""), safe="")
        credentials = f"api:{account.settings.get('api_key', '')}".encode()
        body = call.body()
        headers = {
            "Authorization": "Basic " + b64encode(credentials).decode("ascii"),
            "Content-Type": form.content_type_of(body),
        }
        return Request(f"{endpoint_of(account, ENDPOINT)}/v3/{domain}/{self.path}", body, headers)

    def _read(self, answer: Answer, call: Call) -> Reply:
        return read_answer(answer.status, answer.headers, answer.body, call.copies, time.time())


class MailgunCarrier(_Domain, ContentCarrier):
    """Hands over by Mailgun's form."""

    capabilities = of_content(compose.LIMITS.copies, substitution=True)
    api = compose.API
    path = "messages"

    def __init__(
        self, timeout_s: float = 40.0, new_token: Callable[[], str] = compose.new_token
    ) -> None:
        """A carrier whose calls end after `timeout_s` seconds; `new_token` is for tests."""
        super().__init__(timeout_s)
        self._frames = Frames(lambda content: compose.frame(content, new_token))

    def _calls_of(
        self,
        account: Account,  # noqa: ARG002 - the mail is the same for every account
        content: Content,
        copies: Sequence[Copy],
    ) -> Iterable[Call]:
        frame = self._frames.of(content)
        return [call for layer in _layers(copies) for call in calls(frame, layer, compose.LIMITS)]


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


class MailgunMimeCarrier(_Domain, FinishedCarrier):
    """Hands over finished mails by the API, one recipient a call; leaves their bytes alone."""

    capabilities = of_finished()
    path = "messages.mime"

    def _calls_of(
        self,
        account: Account,  # noqa: ARG002 - the mail is the same for every account
        mail: RawMail,
        copies: Sequence[Copy],
    ) -> list[Call]:
        return mime.calls(mail, copies)
