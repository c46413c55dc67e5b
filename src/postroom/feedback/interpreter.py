"""The interpreter role: turns stored receipts and hits into events. Any number may run."""

import logging
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from postroom.domain.engagement import judged
from postroom.feedback.reading import read_receipt
from postroom.ledger import hits, receipts
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.events import Change

log = logging.getLogger(__name__)

RECEIPTS_PER_STEP = 200
"""Receipts of one transaction at most; the ledger takes fewer when they are large."""
HITS_PER_STEP = 500
"""Hits of one transaction at most."""
_BEFORE_ALL = UUID(int=0)


def serve(stop: threading.Event) -> None:
    """Read new receipts and judge new hits as they come until told to stop.

    New ones are looked for at short intervals: a look at an empty partial index costs less than
    a notification's instance-wide lock at every commit.
    """
    while not stop.is_set():
        if not _step():
            stop.wait(settings.POSTROOM_IDLE_POLL_S)


def _step() -> int:
    try:
        return receipts.interpret_new(RECEIPTS_PER_STEP, read_receipt) + hits.judge_new(
            HITS_PER_STEP, judged
        )
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

    Without `keep` the readings stay too, and only what receipts would change is told; with it all
    hits are judged anew as well.
    """
    read = new = 0
    changes: Counter[Change] = Counter()
    after = _BEFORE_ALL
    while step := receipts.reinterpret(after, RECEIPTS_PER_STEP, read_receipt, keep=keep):
        after, read, new = step.last, read + step.receipts, new + step.new
        changes.update(step.changes)
    if keep:
        _rejudge()
    return Replayed(read, new, changes)


def _rejudge() -> None:
    """Judge all hits by today's rules."""
    after: UUID | None = _BEFORE_ALL
    while after is not None:
        after = hits.rejudge(after, HITS_PER_STEP, judged)
