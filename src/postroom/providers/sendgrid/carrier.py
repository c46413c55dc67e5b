"""SendGrid: hands over by `POST /v3/mail/send`, and hears by the Event Webhook.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send, read 2026-11-24. There is
no idempotency key: a call that broke after it was sent has an unknown outcome.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Sequence

from postroom.domain.content import Content
from postroom.providers.base import Account, Call, Copy, Reply
from postroom.providers.frames import Frames
from postroom.providers.http_calls import Answer, Request, endpoint_of
from postroom.providers.http_carriers import ContentCarrier, of_content
from postroom.providers.sendgrid.answers import read_answer
from postroom.providers.sendgrid.compose import RECIPIENTS_MAX, calls, frame_of

ENDPOINT = "https://api.sendgrid.com"


def _new_delimiter() -> str:
    return secrets.token_hex(8)


class SendGridCarrier(ContentCarrier):
    """Hands over by SendGrid's JSON."""

    capabilities = of_content(RECIPIENTS_MAX, substitution=True)
    api = "SendGrid's JSON"

    def __init__(
        self, timeout_s: float = 40.0, new_delimiter: Callable[[], str] = _new_delimiter
    ) -> None:
        """A carrier whose calls end after `timeout_s` seconds; `new_delimiter` is for tests."""
        super().__init__(timeout_s)
        self._frames = Frames(lambda content: frame_of(content, new_delimiter))

    def _calls_of(
        self,
        account: Account,  # noqa: ARG002 - the mail is the same for every account
        content: Content,
        copies: Sequence[Copy],
    ) -> Iterable[Call]:
        return calls(self._frames.of(content), copies)

    def _request(self, account: Account, call: Call) -> Request:
        headers = {
            "Authorization": f"Bearer {account.settings.get('api_key', '')}",
            "Content-Type": "application/json",
        }
        return Request(f"{endpoint_of(account, ENDPOINT)}/v3/mail/send", call.body(), headers)

    def _read(self, answer: Answer, call: Call) -> Reply:
        return read_answer(answer.status, answer.headers, answer.body, call.copies, time.time())
