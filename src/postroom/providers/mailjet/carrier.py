"""Mailjet: hands over by `POST /v3.1/send`, 50 complete messages a call.

https://dev.mailjet.com/email/guides/send-api-v31, read 2026-11-24. There is no idempotency key: a
call that broke after it was sent has an unknown outcome.
"""

from base64 import b64encode

from postroom.domain.content import Content
from postroom.providers.base import Account, Call, Reply
from postroom.providers.frames import Frame
from postroom.providers.http_calls import Answer, Request, endpoint_of
from postroom.providers.http_carriers import FrameCarrier, of_content
from postroom.providers.mailjet import compose
from postroom.providers.mailjet.answers import read_answer

ENDPOINT = "https://api.mailjet.com"


class MailjetCarrier(FrameCarrier):
    """Hands over by Mailjet's JSON."""

    capabilities = of_content(compose.LIMITS.copies)
    api = compose.API
    limits = compose.LIMITS

    def _frame(self, content: Content) -> Frame:
        return compose.frame(content)

    def _request(self, account: Account, call: Call) -> Request:
        key, secret = (account.settings.get(name, "") for name in ("api_key", "api_secret"))
        headers = {
            "Authorization": "Basic " + b64encode(f"{key}:{secret}".encode()).decode("ascii"),
            "Content-Type": "application/json",
        }
        return Request(f"{endpoint_of(account, ENDPOINT)}/v3.1/send", call.body(), headers)

    def _read(self, answer: Answer, call: Call) -> Reply:
        return read_answer(answer.status, answer.headers, answer.body, call.copies)
