"""SendGrid: hands over by `POST /v3/mail/send`, and hears by the Event Webhook.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, read 2026-11-24. There is
no idempotency key: a call that broke after it was sent has an unknown outcome.
"""

import secrets
import time
from collections.abc import Callable, Sequence

from postroom.domain.content import Content
from postroom.providers.base import (
    Account,
    Call,
    CannotCarry,
    Capabilities,
    Copy,
    Mail,
    Reply,
)
from postroom.providers.frames import Frames
from postroom.providers.http_calls import Answer, HttpCalls, Request
from postroom.providers.sendgrid.answers import read_answer
from postroom.providers.sendgrid.compose import RECIPIENTS_MAX, calls, frame_of
from postroom.providers.sendgrid.events import SendGridReceiver

__all__ = ["SendGridCarrier", "SendGridReceiver"]

ENDPOINT = "https://api.sendgrid.com"


def _new_delimiter() -> str:
    return secrets.token_hex(8)


class SendGridCarrier:
    """Hands over by SendGrid's JSON; keeps the connections of each account."""

    capabilities = Capabilities(
        raw_mime=False,
        custom_envelope=False,
        calendar_alternative=False,
        own_message_id=False,
        substitution=True,
        batch_size=RECIPIENTS_MAX,
    )

    def __init__(
        self, timeout_s: float = 40.0, new_delimiter: Callable[[], str] = _new_delimiter
    ) -> None:
        """A carrier whose calls end after `timeout_s` seconds; `new_delimiter` is for tests."""
        self._calls = HttpCalls(timeout_s)
        self._frames = Frames(lambda content: frame_of(content, new_delimiter))

    def compose(
        self,
        account: Account,  # noqa: ARG002 - the protocol's; the mail is the same for every account
        mail: Mail,
        copies: Sequence[Copy],
    ) -> list[Call]:
        """The calls that carry these copies; raises CannotCarry, and MissingField for a gap."""
        if not isinstance(mail, Content):
            raise CannotCarry("SendGrid's JSON takes no finished mail")
        return list(calls(self._frames.of(mail), copies))

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        endpoint = account.settings.get("endpoint", ENDPOINT).rstrip("/")
        headers = {
            "Authorization": f"Bearer {account.settings.get('api_key', '')}",
            "Content-Type": "application/json",
        }
        request = Request(f"{endpoint}/v3/mail/send", call.body(), headers)
        return await self._calls.make(account, request, lambda answer: _read(answer, call))

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()


def _read(answer: Answer, call: Call) -> Reply:
    return read_answer(answer.status, answer.headers, answer.body, call.copies, time.time())
