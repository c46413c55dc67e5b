"""The interpreter role: turns stored receipts into events. Any number may run."""

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from postroom.feedback.reading import read_receipt
from postroom.ledger import receipts
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.events import Change

log = logging.getLogger(__name__)

RECEIPTS_PER_STEP = 200
"""Receipts of one transaction at most; the ledger takes fewer when they are large."""
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


@dataclass(frozen=True, slots=True)
class Replayed:
    """What it came to when all stored receipts were read again."""

    receipts: int
    new: int
    """Events that an earlier reading did not find."""
    changes: Mapping[Change, int]


def replay(*, keep: bool = True) -> Replayed:
    """Read all stored receipts again with today's rules; the facts stay as they are.

    Without `keep` the readings stay too, and only what would change is told.
    """
    read = new = 0
    changes: Counter[Change] = Counter()
    after = _BEFORE_ALL
    while step := receipts.reinterpret(after, RECEIPTS_PER_STEP, read_receipt, keep=keep):
        after, read, new = step.last, read + step.receipts, new + step.new
        changes.update(step.changes)
    return Replayed(read, new, changes)
