"""Whether the ledger is worth waiting for: providers give a notification some seconds in all."""

import threading
import time

PATIENCE_S = 2.0
"""How long one notification waits for an answer of the ledger. The shortest time that a provider
allows for the whole of it is 3 s (MailerSend)."""
AWAY_S = 5.0
"""After a failure only one in this time waits for the ledger; the others do without at once."""


class LedgerWatch:
    """What one process has last seen of the ledger."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_away = False
        self._next_try_at = 0.0

    def is_worth_a_try(self) -> bool:
        """Whether the caller is to ask the ledger, and then to say here how that went."""
        with self._lock:
            now = time.monotonic()
            if self._is_away and now < self._next_try_at:
                return False
            self._next_try_at = now + AWAY_S
            return True

    def answered(self) -> None:
        """It was there in time."""
        with self._lock:
            self._is_away = False

    def failed(self) -> None:
        """It was not, or not in time."""
        with self._lock:
            self._is_away = True
            self._next_try_at = time.monotonic() + AWAY_S
