"""Without the ledger a webhook takes what it can prove into the spool, and makes nobody stop."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg_pool
import pytest
from django.conf import settings
from django.test import Client

from postroom.feedback import housekeeping, known_accounts, ledger_watch
from postroom.feedback import keeping as keeping_module
from postroom.feedback.keeping import Keeping, keeping
from postroom.feedback.ledger_watch import LedgerWatch
from postroom.ledger import accounts
from postroom.ledger.intake import NewReceipt
from postroom.ledger.spool import spool
from postroom.ledger.writer import store_receipt
from tests.feedback.making import Teller, teller
from tests.feedback.topic import Topic, post
from tests.helpers import eventually
from tests.ledger.making import scalar

pytestmark = pytest.mark.usefixtures("ledger", "spooling")

Outage = Callable[[], Any]


@pytest.fixture
def spooling(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A spool, and a memory of accounts, of this test's own; the ledger is always tried."""
    monkeypatch.setattr(settings, "POSTROOM_DATA", data)
    monkeypatch.setattr(ledger_watch, "AWAY_S", 0.0)
    monkeypatch.setattr(known_accounts, "CURRENT_S", 0.0)
    spool.cache_clear()
    keeping_module.forget()
    yield
    spool().close()
    spool.cache_clear()
    keeping_module.forget()


@pytest.fixture
def outage() -> Iterator[Outage]:
    """Inside, nothing listens where the database was; gives the pool that is asked in vain."""

    @contextmanager
    def away() -> Iterator[psycopg_pool.ConnectionPool]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("postroom.ledger.db._pool", lambda: nowhere)
            yield nowhere

    with psycopg_pool.ConnectionPool(
        "host=127.0.0.1 port=1", min_size=0, max_size=1, timeout=0.1, reconnect_timeout=0.1
    ) as nowhere:
        yield away


def receipts() -> int:
    found: int = scalar("SELECT count(*) FROM receipt")
    return found


def known_teller() -> Teller:
    """A teller who was heard before the ledger went away."""
    provider = teller()
    assert provider.tell().status_code == 200
    return provider


@contextmanager
def looking_after() -> Iterator[None]:
    """What each worker does beside answering."""
    stop = threading.Event()
    thread = threading.Thread(target=housekeeping.serve, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_what_is_spooled_in_an_outage_is_stored_by_itself_afterwards(
    outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "LOOK_S", 0.01)
    monkeypatch.setattr(housekeeping, "AFTER_FAILURE_S", 0.01)
    provider = known_teller()
    with looking_after():
        with outage() as nowhere:
            assert provider.tell().status_code == 200
            eventually(lambda: nowhere.get_stats()["requests_errors"] > 5)
        eventually(lambda: spool().held().size_bytes == 0)
    assert receipts() == 2


def test_a_notification_is_spooled_without_credentials_and_stored_when_the_ledger_is_back(
    outage: Outage,
) -> None:
    provider = known_teller()
    with outage():
        assert provider.post(b'[{"event": "spooled"}]').status_code == 200
        assert spool().held().oldest_at is not None
    keeping().drain()
    assert spool().held().size_bytes == 0
    assert receipts() == 2
    headers = scalar("SELECT headers FROM receipt ORDER BY id DESC LIMIT 1")
    assert "x-twilio-email-event-webhook-signature" in headers
    assert "authorization" not in headers


def test_before_the_ledger_was_ever_asked_a_notification_is_to_be_repeated(outage: Outage) -> None:
    provider = teller()
    with outage():
        assert provider.tell().status_code == 503
    assert spool().held().size_bytes == 0


def test_a_worker_knows_the_accounts_before_it_hears_of_any(outage: Outage) -> None:
    provider = teller()
    with looking_after():
        eventually(lambda: keeping().accounts._asked_at)
    with outage():
        assert provider.tell().status_code == 200


def test_accounts_are_remembered_for_a_bounded_time(
    outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = known_teller()
    monkeypatch.setattr(known_accounts, "REMEMBERED_S", 0.0)
    with outage():
        assert provider.tell().status_code == 503
    assert spool().held().size_bytes == 0


@pytest.mark.parametrize(
    "changes",
    [{"secret": "renewed"}, {"account": "new"}, {"signature": "AAAA"}],
    ids=["secret", "account", "signature"],
)
def test_what_may_only_be_unknown_by_now_is_to_be_repeated_and_not_spooled(
    outage: Outage, changes: dict[str, str]
) -> None:
    provider = known_teller()
    with outage():
        assert provider.tell(**changes).status_code == 503
    assert spool().held().size_bytes == 0
    assert scalar("SELECT count(*) FROM refused_receipt") == 0


@pytest.mark.parametrize(("provider", "status"), [("brevo", 429), ("mailjet", 503)])
def test_a_full_spool_is_told_by_the_status_that_makes_this_provider_repeat(
    provider: str, status: int, outage: Outage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "POSTROOM_SPOOL_BYTES_MAX", 10)
    path = f"/feedback/main/{accounts.add('main', provider, False, {'api_key': 'x'})}"
    body = {"event": "delivered", "email": "ann@example.com"}
    assert Client().post(path, body, content_type="application/json").status_code == 200
    with outage():
        answer = Client().post(path, body, content_type="application/json")
        assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert receipts() == 1


def test_a_disk_that_takes_nothing_makes_the_provider_repeat(outage: Outage, data: Path) -> None:
    provider = known_teller()
    (data / "spool").write_bytes(b"no directory")
    with outage():
        assert provider.tell().status_code == 503


def test_a_commit_that_takes_too_long_is_not_waited_for_and_stores_no_second_receipt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    committed = []

    def late(receipt: NewReceipt) -> Any:
        committed.append(store_receipt(receipt))
        return committed[-1]

    provider = known_teller()
    monkeypatch.setattr(keeping_module, "store_receipt", late)
    monkeypatch.setattr(keeping_module, "PATIENCE_S", 0.0)
    assert provider.tell().status_code == 200
    assert committed.pop().result(10)
    assert spool().held().oldest_at is not None
    keeping().drain()
    assert (receipts(), spool().held().size_bytes) == (2, 0)


def test_a_confirmation_is_made_though_it_is_only_spooled(
    topic: Topic, path: str, outage: Outage
) -> None:
    assert post(path, topic.envelope()).status_code == 200
    with outage():
        assert post(path, topic.confirmation()).status_code == 200
    assert len(topic.visits) == 1
    keeping().drain()
    assert receipts() == 2


def test_while_the_ledger_is_away_only_one_in_a_while_waits_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ledger_watch, "AWAY_S", 60.0)
    watch = LedgerWatch()
    assert [watch.is_worth_a_try() for _ in range(3)] == [True, True, True]
    watch.failed()
    assert not watch.is_worth_a_try()
    watch._next_try_at = time.monotonic()
    assert [watch.is_worth_a_try() for _ in range(3)] == [True, False, False]
    watch.answered()
    assert [watch.is_worth_a_try() for _ in range(3)] == [True, True, True]


def test_a_ledger_that_does_not_answer_is_asked_one_question_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, answering = [], threading.Event()

    def hang() -> list[accounts.AccountRow]:
        asked.append(1)
        answering.wait(10)
        return []

    monkeypatch.setattr(known_accounts, "PATIENCE_S", 0.001)
    monkeypatch.setattr(accounts, "all_accounts", hang)
    known = Keeping().accounts
    for _ in range(5):
        known.refresh()
    answering.set()
    assert len(asked) == 1
    assert not known.are_current()
