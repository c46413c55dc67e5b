"""Resend: hands over by `POST /emails/batch`, up to 100 mails a call, and by `POST /emails`.

https://resend.com/docs/dashboard/emails/idempotency-keys, read 2026-11-24. A call has an
idempotency key, made of its hand-overs, that counts for 24 hours. So one whose answer is missing
or says nothing is made once more: either it is taken now, or the first answer is given again.
What stays without an answer is unknown and is never made under the key of another attempt.
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
from postroom.providers.frames import Frames, calls
from postroom.providers.http_calls import HttpCalls, Request
from postroom.providers.resend.answers import read_answer
from postroom.providers.resend.compose import (
    API,
    BATCH,
    CHANGES,
    frame,
    idempotency_key,
    limits,
)

ENDPOINT = "https://api.resend.com"


class ResendCarrier:
    """Hands over by Resend's JSON; keeps the connections of each account."""

    capabilities = Capabilities(
        raw_mime=False,
        custom_envelope=False,
        calendar_alternative=False,
        own_message_id=False,
        substitution=False,
        batch_size=BATCH.copies,
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
        made = calls(self._frames.of(mail), copies, limits(mail))
        return [replace(call, changes=CHANGES) for call in made]

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        request = _request(account, call)
        reply = await self._make(account, request, call)
        if reply.kind is not ReplyKind.UNKNOWN:
            return reply
        again = await self._make(account, request, call)
        # A refusal of these bytes is one of the first call too; anything else tells nothing.
        return again if again.kind in (ReplyKind.TAKEN, ReplyKind.REFUSED) else reply

    async def _make(self, account: Account, request: Request, call: Call) -> Reply:
        return await self._calls.make(
            account, request, lambda answer: read_answer(answer, call.copies)
        )

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()


def _request(account: Account, call: Call) -> Request:
    """A batch is an array; a mail with attachments stands alone."""
    body = call.body()
    path = "/emails/batch" if body.startswith(b"[") else "/emails"
    headers = {
        "Authorization": f"Bearer {account.settings.get('api_key', '')}",
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Idempotency-Key": idempotency_key(call.copies),
        "x-batch-validation": "permissive",
    }
    return Request(account.settings.get("endpoint", ENDPOINT).rstrip("/") + path, body, headers)
