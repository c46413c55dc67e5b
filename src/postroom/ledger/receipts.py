"""From stored receipts to events: claimed, read, recorded and marked in one transaction."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import accumulate
from uuid import UUID

import psycopg

from postroom.domain.delivery import EventType
from postroom.domain.reason_table import Suppress
from postroom.ledger.blobs import decompress
from postroom.ledger.copying import json_text
from postroom.ledger.db import Connection, connection, transaction
from postroom.ledger.events import Change, NewEvent, Recorded, from_json, record, to_json
from postroom.ledger.judging import Told, judge
from postroom.ledger.retrying import again_on_deadlock
from postroom.ledger.tallies import count

log = logging.getLogger(__name__)

STEP_BYTES_MAX = 1024 * 1024
"""After this much no further receipt joins a transaction: some 2,500 events."""
ORPHAN_RETRIES_S = (5, 30, 300, 3600, 6 * 3600)
"""Waits before an orphan is tried again; the last one repeats, for days."""
ORPHAN_KEPT = timedelta(days=30)
"""After this an orphan is no longer tried; it stays, and is counted."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """A stored notification."""

    id: UUID
    account_id: int
    account: str
    provider: str
    simulated: bool
    received_at: datetime
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    """A receipt after it was read: its events, or why it could not be read."""

    receipt: Receipt
    events: Sequence[NewEvent] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Reread:
    """What it came to when some receipts were read again."""

    last: UUID
    receipts: int
    new: int
    """Events that an earlier reading did not find."""
    changes: Mapping[Change, int]


Reader = Callable[[Receipt], ReadReceipt]


def interpret_new(limit: int, read: Reader) -> int:
    """How many new receipts were turned into events; `read` is pure and may not block.

    One receipt that the ledger cannot take never stops the others: it is marked and kept.
    """
    try:
        return _interpret(limit, read)
    except psycopg.Error:
        log.exception("receipts could not be recorded together; now one by one")
        return _interpret_one(read)


@again_on_deadlock
def _interpret(limit: int, read: Reader) -> int:
    with transaction() as conn:
        receipts = _claim(conn, limit)
        if receipts:
            _apply(conn, [read(receipt) for receipt in receipts], reread=False)
        return len(receipts)


@again_on_deadlock
def _interpret_one(read: Reader) -> int:
    with transaction() as conn:
        receipts = _claim(conn, 1)
        for receipt in receipts:
            try:
                with conn.transaction():
                    _apply(conn, [read(receipt)], reread=False)
            except psycopg.DataError as error:
                log.exception("ALARM receipt %s cannot be recorded", receipt.id)
                why = f"the ledger refused its events: {type(error).__name__}"
                _mark(conn, [ReadReceipt(receipt, error=why)])
        return len(receipts)


@again_on_deadlock
def reinterpret(after: UUID, limit: int, read: Reader, *, keep: bool = True) -> Reread | None:
    """Read the next receipts after this id again, at most `limit` of them; None: there are none.

    Without `keep` the ledger stays as it is, and only what would change is told.
    """
    reread = None
    with transaction() as conn:
        ids = _no_more_than_a_step(
            conn.execute(
                "SELECT id, size_bytes FROM receipt WHERE id > %s ORDER BY id LIMIT %s",
                (after, limit),
            ).fetchall()
        )
        if ids:
            done = _apply(conn, [read(receipt) for receipt in _select(conn, ids)], reread=True)
            reread = Reread(ids[-1], len(ids), done.new, done.changes)
        if not keep:
            raise psycopg.Rollback
    return reread


def _claim(conn: Connection, limit: int) -> list[Receipt]:
    """The oldest new receipts, no more than one transaction should hold."""
    rows = conn.execute(
        "SELECT id, size_bytes FROM receipt"
        " WHERE stage = 'new'"
        " ORDER BY id LIMIT %s"
        "   FOR UPDATE SKIP LOCKED",
        (limit,),
    ).fetchall()
    ids = _no_more_than_a_step(rows)
    return _select(conn, ids) if ids else []


def _no_more_than_a_step(rows: Sequence[tuple[UUID, int]]) -> list[UUID]:
    """The first of these receipts whose bytes one transaction may hold; always one."""
    ends = accumulate(size_bytes for _, size_bytes in rows)
    return [id for (id, size), end in zip(rows, ends, strict=True) if end - size < STEP_BYTES_MAX]


def _select(conn: Connection, ids: Sequence[UUID]) -> list[Receipt]:
    rows = conn.execute(
        "SELECT receipt.id, account_id, account.name, provider, simulated, received_at, headers,"
        "       zlib"
        "  FROM receipt"
        "  JOIN account ON account.id = receipt.account_id"
        " WHERE receipt.id = ANY(%s)"
        " ORDER BY receipt.id",
        (list(ids),),
    )
    return [
        Receipt(id, account_id, account, provider, simulated, at, headers, decompress(kept))
        for id, account_id, account, provider, simulated, at, headers, kept in rows
    ]


def _apply(conn: Connection, read: Sequence[ReadReceipt], *, reread: bool) -> Recorded:
    events = [event for one in read for event in one.events]
    recorded = record(conn, events, reread=reread)
    _keep_orphans(conn, recorded.orphans, {one.receipt.id: one.receipt for one in read})
    _mark(conn, read)
    count(conn, "events_new", "", recorded.new)
    count(conn, "events_repeated", "", recorded.repeated)
    for provider_type in {event.provider_type for event in events if event.type == "unknown"}:
        unknown = [e for e in events if e.type == "unknown" and e.provider_type == provider_type]
        count(conn, "events_unknown", provider_type[:100], len(unknown))
    return recorded


def _mark(conn: Connection, read: Sequence[ReadReceipt]) -> None:
    """Receipts that gave the same number of events share a statement."""
    groups: dict[tuple[int, str | None], list[UUID]] = {}
    for one in read:
        groups.setdefault((len(one.events), one.error), []).append(one.receipt.id)
    for (events, error), ids in groups.items():
        conn.execute(
            "UPDATE receipt SET stage = %s, events = %s, error = %s WHERE id = ANY(%s)",
            ("unreadable" if error else "read", events, error, ids),
        )


def _keep_orphans(
    conn: Connection, orphans: Sequence[NewEvent], receipts: Mapping[UUID, Receipt]
) -> None:
    """Kept and tried again; one that condemns an address takes effect at once."""
    if not orphans:
        return
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO orphan (account_id, receipt_id, receipt_start, receipt_length,"
            "                    address_key, heard, first_heard_at, next_try_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, now() + make_interval(secs => %s))"
            " ON CONFLICT (receipt_id, receipt_start) DO NOTHING",
            [
                (
                    event.account_id,
                    event.receipt_id,
                    event.receipt_start,
                    event.receipt_length,
                    event.address_key,
                    json_text(to_json(event)),
                    event.received_at,
                    ORPHAN_RETRIES_S[0],
                )
                for event in orphans
            ],
        )
    judge(
        conn,
        [
            _told(event, event.address_key, receipts[event.receipt_id].simulated)
            for event in orphans
            if event.address_key is not None and _condemns(event)
        ],
    )
    count(conn, "orphans", "", len(orphans))


def _condemns(event: NewEvent) -> bool:
    """Whether it speaks by itself against the address it names; the rest waits for its delivery."""
    is_named = event.signed and event.handover_id is None
    at_once = event.suppress != Suppress.ON_REPEAT and event.type != EventType.UNSUBSCRIBED
    return is_named and at_once and event.suppression_reason is not None


def _told(event: NewEvent, key: str, simulated: bool) -> Told:
    return Told(
        simulated=simulated,
        address_key=key,
        type=event.type,
        reason=event.suppression_reason,
        at_once=True,
        machine=event.machine,
        at=event.received_at,
        heard_at=event.received_at,
        delivery_id=None,
        event_digest=None,
        receipt_id=event.receipt_id,
    )


@again_on_deadlock
def retry_orphans(limit: int) -> int:
    """How many orphans found their delivery this time."""
    with transaction() as conn:
        rows = conn.execute(
            "SELECT id, heard, tries FROM orphan"
            " WHERE next_try_at <= now() AND first_heard_at > now() - %s"
            " ORDER BY next_try_at LIMIT %s"
            "   FOR UPDATE SKIP LOCKED",
            (ORPHAN_KEPT, limit),
        ).fetchall()
        joined = _joined(conn, [(id, from_json(heard)) for id, heard, _ in rows])
        conn.execute("DELETE FROM orphan WHERE id = ANY(%s)", (joined,))
        _postpone(conn, [(id, tries) for id, _, tries in rows if id not in set(joined)])
        return len(joined)


def _joined(conn: Connection, orphans: Sequence[tuple[int, NewEvent]]) -> list[int]:
    """Those that found their delivery; one that the ledger cannot take never stops the others."""
    try:
        with conn.transaction():
            missing = {_place(one) for one in record(conn, [one for _, one in orphans]).orphans}
            return [id for id, one in orphans if _place(one) not in missing]
    except psycopg.DataError:
        if len(orphans) == 1:
            log.exception("ALARM orphan %d cannot be recorded", orphans[0][0])
            return []
    half = len(orphans) // 2
    return [*_joined(conn, orphans[:half]), *_joined(conn, orphans[half:])]


def _place(event: NewEvent) -> tuple[UUID, int]:
    return event.receipt_id, event.receipt_start


def _postpone(conn: Connection, orphans: Iterable[tuple[int, int]]) -> None:
    for id, tries in orphans:
        wait_s = ORPHAN_RETRIES_S[min(tries + 1, len(ORPHAN_RETRIES_S) - 1)]
        conn.execute(
            "UPDATE orphan SET tries = tries + 1, next_try_at = now() + make_interval(secs => %s)"
            " WHERE id = %s",
            (wait_s, id),
        )


def waiting() -> int:
    """New receipts not yet read, counted up to ten thousand."""
    with connection() as conn:
        row = conn.execute(
            "SELECT count(*) FROM (SELECT FROM receipt WHERE stage = 'new' LIMIT 10000) AS few"
        ).fetchone()
    return row[0] if row else 0


def wait_unread(longer_than: timedelta) -> bool:
    """Whether the oldest unread receipt was received longer ago than that.

    One by its id is enough: it holds the instant of receiving, in the spool too.
    """
    with connection() as conn:
        row = conn.execute(
            "SELECT received_at < now() - %s FROM receipt WHERE stage = 'new' ORDER BY id LIMIT 1",
            (longer_than,),
        ).fetchone()
    return row is not None and bool(row[0])
