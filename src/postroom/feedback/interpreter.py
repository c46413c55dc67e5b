"""The interpreter role: turns stored receipts into events. Any number may run."""

import logging
import threading
from uuid import UUID

from django.conf import settings

from postroom.feedback.reading import read_receipt
from postroom.ledger import receipts
from postroom.ledger.db import LedgerUnavailable

log = logging.getLogger(__name__)

RECEIPTS_PER_STEP = 200
"""Receipts of one transaction at most; the ledger takes fewer when they are large."""
RETRY_S = 1.0
_BEFORE_ALL = UUID(int=0)


def serve(stop: threading.Event) -> None:
    """Read new receipts as they come until told to stop.

    New ones are looked for at short intervals: a look at an empty partial index costs less than
    a notification's instance-wide lock at every commit.
    """
    while not stop.is_set():
        if not _step():
            stop.wait(settings.POSTROOM_IDLE_POLL_S)


def _step() -> int:
    try:
        return receipts.interpret_new(RECEIPTS_PER_STEP, read_receipt)
    except LedgerUnavailable as error:
        log.warning("interpreter: the ledger is away: %s", error)
        return 0


def replay() -> int:
    """How many stored receipts were read again with today's rules; the facts stay as they are."""
    done = 0
    after: UUID | None = _BEFORE_ALL
    while after is not None:
        after, read = receipts.reinterpret(after, RECEIPTS_PER_STEP, read_receipt)
        done += read
    return done
