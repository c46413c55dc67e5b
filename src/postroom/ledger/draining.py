"""From the spool into the ledger: at least once, each receipt under the id that it was given."""

import logging
from collections.abc import Iterator, Sequence

import psycopg

from postroom.ledger import gauges
from postroom.ledger.hit_intake import NewHit, store_hits
from postroom.ledger.intake import NewReceipt, store_each_once
from postroom.ledger.spool import Spool, remove, taken
from postroom.ledger.spool_frames import Frame, frames

log = logging.getLogger(__name__)

STEP = 512
STEP_BYTES_MAX = 16 * 1024**2
"""Bodies after which no further receipt joins a transaction."""


def drain(spool: Spool) -> int:
    """How many receipts and hits the ledger has taken; what others write or store is left to them.

    A file is removed when all its receipts are committed, so a reader that is killed only means
    that the next one begins anew. Raises LedgerUnavailable; the spool then waits on.
    """
    if not spool.waiting() or not gauges.is_migrated():
        return 0
    spool.close()
    stored = 0
    for path in spool.waiting():
        with taken(path) as content:
            if content is not None:
                found, unstored = _store(content)
                stored += found
                if unstored:
                    log.error("ALARM %s: %d bytes are set aside", path.stem, len(unstored))
                remove(path, unstored)
    return stored


def _store(content: bytes) -> tuple[int, bytes]:
    """How many of them were stored, and the bytes that could not be read or stored."""
    stored = end = 0
    refused = []
    for step in _steps(frames(content)):
        refused += _refused(step)
        stored += len(step)
        end = step[-1].end
    unstored = b"".join(content[one.start : one.end] for one in refused) + content[end:]
    return stored - len(refused), unstored


def _refused(step: Sequence[Frame]) -> list[Frame]:
    """Those that the ledger can never take, because of what they hold; the others are stored."""
    try:
        receipts = [one.item for one in step if isinstance(one.item, NewReceipt)]
        hits = [one.item for one in step if isinstance(one.item, NewHit)]
        if receipts:
            store_each_once(receipts)
        if hits:
            store_hits(hits)
    except psycopg.DataError:
        if len(step) == 1:
            log.exception("ALARM %s of the spool cannot be stored", step[0].item.id)
            return list(step)
        return [one for each in step for one in _refused([each])]
    return []


def _steps(found: Iterator[Frame]) -> Iterator[list[Frame]]:
    step: list[Frame] = []
    size_bytes = 0
    for frame in found:
        step.append(frame)
        size_bytes += frame.item.size_bytes
        if len(step) == STEP or size_bytes >= STEP_BYTES_MAX:
            yield step
            step, size_bytes = [], 0
    if step:
        yield step
