"""Amazon SES: hands over by `SendEmail` of the API v2, one recipient a call, many calls in flight.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html, read 2026-11-24. There is
no idempotency key: a call that broke after it was sent has an unknown outcome.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from postroom.domain.address import parse_address
from postroom.domain.content import Content
from postroom.providers.base import (
    Account,
    Call,
    CannotCarry,
    Capabilities,
    Copy,
    Mail,
    Refusal,
    Reply,
    ReplyKind,
)
from postroom.providers.http_calls import Answer, HttpCalls, Request
from postroom.providers.ses.answers import read_answer
from postroom.providers.ses.compose import Encodings, call
from postroom.providers.ses.signature import Keys, signed

PATH = "/v2/email/outbound-emails"
NO_SMTPUTF8 = "Amazon SES takes no address whose part before the @ is beyond ASCII"


def endpoint(region: str, service: str) -> str:
    """Where a service of a region is reached."""
    china = ".cn" if region.startswith("cn-") else ""
    return f"https://{service}.{region}.amazonaws.com{china}"


class SesCarrier:
    """Hands over finished mails by the API; keeps the connections of each account."""

    capabilities = Capabilities(
        raw_mime=True,
        custom_envelope=True,
        calendar_alternative=True,
        own_message_id=False,
        substitution=False,
        batch_size=1,
    )

    def __init__(self, timeout_s: float = 40.0) -> None:
        """A carrier whose calls end after `timeout_s` seconds."""
        self._calls = HttpCalls(timeout_s)
        self._encodings = Encodings()

    def compose(self, account: Account, mail: Mail, copies: Sequence[Copy]) -> list[Call]:
        """One call per copy; raises CannotCarry for content that is not built yet."""
        if isinstance(mail, Content):
            raise CannotCarry("this road carries finished mails only")
        return [call(account, mail, copy, self._encodings) for copy in copies]

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        (copy,) = call.copies
        if parse_address(copy.recipient).smtputf8:
            refusal = Refusal("charset_unsupported", NO_SMTPUTF8, enhanced_code="5.6.7")
            return Reply(ReplyKind.REFUSED, error=refusal.text, refused={copy.handover_id: refusal})
        keys = Keys.of(account.settings, "ses")
        base = account.settings.get("endpoint") or endpoint(keys.region, "email")
        url, body = base.rstrip("/") + PATH, call.body()
        plain = {"Content-Type": "application/json"}
        headers = signed(keys, "POST", url, plain, body, datetime.now(UTC))
        request = Request(url, body, headers)
        return await self._calls.make(account, request, lambda answer: _read(answer, copy))

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()


def _read(answer: Answer, copy: Copy) -> Reply:
    return read_answer(answer.status, answer.headers, answer.body, copy)
