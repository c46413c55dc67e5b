"""Amazon SQS: asked by signed JSON; what it gave stays there until it is let go."""

import asyncio
from datetime import UTC, datetime

import pytest

from postroom.providers.base import Pulled, PullFailed
from postroom.providers.ses import SqsPuller
from postroom.providers.ses.signature import Keys, signed
from tests.fake_sqs import FakeQueue, fake_queue
from tests.providers.ses_making import KEYS, account


def received(queue: FakeQueue, *, let_go: bool = False) -> list[Pulled]:
    """What one question brings, let go or not."""

    async def ask() -> list[Pulled]:
        puller = SqsPuller(wait_s=0)
        async with fake_queue(queue):
            of = account({"queue_url": queue.url})
            try:
                pulled = await puller.receive(of)
                if let_go:
                    await puller.let_go(of, pulled)
                return pulled
            finally:
                await puller.close()

    return asyncio.run(ask())


def test_up_to_ten_notifications_come_with_one_question() -> None:
    pulled = received(FakeQueue([f"body \u20ac {number}" for number in range(12)]))
    assert [one.body.decode() for one in pulled] == [f"body \u20ac {n}" for n in range(10)]
    assert pulled[3].headers == {"x-amz-sqs-message-id": "m-3"}


def test_an_empty_queue_gives_nothing() -> None:
    assert received(FakeQueue()) == []


def test_what_is_let_go_is_deleted() -> None:
    queue = FakeQueue(["a", "b"])
    received(queue, let_go=True)
    assert queue.deleted == ["h-0", "h-1"]


def test_every_question_is_signed_for_the_queues_service_and_region() -> None:
    queue = FakeQueue()
    received(queue)
    (request,) = queue.asked
    assert "/eu-west-1/sqs/aws4_request" in request.headers["Authorization"]
    at = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    headers = {name: request.headers[name] for name in ("Content-Type", "X-Amz-Target")}
    body = request._read_bytes or b""
    again = signed(Keys.of(KEYS, "sqs"), "POST", f"http://{request.host}/", headers, body, at)
    assert again["Authorization"] == request.headers["Authorization"]


@pytest.mark.parametrize("status", [400, 403, 500, 503])
def test_a_queue_in_trouble_is_said_to_be_so(status: int) -> None:
    with pytest.raises(PullFailed, match=str(status)):
        received(FakeQueue(["a"], status=status))


def test_a_deletion_that_fails_is_no_silent_success() -> None:
    with pytest.raises(PullFailed, match="did not delete"):
        received(FakeQueue(["a"], keeps=True), let_go=True)


def test_nobody_listening_is_said_to_be_so() -> None:
    async def ask() -> None:
        puller = SqsPuller(wait_s=0)
        try:
            await puller.receive(account({"queue_url": "http://127.0.0.1:1/1/q"}))
        finally:
            await puller.close()

    with pytest.raises(PullFailed):
        asyncio.run(ask())
