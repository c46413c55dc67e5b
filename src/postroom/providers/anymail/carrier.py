"""The road by django-anymail to the providers that have no adapter of ours.

Anymail is a library of blocking calls: each is made in a thread, with a connection of its own.
"""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from anymail.exceptions import AnymailAPIError, AnymailConfigurationError, AnymailError
from anymail.message import AnymailMessage

from postroom.domain.content import Content
from postroom.domain.template import parse
from postroom.providers.anymail.answers import read_error, read_statuses
from postroom.providers.anymail.compose import changes, frame, limits
from postroom.providers.anymail.esps import ESPS, Esp
from postroom.providers.anymail.message import message_of
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
from postroom.providers.frames import Frame, Frames, calls

_CONNECT_S = 10.0


class AnymailCarrier:
    """Hands over by one of Anymail's backends."""

    def __init__(self, provider: str, timeout_s: float = 40.0) -> None:
        """A carrier to this provider whose calls end after `timeout_s` seconds."""
        self._esp = ESPS[provider]
        self._timeout_s = timeout_s
        self._frames = Frames(self._frame)
        self.capabilities = Capabilities(
            raw_mime=False,
            custom_envelope=False,
            calendar_alternative=False,
            own_message_id=False,
            substitution=False,
            batch_size=self._esp.copies,
        )

    def compose(
        self,
        account: Account,  # noqa: ARG002 - the protocol's; the mail is the same for every account
        mail: Mail,
        copies: Sequence[Copy],
    ) -> list[Call]:
        """The calls that carry these copies; raises CannotCarry, and MissingField for a gap."""
        if not isinstance(mail, Content):
            raise CannotCarry(f"{self._esp.label}, by Anymail, takes no finished mail")
        made = calls(self._frames.of(mail), copies, limits(mail, self._esp))
        told = changes(mail, self._esp)
        return [replace(call, changes=told) for call in made]

    def _frame(self, content: Content) -> Frame:
        """The frame of a mail; raises CannotCarry also for what Anymail would not send as it is."""
        made = frame(content, self._esp)
        somebody = Copy(UUID(int=0), "somebody@example.com", vars=_any_values(content))
        (trial,) = calls(made, [somebody], limits(content, self._esp))
        backend = self._esp.backend(_any_settings(self._esp), (1.0, 1.0))
        try:
            payload = backend.build_message_payload(self._message(trial), {})
            payload.get_request_params(backend.api_url)
        except AnymailError as error:
            raise CannotCarry(str(error).partition("\n")[0]) from error
        return made

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.to_thread(self._hand_over, account, call)
        except TimeoutError:
            why = f"timed out after {self._timeout_s:g} s waiting for the answer"
            return Reply(ReplyKind.UNKNOWN, error=why)

    def _hand_over(self, account: Account, call: Call) -> Reply:
        message = self._message(call)
        connect_s = min(_CONNECT_S, self._timeout_s)
        try:
            backend = self._esp.backend(account.settings, (connect_s, self._timeout_s))
            _send(backend, message)
        except AnymailConfigurationError as error:
            return Reply(ReplyKind.ACCOUNT_STOPPED, error=str(error).partition("\n")[0])
        except AnymailAPIError as error:
            return read_error(error, message.anymail_status.esp_response, call.copies)
        except AnymailError as error:
            # Raised while the request is made: nothing has left the house.
            return Reply(ReplyKind.REFUSED, error=str(error).partition("\n")[0])
        except UnicodeError:
            return Reply(ReplyKind.ACCOUNT_STOPPED, error="the account's key is no header text")
        except (LookupError, TypeError, AttributeError) as error:
            why = f"Anymail could not read the answer: {type(error).__name__}"
            return Reply(ReplyKind.UNKNOWN, error=why)
        status = message.anymail_status
        return read_statuses(status.recipients, status.esp_response, call.copies)

    def _message(self, call: Call) -> AnymailMessage:
        return message_of(json.loads(call.body()), call.copies, self._esp)

    async def close(self) -> None:
        """Nothing: no connection is kept."""


def _any_values(content: Content) -> dict[str, str]:
    """A value for every field of the mail."""
    texts = filter(None, (content.subject, content.text, content.html))
    return {key: "x" for text in texts for key in parse(text).keys}


def _any_settings(esp: Esp) -> dict[str, str]:
    """Settings with which a backend can be made, to build requests that nobody sends."""
    return {name: "https://example.com/" if name == "endpoint" else "x" for name in esp.needs}


def _send(backend: Any, message: AnymailMessage) -> None:
    backend.open()
    # No credentials of a file on this machine, and none to another host than the account's.
    backend.session.trust_env = False
    backend.session.max_redirects = 0
    try:
        backend.send_messages([message])
    finally:
        backend.close()
