"""Group commit: concurrent submissions, receipts and hits of one process share a transaction.

A thread takes everything that waits, writes it with set-based statements, commits, and only then
lets the waiting threads answer. One bad item never sinks its companions: a failed batch is
written again item by item.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from functools import cache
from typing import Any
from uuid import UUID

import psycopg

from postroom.ledger import partitions
from postroom.ledger.acceptance import Acceptance, NewMessage
from postroom.ledger.clock import utc_now
from postroom.ledger.db import LedgerContended, LedgerUnavailable, transaction
from postroom.ledger.hit_intake import NewHit, write_hits
from postroom.ledger.intake import NewReceipt, write_receipts
from postroom.ledger.messages import write_messages

log = logging.getLogger(__name__)

ITEMS_MAX = 512
"""Items that share one commit at most: keeps a commit, and so the wait, short."""
BYTES_MAX = 16 * 1024 * 1024
"""Bytes after which no further item joins a commit."""
COMPANIONS_S = 0.002
"""How long a commit waits for more items where there is more than one: as long as it takes, so
that those who were answered last time come along. An item alone never waits."""

Item = NewMessage | NewReceipt | NewHit


def accept_message(new: NewMessage) -> Future[Acceptance]:
    """The acceptance of a message, once it is on disk.

    The future raises IdempotencyConflict, KeyRevoked or LedgerUnavailable; after the last one
    nothing was acknowledged, and the same idempotency key may be used again.
    """
    return _writer().submit(new)


def store_receipt(new: NewReceipt) -> Future[UUID]:
    """The id of a receipt, once it is on disk; raises LedgerUnavailable.

    After that it may still be stored, and be stored anew under its id by somebody else.
    """
    return _writer().submit(new)


def store_hit(new: NewHit) -> Future[UUID]:
    """The id of a hit, once it is on disk; raises LedgerUnavailable, as `store_receipt` does."""
    return _writer().submit(new)


@cache
def _writer() -> "_Writer":
    return _Writer()


class _Writer:
    """One thread and its queue; started at a process's first submission, never at import."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Item, Future[Any]]] = deque()
        self._wake = threading.Semaphore(0)
        threading.Thread(target=self._run, name="ledger-writer", daemon=True).start()

    def submit(self, item: Item) -> Future[Any]:
        future: Future[Any] = Future()
        # From here on it cannot be cancelled: the item is written whoever still waits for it.
        future.set_running_or_notify_cancel()
        self._waiting.append((item, future))
        self._wake.release()
        return future

    def _run(self) -> None:
        while True:
            self._wake.acquire()
            if len(self._waiting) > 1:
                time.sleep(COMPANIONS_S)
            batch = self._take()
            if batch:
                _write(batch)

    def _take(self) -> list[tuple[Item, Future[Any]]]:
        batch: list[tuple[Item, Future[Any]]] = []
        size_bytes = 0
        while self._waiting and len(batch) < ITEMS_MAX and size_bytes < BYTES_MAX:
            batch.append(self._waiting.popleft())
            size_bytes += batch[-1][0].size_bytes
        for _ in batch[1:]:
            self._wake.acquire()
        return batch


def _write(batch: Sequence[tuple[Item, Future[Any]]]) -> None:
    """Commit a batch and answer its waiters; every future is settled on return."""
    try:
        results = _commit([item for item, _ in batch])
    except LedgerContended as error:
        _write_one_by_one(batch, error)
    except LedgerUnavailable as error:
        # Whether the lost commit happened cannot be told, so it is not tried again here.
        _fail(batch, error)
    except psycopg.Error as error:
        _write_one_by_one(batch, error)
    except BaseException as error:  # the waiters must never hang, whatever this was
        log.exception("a group commit failed")
        _fail(batch, error)
    else:
        for (_, future), result in zip(batch, results, strict=True):
            _settle(future, result)


def _write_one_by_one(batch: Sequence[tuple[Item, Future[Any]]], error: Exception) -> None:
    why = getattr(error, "sqlstate", None) or "contended"
    if len(batch) > 1:
        log.warning("a group commit of %d failed, writing one by one: %s", len(batch), why)
        for item in batch:
            _write([item])
    else:
        log.error("an item could not be stored: %s", why)
        _fail(batch, LedgerUnavailable(f"the ledger refused the item ({why})"))


def _commit(items: Sequence[Item]) -> list[Any]:
    try:
        return _commit_once(items)
    except psycopg.errors.CheckViolation as error:
        if "no partition of relation" not in str(error):
            raise
        partitions.ensure(utc_now())
    except LedgerContended:
        log.info("a group commit met a deadlock and runs again")
    return _commit_once(items)


def _commit_once(items: Sequence[Item]) -> list[Any]:
    """One result per item, in order; an exception instance is that item's own failure."""
    messages = [item for item in items if isinstance(item, NewMessage)]
    receipts = [item for item in items if isinstance(item, NewReceipt)]
    hits = [item for item in items if isinstance(item, NewHit)]
    with transaction() as conn:
        now = utc_now()
        results: dict[type[Item], Iterator[Any]] = {
            NewMessage: iter(write_messages(conn, messages, now) if messages else ()),
            NewReceipt: iter(write_receipts(conn, receipts) if receipts else ()),
            NewHit: iter(write_hits(conn, hits) if hits else ()),
        }
    return [next(results[type(item)]) for item in items]


def _settle(future: Future[Any], result: Any) -> None:
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)


def _fail(batch: Sequence[tuple[Item, Future[Any]]], error: BaseException) -> None:
    for _, future in batch:
        future.set_exception(error)
