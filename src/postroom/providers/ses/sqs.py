"""Amazon SQS: takes SES's notifications out of a queue that the topic writes to.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html,
API_DeleteMessageBatch.html and .../SQSDeveloperGuide/sqs-making-api-requests-json.html, read
2026-11-24. The queue keeps what nobody deleted for up to 14 days; who may write to it is said by
its policy, and who may read it by our signature. Nothing listens to the world.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from urllib.parse import urlsplit

from postroom.providers.base import Account, Pulled, PullFailed, Reply, ReplyKind
from postroom.providers.http_calls import Answer, HttpCalls, Request
from postroom.providers.ses.signature import Keys, signed

WAIT_S = 20
"""How long an empty queue keeps the question: the most that the service allows."""
MESSAGES_MAX = 10
"""Of one answer, and of one deletion."""
VISIBILITY_S = 120
"""What was given is given again after this: longer than any commit should take."""
_ANSWER_BYTES_MAX = 32 * 1024 * 1024
"""Ten messages of 1 MiB at most, each quoted as JSON once more."""


class SqsPuller:
    """Asks the queue of an account; keeps the connections."""

    needs = frozenset({"access_key_id", "secret_access_key", "region", "queue_url"})

    def __init__(self, wait_s: int = WAIT_S) -> None:
        """`wait_s` is how long an empty queue keeps a question."""
        self._wait_s = wait_s
        self._calls = HttpCalls(wait_s + 15.0, _ANSWER_BYTES_MAX)

    async def receive(self, account: Account) -> list[Pulled]:
        """Up to ten notifications; raises PullFailed."""
        asked = {
            "MaxNumberOfMessages": MESSAGES_MAX,
            "WaitTimeSeconds": self._wait_s,
            "VisibilityTimeout": VISIBILITY_S,
        }
        answer = await self._ask(account, "ReceiveMessage", asked)
        messages = answer.get("Messages")
        return [_pulled(one) for one in messages] if isinstance(messages, list) else []

    async def let_go(self, account: Account, pulled: Sequence[Pulled]) -> None:
        """Delete them from the queue; one that stays is given again, and is no new fact."""
        entries = [
            {"Id": str(number), "ReceiptHandle": one.handle} for number, one in enumerate(pulled)
        ]
        answer = await self._ask(account, "DeleteMessageBatch", {"Entries": entries})
        if answer.get("Failed"):
            raise PullFailed("the queue did not delete all that it was asked to")

    async def close(self) -> None:
        """Let kept connections go."""
        await self._calls.close()

    async def _ask(
        self, account: Account, action: str, asked: Mapping[str, object]
    ) -> Mapping[str, object]:
        queue_url = account.settings["queue_url"]
        parts = urlsplit(queue_url)
        url = f"{parts.scheme}://{parts.netloc}/"
        body = json.dumps({"QueueUrl": queue_url, **asked}).encode()
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"AmazonSQS.{action}",
        }
        keys = Keys.of(account.settings, "sqs")
        sent = signed(keys, "POST", url, headers, body, datetime.now(UTC))
        reply = await self._calls.make(account, Request(url, body, sent), _as_it_is)
        return _object(reply, action)


def _as_it_is(answer: Answer) -> Reply:
    whole = answer.status == 200 and answer.whole
    return Reply(ReplyKind.TAKEN if whole else ReplyKind.TRY_LATER, answer.status, {}, answer.body)


def _object(reply: Reply, action: str) -> Mapping[str, object]:
    if reply.kind is not ReplyKind.TAKEN:
        said = reply.error or f"{reply.status} {reply.body[:500].decode('utf-8', 'replace')}"
        raise PullFailed(f"{action}: {said}")
    try:
        found = json.loads(reply.body or b"{}")
    except (ValueError, RecursionError) as error:
        raise PullFailed(f"{action}: the answer is no JSON") from error
    if not isinstance(found, dict):
        raise PullFailed(f"{action}: the answer is no object")
    return found


def _pulled(message: object) -> Pulled:
    fields = message if isinstance(message, dict) else {}
    body, handle = fields.get("Body"), fields.get("ReceiptHandle")
    if not isinstance(body, str) or not isinstance(handle, str):
        raise PullFailed("ReceiveMessage: a message without a body or a handle")
    headers = {"x-amz-sqs-message-id": str(fields.get("MessageId") or "")}
    return Pulled(body.encode("utf-8", "surrogatepass"), headers, handle)
