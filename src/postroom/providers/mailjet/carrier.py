"""Mailjet: hands over by `POST /v3.1/send`, 50 complete messages a call.

https://dev.mailjet.com/email/guides/send-api-v31, read 2026-11-24. There is no idempotency key: a
call that broke after it was sent has an unknown outcome.
"""

from base64 import b64encode
from collections.abc import Sequence

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
from postroom.providers.frames import Frames, calls
from postroom.providers.http_calls import HttpCalls, Request
from postroom.providers.mailjet.answers import read_answer
from postroom.providers.mailjet.compose import API, LIMITS, frame

ENDPOINT = "https://api.mailjet.com"


class MailjetCarrier:
    """Hands over by Mailjet's JSON; keeps the connections of each account."""

    capabilities = Capabilities(
        raw_mime=False,
        custom_envelope=False,
        calendar_alternative=False,
        own_message_id=False,
        substitution=False,
        batch_size=LIMITS.copies,
    )

    def __init__(self, timeout_s: float = 40.0) -> None:
        """A carrier whose calls end after `timeout_s` seconds."""
        self._calls = HttpCalls(timeout_s)
        self._frames = Frames(frame)

    def compose(
        self,
        account: Account,  # noqa: ARG002 - the protocol's; the mail is the same for every account
        mail: Mail,
        copies: Sequence[Copy],
    ) -> list[Call]:
        """The calls that carry these copies; raises CannotCarry, and MissingField for a gap."""
        if not isinstance(mail, Content):
            raise CannotCarry(f"{API} takes no finished mail")
        return list(calls(self._frames.of(mail), copies, LIMITS))

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        endpoint = account.settings.get("endpoint", ENDPOINT).rstrip("/")
        key, secret = (account.settings.get(name, "") for name in ("api_key", "api_secret"))
        headers = {
            "Authorization": "Basic " + b64encode(f"{key}:{secret}".encode()).decode("ascii"),
            "Content-Type": "application/json",
        }
        request = Request(f"{endpoint}/v3.1/send", call.body(), headers)
        return await self._calls.make(
            account,
            request,
            lambda answer: read_answer(answer.status, answer.headers, answer.body, call.copies),
        )

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()
