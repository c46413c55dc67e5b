"""What each worker of the web role does beside answering; see `keeping`."""

import logging
import threading
from collections.abc import Callable

from postroom.feedback.keeping import keeping
from postroom.ledger.db import LedgerUnavailable

log = logging.getLogger(__name__)

LOOK_S = 1.0
"""A look costs one listing of a directory, and every five seconds the accounts are asked for."""
AFTER_FAILURE_S = 2.0


def serve(stop: threading.Event) -> None:
    """Look after what is kept until told to stop.

    This is the web role's own: the spool lies on its machine's disk, and the accounts must be
    known before the ledger goes away, not when the first notification finds it gone.
    """
    while not stop.is_set():
        is_well = [_does(keeping().accounts.refresh), _does(keeping().drain)]
        stop.wait(LOOK_S if all(is_well) else AFTER_FAILURE_S)


def _does(step: Callable[[], None]) -> bool:
    try:
        step()
    except LedgerUnavailable as error:
        log.warning("spooled notifications wait, the ledger is away: %s", error)
    except Exception:
        log.exception("ALARM a worker's housekeeping fails")
    else:
        return True
    return False
