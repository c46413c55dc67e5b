"""SparkPost: hands over by `POST /api/v1/transmissions`, as JSON for many or as one finished mail.

https://developers.sparkpost.com/api/transmissions, read 2026-11-24. There is no idempotency key: a
call that broke after it was sent has an unknown outcome.
"""

from collections.abc import Sequence

from postroom.domain.content import Content
from postroom.providers.base import Account, Call, Copy, RawMail, Reply
from postroom.providers.frames import Frame
from postroom.providers.http_calls import Answer, Request, endpoint_of
from postroom.providers.http_carriers import (
    FinishedCarrier,
    FrameCarrier,
    HttpCarrier,
    of_content,
    of_finished,
)
from postroom.providers.sparkpost import compose, mime
from postroom.providers.sparkpost.answers import read_answer

ENDPOINT = "https://api.sparkpost.com"


class _Transmissions(HttpCarrier):
    """The call that both roads make."""

    def _request(self, account: Account, call: Call) -> Request:
        headers = {
            "Authorization": account.settings.get("api_key", ""),
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        endpoint = endpoint_of(account, ENDPOINT)
        return Request(f"{endpoint}/api/v1/transmissions", call.body(), headers)

    def _read(self, answer: Answer, call: Call) -> Reply:
        return read_answer(answer.status, answer.headers, answer.body, call.copies)


class SparkPostCarrier(_Transmissions, FrameCarrier):
    """Hands over content, many recipients a call."""

    capabilities = of_content(compose.LIMITS.copies, substitution=True)
    api = compose.API
    limits = compose.LIMITS

    def _frame(self, content: Content) -> Frame:
        return compose.frame(content)


class SparkPostMimeCarrier(_Transmissions, FinishedCarrier):
    """Hands over finished mails, one recipient a call."""

    capabilities = of_finished()

    def _calls_of(
        self,
        account: Account,  # noqa: ARG002 - the mail is the same for every account
        mail: RawMail,
        copies: Sequence[Copy],
    ) -> list[Call]:
        return mime.calls(mail, copies)
