"""Brevo: hands over by `POST /v3/smtp/email`, up to 1,000 versions a call.

https://developers.brevo.com/docs/heterogenous-versions-batch-emails, read 2026-11-24. A call has an
idempotency key for 30 minutes. So one that broke without an answer is made once more: either it
is taken now, or the answer says that it had been taken.
"""

from collections.abc import Sequence
from dataclasses import replace

from postroom.domain.content import Content
from postroom.providers.base import (
    Account,
    Call,
    CannotCarry,
    Capabilities,
    Copy,
    Mail,
    Reply,
    ReplyKind,
)
from postroom.providers.brevo.answers import read_answer
from postroom.providers.brevo.compose import API, CHANGES, LIMITS, frame
from postroom.providers.frames import Frames, calls
from postroom.providers.http_calls import HttpCalls, Request

ENDPOINT = "https://api.brevo.com"


class BrevoCarrier:
    """Hands over by Brevo's JSON; keeps the connections of each account."""

    capabilities = Capabilities(
        raw_mime=False,
        custom_envelope=False,
        calendar_alternative=False,
        own_message_id=False,
        substitution=False,
        batch_size=LIMITS.copies,
    )

    def __init__(self, timeout_s: float = 40.0) -> None:
        """A carrier whose calls, each with the one that may follow it, end after `timeout_s`."""
        self._calls = HttpCalls(timeout_s / 2)
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
        made = calls(self._frames.of(mail), copies, LIMITS)
        return [replace(call, changes=CHANGES) for call in made]

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        endpoint = account.settings.get("endpoint", ENDPOINT).rstrip("/")
        headers = {
            "api-key": account.settings.get("api_key", ""),
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        request = Request(f"{endpoint}/v3/smtp/email", call.body(), headers)
        reply = await self._make(account, request, call)
        if reply.kind is ReplyKind.UNKNOWN and reply.status is None:
            again = await self._make(account, request, call)
            # A refusal of these bytes is one of the first call too; anything else tells nothing.
            return again if again.kind is ReplyKind.TAKEN or _is_refusal(again) else reply
        return reply

    async def _make(self, account: Account, request: Request, call: Call) -> Reply:
        return await self._calls.make(
            account,
            request,
            lambda answer: read_answer(answer.status, answer.headers, answer.body, call.copies),
        )

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()


def _is_refusal(reply: Reply) -> bool:
    return reply.kind is ReplyKind.REFUSED or bool(reply.refused)
