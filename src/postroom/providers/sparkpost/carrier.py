"""SparkPost: hands over by `POST /api/v1/transmissions`, as JSON for many or as one finished mail.

https://developers.sparkpost.com/api/transmissions, read 2026-11-24. There is no idempotency key: a
call that broke after it was sent has an unknown outcome.
"""

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
from postroom.providers.sparkpost import mime
from postroom.providers.sparkpost.answers import read_answer
from postroom.providers.sparkpost.compose import API, LIMITS, frame

ENDPOINT = "https://api.sparkpost.com"


class _Transmissions:
    """The call that both roads make; keeps the connections of each account."""

    def __init__(self, timeout_s: float = 40.0) -> None:
        """A carrier whose calls end after `timeout_s` seconds."""
        self._calls = HttpCalls(timeout_s)

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        endpoint = account.settings.get("endpoint", ENDPOINT).rstrip("/")
        headers = {
            "Authorization": account.settings.get("api_key", ""),
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        request = Request(f"{endpoint}/api/v1/transmissions", call.body(), headers)
        return await self._calls.make(
            account,
            request,
            lambda answer: read_answer(answer.status, answer.headers, answer.body, call.copies),
        )

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()


class SparkPostCarrier(_Transmissions):
    """Hands over content, many recipients a call."""

    capabilities = Capabilities(
        raw_mime=False,
        custom_envelope=False,
        calendar_alternative=False,
        own_message_id=False,
        substitution=True,
        batch_size=LIMITS.copies,
    )

    def __init__(self, timeout_s: float = 40.0) -> None:
        """A carrier whose calls end after `timeout_s` seconds."""
        super().__init__(timeout_s)
        self._frames = Frames(frame)

    def compose(
        self,
        account: Account,  # noqa: ARG002 - the protocol's; the mail is the same for every account
        mail: Mail,
        copies: Sequence[Copy],
    ) -> list[Call]:
        """The calls that carry these copies; raises CannotCarry, and MissingField for a gap."""
        if not isinstance(mail, Content):
            raise CannotCarry(f"{API} takes no finished mail here")
        return list(calls(self._frames.of(mail), copies, LIMITS))


class SparkPostMimeCarrier(_Transmissions):
    """Hands over finished mails, one recipient a call."""

    capabilities = Capabilities(
        raw_mime=True,
        custom_envelope=True,
        calendar_alternative=True,
        own_message_id=True,
        substitution=False,
        batch_size=1,
    )

    def compose(
        self,
        account: Account,  # noqa: ARG002 - the protocol's; the mail is the same for every account
        mail: Mail,
        copies: Sequence[Copy],
    ) -> list[Call]:
        """One call per copy; raises CannotCarry for content that is not built yet."""
        if isinstance(mail, Content):
            raise CannotCarry("this road carries finished mails only")
        return mime.calls(mail, copies)
