"""What each worker of the web role does beside answering; see `keeping`."""

import logging
import threading

from postroom.feedback.keeping import keeping
from postroom.ledger.db import LedgerUnavailable

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""A look costs one listing of a directory, and every five seconds the accounts are asked for."""


def serve(stop: threading.Event) -> None:
    """Look after what is kept until told to stop.

    This is the web role's own: the spool lies on its machine's disk, and the accounts must be
    known before the ledger goes away, not when the first notification finds it gone.
    """
    while not stop.is_set():
        _look()
        stop.wait(LOOK_S)


def _look() -> None:
    try:
        keeping().look_after()
    except LedgerUnavailable as error:
        log.warning("spooled notifications wait, the ledger is away: %s", error)
    except Exception:
        log.exception("ALARM the spool cannot be looked after")
