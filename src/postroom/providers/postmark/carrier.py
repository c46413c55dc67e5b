"""Postmark: hands over by `POST /email/batch`, 500 complete messages a call.

https://postmarkapp.com/developer/api/email-api, read 2026-11-24. There is no idempotency key: a
call that broke after it was sent has an unknown outcome.
"""

import threading
from collections.abc import Iterable, Sequence
from functools import partial

from postroom.domain.content import Content
from postroom.providers.base import Account, Call, Copy, Reply
from postroom.providers.frames import Frame, Frames, calls
from postroom.providers.http_calls import Answer, Request, endpoint_of
from postroom.providers.http_carriers import ContentCarrier, of_content
from postroom.providers.postmark import compose
from postroom.providers.postmark.answers import read_answer

ENDPOINT = "https://api.postmarkapp.com"
STREAM = "outbound"
"""The stream that every server has."""


class PostmarkCarrier(ContentCarrier):
    """Hands over by Postmark's JSON."""

    capabilities = of_content(compose.LIMITS.copies)
    api = compose.API

    def __init__(self, timeout_s: float = 40.0) -> None:
        """A carrier whose calls end after `timeout_s` seconds."""
        super().__init__(timeout_s)
        self._frames: dict[str, Frames[Frame]] = {}
        self._lock = threading.Lock()

    def _calls_of(
        self, account: Account, content: Content, copies: Sequence[Copy]
    ) -> Iterable[Call]:
        frames = self._frames_for(account.settings.get(compose.STREAM_SETTING, STREAM))
        return calls(frames.of(content), copies, compose.LIMITS)

    def _frames_for(self, stream: str) -> Frames[Frame]:
        """A message names its stream, so a mail has a frame for each."""
        with self._lock:
            if stream not in self._frames:
                self._frames[stream] = Frames(partial(compose.frame, stream=stream))
            return self._frames[stream]

    def _request(self, account: Account, call: Call) -> Request:
        headers = {
            "X-Postmark-Server-Token": account.settings.get("server_token", ""),
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        return Request(f"{endpoint_of(account, ENDPOINT)}/email/batch", call.body(), headers)

    def _read(self, answer: Answer, call: Call) -> Reply:
        return read_answer(answer.status, answer.headers, answer.body, call.copies)
