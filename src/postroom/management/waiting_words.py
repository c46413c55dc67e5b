"""Whether words that have reached us may still wait to be read: until then silence is none.

After an outage receipts lie in the spool, or unread in the ledger, of events that are long past.
Who decides by silence before they are read decides by words that were said in time.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from postroom.ledger import receipts
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.spool import Spool, spool

log = logging.getLogger(__name__)

UNREAD = timedelta(seconds=10)
"""A receipt that was received longer ago and is unread waits; younger ones always are about."""
RETURN_S = 10.0
"""After the ledger was away: the web role of another machine looks every two seconds whether it
can bring in its spool, which lies where only that machine sees it."""
ALARM_S = 300.0
WAIT_S_MAX = 3600.0
"""After this the deciding goes on: an interpreter that is gone must not hold back urgent mail."""


@dataclass(slots=True)
class WaitingWords:
    """What one clock knows of words that wait."""

    spooled: Callable[[], Spool] = spool
    now_s: Callable[[], float] = time.monotonic
    _away_at: float | None = None
    _since: float | None = None
    """When words were first seen to wait; None: none wait."""
    _is_told: bool = False

    def are_read(self) -> bool:
        """Whether silence may be acted on now; raises LedgerUnavailable.

        Also when they have waited for longer than an hour, with an alarm.
        """
        where = self._where()
        if where is None:
            self._since, self._is_told = None, False
            return True
        return self._has_waited_too_long(where)

    def _where(self) -> str | None:
        now = self.now_s()
        # The spool is looked at first: what leaves it meanwhile is found in the ledger.
        if self.spooled().waiting():
            return "in the spool"
        try:
            is_behind = receipts.wait_unread(UNREAD)
        except LedgerUnavailable:
            self._away_at = now
            raise
        if is_behind:
            return "unread in the ledger"
        if self._away_at is not None and now - self._away_at < RETURN_S:
            return "perhaps in the spool of another machine"
        return None

    def _has_waited_too_long(self, where: str) -> bool:
        now = self.now_s()
        self._since = now if self._since is None else self._since
        waited_s = now - self._since
        if waited_s >= ALARM_S and not self._is_told:
            self._is_told = True
            log.error(
                "ALARM notifications have waited %s for %.0f minutes; until they are read, for an"
                " hour at most, nothing is decided by silence",
                where,
                waited_s / 60,
            )
        return waited_s >= WAIT_S_MAX
