"""Resend: hands over by `POST /emails/batch`, up to 100 mails a call, and by `POST /emails`.

https://resend.com/docs/dashboard/emails/idempotency-keys, read 2026-11-24. A call has an
idempotency key, made of its hand-overs, that counts for 24 hours. So one whose answer is missing
or says nothing is made once more: either it is taken now, or the first answer is given again.
What stays without an answer is unknown and is never made under the key of another attempt.
"""

from postroom.domain.content import Content
from postroom.providers.base import Account, Call, Reply
from postroom.providers.frames import Frame, Limits
from postroom.providers.http_calls import Answer, Request, endpoint_of
from postroom.providers.http_carriers import KeyedCarrier, of_content
from postroom.providers.resend import compose
from postroom.providers.resend.answers import read_answer

ENDPOINT = "https://api.resend.com"


class ResendCarrier(KeyedCarrier):
    """Hands over by Resend's JSON."""

    capabilities = of_content(compose.BATCH.copies)
    api = compose.API
    limits = compose.BATCH
    changes = compose.CHANGES

    def _frame(self, content: Content) -> Frame:
        return compose.frame(content)

    def _limits(self, content: Content) -> Limits:
        return compose.SINGLE if content.attachments else self.limits

    def _request(self, account: Account, call: Call) -> Request:
        """A batch is an array; a mail with attachments stands alone."""
        body = call.body()
        path = "/emails/batch" if body.startswith(b"[") else "/emails"
        headers = {
            "Authorization": f"Bearer {account.settings.get('api_key', '')}",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Idempotency-Key": compose.idempotency_key(call.copies),
            "x-batch-validation": "permissive",
        }
        return Request(endpoint_of(account, ENDPOINT) + path, body, headers)

    def _read(self, answer: Answer, call: Call) -> Reply:
        return read_answer(answer, call.copies)
