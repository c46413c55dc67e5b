"""Puts receipts and hits on disk: into the ledger, or into the spool while that is away."""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from functools import cache
from uuid import UUID

from postroom.feedback.known_accounts import KnownAccounts
from postroom.feedback.ledger_watch import PATIENCE_S, LedgerWatch
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.draining import drain
from postroom.ledger.hit_intake import NewHit
from postroom.ledger.intake import NewReceipt
from postroom.ledger.spool import spool
from postroom.ledger.spool_frames import Item
from postroom.ledger.writer import store_hit, store_receipt

log = logging.getLogger(__name__)


class Keeping:
    """What one process of the web role knows and does about receipts and hits."""

    def __init__(self) -> None:
        self._watch = LedgerWatch()
        self._spool = spool()
        self.accounts = KnownAccounts(self._watch)

    def keep(self, receipt: NewReceipt) -> None:
        """Returns when the receipt is on disk; raises SpoolUnavailable when it is nowhere.

        A commit that only comes after our patience has ended stores the same receipt, once.
        """
        self._keep(receipt, lambda: store_receipt(receipt))

    def keep_hit(self, hit: NewHit) -> None:
        """As `keep`, for a hit."""
        self._keep(hit, lambda: store_hit(hit))

    def _keep(self, item: Item, store: Callable[[], Future[UUID]]) -> None:
        if not (self._watch.is_worth_a_try() and self._is_stored(store())):
            self._spool.append(item)

    def _is_stored(self, storing: Future[UUID]) -> bool:
        try:
            storing.result(PATIENCE_S)
        except (LedgerUnavailable, FutureTimeout) as error:
            log.warning("what comes in is spooled: %s", error or "no commit in time")
            self._watch.failed()
            return False
        self._watch.answered()
        return True

    def drain(self) -> None:
        """Bring what was spooled into the ledger; raises LedgerUnavailable."""
        stored = drain(self._spool)
        if stored:
            log.info("%d of what was spooled are stored", stored)


_one_at_a_time = threading.Lock()


def keeping() -> Keeping:
    """This process's own; threads come all at once, and a second one would lock a second file."""
    with _one_at_a_time:
        return _made()


@cache
def _made() -> Keeping:
    return Keeping()


def forget() -> None:
    """Know nothing of the accounts any more; the next call begins anew."""
    _made.cache_clear()
