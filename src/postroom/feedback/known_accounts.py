"""The accounts as this process knows them: from before, where the ledger does not tell in time."""

import logging
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from postroom.feedback.ledger_watch import PATIENCE_S, LedgerWatch
from postroom.ledger import accounts
from postroom.ledger.accounts import AccountRow, SealBroken
from postroom.ledger.db import LedgerUnavailable

log = logging.getLogger(__name__)

CURRENT_S = 5.0
"""How long the accounts are not asked for again: each look decrypts their settings."""
REMEMBERED_S = 24 * 3600.0
"""How long they serve without the ledger: longer than it should ever be away, and no secret that
was changed elsewhere meanwhile is good for longer."""

Rows = Mapping[str, AccountRow]


class KnownAccounts:
    """What the ledger last told, and when."""

    def __init__(self, watch: LedgerWatch) -> None:
        self._watch = watch
        self._lock = threading.Lock()
        self._asking: Future[Rows] | None = None
        self._rows: Rows = {}
        self._asked_at: float | None = None

    def find(self, name: str) -> AccountRow | None:
        """The account; None where there was none of that name when the ledger last told.

        Raises LedgerUnavailable when that is too long ago.
        """
        self.refresh()
        if self._age_s() > REMEMBERED_S:
            raise LedgerUnavailable("the accounts cannot be looked up")
        return self._rows.get(name)

    def are_current(self) -> bool:
        """Whether the ledger has told just now; otherwise an account may have changed since."""
        return self._age_s() <= CURRENT_S

    def refresh(self) -> None:
        """Ask the ledger where that is due and it is worth a try; what is known stays else."""
        if self.are_current() or not self._watch.is_worth_a_try():
            return
        began = time.monotonic()
        try:
            rows = self._asked().result(PATIENCE_S)
        except (LedgerUnavailable, FutureTimeout) as error:
            log.warning("the accounts cannot be looked up: %s", error or "no answer in time")
            self._watch.failed()
        else:
            self._rows, self._asked_at = rows, began
            self._watch.answered()

    def _asked(self) -> Future[Rows]:
        """The question that is under way, or else a new one: a connection may hang for long."""
        with self._lock:
            if self._asking is None or self._asking.done():
                self._asking = Future()
                threading.Thread(target=_answer, args=(self._asking,), daemon=True).start()
            return self._asking

    def _age_s(self) -> float:
        return float("inf") if self._asked_at is None else time.monotonic() - self._asked_at


def _answer(asking: Future[Rows]) -> None:
    try:
        asking.set_result({row.name: row for row in accounts.all_accounts()})
    except (LedgerUnavailable, SealBroken) as error:
        asking.set_exception(error)
    except BaseException as error:  # whatever it was, whoever waits is to have it
        log.exception("the accounts cannot be read")
        asking.set_exception(error)
