"""Brevo: hands over by `POST /v3/smtp/email`, up to 1,000 versions a call.

https://developers.brevo.com/docs/heterogenous-versions-batch-emails, read 2026-11-24. A call has an
idempotency key for 30 minutes. So one that broke without an answer is made once more: either it
is taken now, or the answer says that it had been taken.
"""

from postroom.domain.content import Content
from postroom.providers.base import Account, Call, Reply, ReplyKind
from postroom.providers.brevo import compose
from postroom.providers.brevo.answers import read_answer
from postroom.providers.frames import Frame
from postroom.providers.http_calls import Answer, Request, endpoint_of
from postroom.providers.http_carriers import KeyedCarrier, of_content

ENDPOINT = "https://api.brevo.com"


class BrevoCarrier(KeyedCarrier):
    """Hands over by Brevo's JSON."""

    capabilities = of_content(compose.LIMITS.copies)
    api = compose.API
    limits = compose.LIMITS
    changes = compose.CHANGES

    def _frame(self, content: Content) -> Frame:
        return compose.frame(content)

    def _request(self, account: Account, call: Call) -> Request:
        headers = {
            "api-key": account.settings.get("api_key", ""),
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        return Request(f"{endpoint_of(account, ENDPOINT)}/v3/smtp/email", call.body(), headers)

    def _read(self, answer: Answer, call: Call) -> Reply:
        return read_answer(answer.status, answer.headers, answer.body, call.copies)

    def _is_in_doubt(self, reply: Reply) -> bool:
        return reply.kind is ReplyKind.UNKNOWN and reply.status is None
