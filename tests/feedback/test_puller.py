"""The puller: a notification leaves the queue only when its receipt is on disk."""

import asyncio
import json
import threading

import pytest

from postroom.feedback import puller
from postroom.feedback.reading import read_receipt
from postroom.ledger import accounts, receipts
from postroom.ledger.db import LedgerUnavailable
from postroom.providers.base import Account, PullFailed
from postroom.providers.ses import SqsPuller
from tests.fake_sqs import FakeQueue, fake_queue
from tests.helpers import eventually
from tests.ledger import making
from tests.ledger.making import accept, application, claim, new_message, row, scalar

KEYS = {"access_key_id": "AKIDEXAMPLE", "secret_access_key": "secret", "region": "eu-west-1"}


def settings_of(queue: FakeQueue) -> dict[str, str]:
    return {**KEYS, "queue_url": queue.url}


def pull(queue: FakeQueue) -> int:
    """How many notifications one round stores."""

    async def once() -> int:
        asking = SqsPuller(wait_s=0)
        async with fake_queue(queue):
            accounts.change("amazon", settings_of(queue))
            found = accounts.by_name("amazon")
            assert found is not None
            of = Account(found.id, "amazon", "ses", False, found.settings)
            try:
                return await puller.pull_once(asking, of)
            finally:
                await asking.close()

    return asyncio.run(once())


@pytest.fixture(autouse=True)
def amazon(ledger: None) -> None:
    accounts.add("amazon", "ses", False, KEYS)


def test_a_pulled_notification_is_stored_let_go_and_read() -> None:
    accept(new_message(application()))
    attempt = making.begin(claim())
    making.settle(attempt)
    queue = FakeQueue([json.dumps({"eventType": "Holiday", "mail": {"messageId": "x"}})])
    assert pull(queue) == 1
    assert queue.deleted == ["h-0"]
    assert receipts.interpret_new(10, read_receipt) == 1
    assert row(attempt.handovers[0].delivery_id, "verdict")[0] == "submitted"
    assert scalar("SELECT headers ->> 'x-amz-sqs-message-id' FROM receipt") == "m-0"


def test_what_cannot_be_stored_stays_in_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_receipt: object) -> object:
        raise LedgerUnavailable("the database is away")

    monkeypatch.setattr(puller, "store_receipt", fail)
    queue = FakeQueue(["{}"])
    with pytest.raises(LedgerUnavailable):
        pull(queue)
    assert queue.deleted == []


def test_a_failed_deletion_keeps_the_receipt_and_is_told_again() -> None:
    queue = FakeQueue(["{}"], keeps=True)
    with pytest.raises(PullFailed):
        pull(queue)
    assert scalar("SELECT count(*) FROM receipt") == 1


def test_the_role_pulls_from_every_account_with_a_queue_and_ends_soon() -> None:
    stop = threading.Event()
    queue = FakeQueue([f'{{"number":{number}}}' for number in range(25)])

    async def run() -> None:
        async with fake_queue(queue):
            accounts.change("amazon", settings_of(queue))
            role = asyncio.create_task(asyncio.to_thread(puller.serve, stop))
            try:
                await asyncio.to_thread(eventually, lambda: len(queue.deleted) >= 25)
            finally:
                stop.set()
                await asyncio.wait_for(role, 5)

    asyncio.run(run())
    assert scalar("SELECT count(*) FROM receipt") == 25
