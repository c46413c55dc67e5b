"""Puts receipts on disk: into the ledger, or into the spool while that is away."""

import logging
from concurrent.futures import TimeoutError as FutureTimeout
from functools import cache

from postroom.feedback.known_accounts import KnownAccounts
from postroom.feedback.ledger_watch import PATIENCE_S, LedgerWatch
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.draining import drain
from postroom.ledger.intake import NewReceipt
from postroom.ledger.spool import spool
from postroom.ledger.writer import store_receipt

log = logging.getLogger(__name__)


class Keeping:
    """What one process of the web role knows and does about receipts."""

    def __init__(self) -> None:
        self._watch = LedgerWatch()
        self.accounts = KnownAccounts(self._watch)

    def keep(self, receipt: NewReceipt) -> None:
        """Returns when the receipt is on disk; raises SpoolUnavailable when it is nowhere.

        A commit that only comes after our patience has ended stores the same receipt, once.
        """
        if not (self._watch.is_worth_a_try() and self._is_stored(receipt)):
            spool().append(receipt)

    def _is_stored(self, receipt: NewReceipt) -> bool:
        try:
            store_receipt(receipt).result(PATIENCE_S)
        except (LedgerUnavailable, FutureTimeout) as error:
            log.warning("notifications are spooled: %s", error or "no commit in time")
            self._watch.failed()
            return False
        self._watch.answered()
        return True

    def look_after(self) -> None:
        """Keep the accounts known, and bring what was spooled into the ledger."""
        self.accounts.refresh()
        stored = drain(spool())
        if stored:
            log.info("%d spooled notifications were stored", stored)


@cache
def keeping() -> Keeping:
    """This process's own."""
    return Keeping()
