"""Carriers by a provider's HTTP API: what they have in common, whichever provider's it is."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import ClassVar

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
    ReplyKind,
)
from postroom.providers.frames import Frame, Frames, Limits, calls
from postroom.providers.http_calls import Answer, HttpCalls, Request
from postroom.providers.proxies import may_have_passed_on


def of_content(batch_size: int, substitution: bool = False) -> Capabilities:
    """What a road can do whose API builds the mail: it makes header, envelope and parts itself."""
    return Capabilities(
        raw_mime=False,
        custom_envelope=False,
        calendar_alternative=False,
        own_message_id=False,
        substitution=substitution,
        batch_size=batch_size,
    )


def of_finished(own_message_id: bool = True) -> Capabilities:
    """What a road can do that leaves a mail's bytes alone, one recipient a call."""
    return Capabilities(
        raw_mime=True,
        custom_envelope=True,
        calendar_alternative=True,
        own_message_id=own_message_id,
        substitution=False,
        batch_size=1,
    )


class HttpCarrier(ABC):
    """Hands over by HTTP calls; keeps the connections of each account."""

    capabilities: Capabilities

    def __init__(self, timeout_s: float = 40.0) -> None:
        """A carrier whose calls end after `timeout_s` seconds."""
        self._calls = HttpCalls(timeout_s)

    @abstractmethod
    def _request(self, account: Account, call: Call) -> Request:
        """The call as this provider wants it."""

    @abstractmethod
    def _read(self, answer: Answer, call: Call) -> Reply:
        """What this provider's answer amounts to."""

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        request = self._request(account, call)
        reply = await self._calls.make(account, request, lambda answer: self._read(answer, call))
        if may_have_passed_on(reply.status, reply.body):
            return replace(reply, kind=ReplyKind.UNKNOWN, retry_after_s=None)
        return reply

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()


class FinishedCarrier(HttpCarrier):
    """Hands over finished mails and leaves their bytes alone."""

    @abstractmethod
    def _calls_of(self, account: Account, mail: RawMail, copies: Sequence[Copy]) -> list[Call]:
        """One call per copy."""

    def compose(self, account: Account, mail: Mail, copies: Sequence[Copy]) -> list[Call]:
        """One call per copy; raises CannotCarry for content that is not built yet."""
        if not isinstance(mail, RawMail):
            raise CannotCarry("this road carries finished mails only")
        return self._calls_of(account, mail, copies)


class ContentCarrier(HttpCarrier):
    """Hands over content, of which the provider builds the mails."""

    api: ClassVar[str]
    """What it is called where it refuses a mail."""
    changes: ClassVar[tuple[str, ...]] = ()
    """What every mail becomes on this road although it may have been asked for otherwise."""

    @abstractmethod
    def _calls_of(
        self, account: Account, content: Content, copies: Sequence[Copy]
    ) -> Iterable[Call]:
        """The calls, each with what is changed in it alone; raises as `compose` does."""

    def compose(self, account: Account, mail: Mail, copies: Sequence[Copy]) -> list[Call]:
        """The calls that carry these copies; raises CannotCarry, and MissingField for a gap."""
        if not isinstance(mail, Content):
            raise CannotCarry(f"{self.api} takes no finished mail")
        made = self._calls_of(account, mail, copies)
        return [replace(call, changes=(*call.changes, *self.changes)) for call in made]


class FrameCarrier(ContentCarrier):
    """One whose mails are the same for every account: their frames are kept."""

    limits: ClassVar[Limits]
    """The most that one call may have."""

    def __init__(self, timeout_s: float = 40.0) -> None:
        """A carrier whose calls end after `timeout_s` seconds."""
        super().__init__(timeout_s)
        self._frames = Frames(self._frame)

    @abstractmethod
    def _frame(self, content: Content) -> Frame:
        """What all copies share; raises CannotCarry when the API cannot say the mail as it is."""

    def _limits(self, content: Content) -> Limits:  # noqa: ARG002 - for one that has several
        return self.limits

    def _calls_of(
        self,
        account: Account,  # noqa: ARG002 - the mail is the same for every account
        content: Content,
        copies: Sequence[Copy],
    ) -> Iterable[Call]:
        return calls(self._frames.of(content), copies, self._limits(content))


class KeyedCarrier(FrameCarrier):
    """One whose calls have an idempotency key: a call that leaves doubt is made once more."""

    def __init__(self, timeout_s: float = 40.0) -> None:
        """A carrier whose calls, each with the one that may follow it, end after `timeout_s`."""
        super().__init__(timeout_s / 2)

    def _is_in_doubt(self, reply: Reply) -> bool:
        """Whether the same call, made again, would tell what became of it."""
        return reply.kind is ReplyKind.UNKNOWN

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        reply = await super().hand_over(account, call)
        if not self._is_in_doubt(reply):
            return reply
        again = await super().hand_over(account, call)
        # A refusal of these bytes is one of the first call too; anything else tells nothing.
        return again if again.kind is ReplyKind.TAKEN or _is_refusal(again) else reply


def _is_refusal(reply: Reply) -> bool:
    return reply.kind is ReplyKind.REFUSED or bool(reply.refused)
