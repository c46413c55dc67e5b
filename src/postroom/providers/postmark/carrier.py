"""Postmark: hands over by `POST /email/batch`, 500 complete messages a call.

https://postmarkapp.com/developer/api/email-api, read 2026-11-24. There is no idempotency key: a
call that broke after it was sent has an unknown outcome.
"""

import threading
from collections.abc import Sequence
from functools import partial

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
from postroom.providers.frames import Frame, Frames, calls
from postroom.providers.http_calls import HttpCalls, Request
from postroom.providers.postmark.answers import read_answer
from postroom.providers.postmark.compose import API, LIMITS, STREAM_SETTING, frame

ENDPOINT = "https://api.postmarkapp.com"
STREAM = "outbound"
"""The stream that every server has."""


class PostmarkCarrier:
    """Hands over by Postmark's JSON; keeps the connections of each account."""

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
        self._frames: dict[str, Frames[Frame]] = {}
        self._lock = threading.Lock()

    def compose(self, account: Account, mail: Mail, copies: Sequence[Copy]) -> list[Call]:
        """The calls that carry these copies; raises CannotCarry, and MissingField for a gap."""
        if not isinstance(mail, Content):
            raise CannotCarry(f"{API} takes no finished mail")
        frames = self._frames_for(account.settings.get(STREAM_SETTING, STREAM))
        return list(calls(frames.of(mail), copies, LIMITS))

    def _frames_for(self, stream: str) -> Frames[Frame]:
        """A message names its stream, so a mail has a frame for each."""
        with self._lock:
            if stream not in self._frames:
                self._frames[stream] = Frames(partial(frame, stream=stream))
            return self._frames[stream]

    async def hand_over(self, account: Account, call: Call) -> Reply:
        """The provider's answer. Never raises for what the network or the provider does."""
        endpoint = account.settings.get("endpoint", ENDPOINT).rstrip("/")
        headers = {
            "X-Postmark-Server-Token": account.settings.get("server_token", ""),
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        request = Request(f"{endpoint}/email/batch", call.body(), headers)
        return await self._calls.make(
            account,
            request,
            lambda answer: read_answer(answer.status, answer.headers, answer.body, call.copies),
        )

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()
