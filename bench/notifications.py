"""Webhook events a second, from stored receipts to verdicts, against raw SQL of the same writes."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import psycopg

from bench.rig import Rig
from bench.table import Row

RUNS = 5
DELIVERIES = 10_000
PER_RECEIPT = 1_000


def interpreted(_: Rig, scale: float) -> list[Row]:
    """Two events for each delivery, from stored receipts to verdicts."""
    from tests.ledger import making

    deliveries = int(scale * DELIVERIES)
    ours: list[float] = []
    raw: list[float] = []
    account_id = making.account()
    for _run in range(RUNS):
        handovers = handed_over(deliveries)
        store(account_id, handovers)
        ours.append(interpreted_per_s(2 * deliveries))
        raw.append(_written_again(2 * deliveries))
    against = "raw SQL: COPY of the events, UPDATE of the verdicts"
    return [Row("webhook events to verdicts", "/s", ours, against, raw, least=0.5)]


def handed_over(deliveries: int) -> list[UUID]:
    """The hand-over ids of a new broadcast that was taken by the provider."""
    from tests.ledger import making

    addresses = [f"p{n}@example.com" for n in range(deliveries)]
    making.accept(making.new_message(making.application(f"bench-{time.time_ns()}"), addresses))
    attempt = making.begin(making.claim(deliveries))
    making.settle(attempt)
    return [handover.id for handover in attempt.handovers]


def store(account_id: int, handovers: Sequence[UUID]) -> None:
    """Store receipts of two events about each, as the account's provider tells them."""
    from postroom.ledger.intake import NewReceipt
    from postroom.ledger.writer import store_receipt

    for event in ("processed", "delivered"):
        for start in range(0, len(handovers), PER_RECEIPT):
            told = [_told(id, event) for id in handovers[start : start + PER_RECEIPT]]
            receipt = NewReceipt(account_id, datetime.now(UTC), {}, json.dumps(told).encode())
            store_receipt(receipt).result(30)


def _told(handover_id: UUID, event: str) -> dict[str, object]:
    return {
        "email": "p@example.com",
        "timestamp": 1_790_000_000,
        "event": event,
        "sg_event_id": f"{event}-{handover_id}",
        "sg_message_id": "14c5d75ce93.dfd.64b469.filter0001.16648.5515E0B88.0",
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>",
        "response": "250 2.0.0 OK 1790000000 m143si2210036ioe.159 - gsmtp",
        "postroom_handover": str(handover_id),
    }


def interpreted_per_s(events: int) -> float:
    """Events a second, of all that are stored."""
    from postroom.feedback.interpreter import RECEIPTS_PER_STEP
    from postroom.feedback.reading import read_receipt
    from postroom.ledger import receipts

    began = time.perf_counter()
    while receipts.interpret_new(RECEIPTS_PER_STEP, read_receipt):
        pass
    return events / (time.perf_counter() - began)


def _written_again(events: int) -> float:
    """Events a second when their rows are only copied and the verdicts only set."""
    from django.conf import settings

    with psycopg.connect(settings.POSTROOM_DATABASE_DSN) as conn:
        rows = "COPY (SELECT * FROM event ORDER BY grade, delivery_id) TO STDOUT"
        with conn.cursor().copy(rows) as copy:
            lines = b"".join(copy).splitlines(keepends=True)
        conn.execute("TRUNCATE event, receipt")
        conn.execute("UPDATE delivery SET verdict = 'submitted', silent_since = now()")
        conn.commit()
        began = time.perf_counter()
        for start in range(0, events, PER_RECEIPT):
            _write_batch(conn, lines[start : start + PER_RECEIPT], last=2 * start >= events)
        return events / (time.perf_counter() - began)


def _write_batch(conn: psycopg.Connection, lines: list[bytes], *, last: bool) -> None:
    ids = [line.split(b"\t", 1)[0].decode() for line in lines]
    with conn.cursor().copy("COPY event FROM STDIN") as copy:
        copy.write(b"".join(lines))
    conn.execute(
        "UPDATE delivery SET verdict = %s, silent_since = %s, changed_at = now()"
        " WHERE id = ANY(%s::uuid[])",
        ("delivered" if last else "submitted", None if last else datetime.now(UTC), ids),
    )
    conn.commit()
