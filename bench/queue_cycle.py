"""Claim, begin and settle with a provider that does nothing, against the SQL of the same moves."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import psycopg

from bench import filling
from bench.rig import Rig
from bench.table import Row

RUNS = 5
DELIVERIES = 20_000
BATCH = 500
_NOW = datetime.now(UTC)
_ATTEMPT = "id, message_id, account_id, road, recipients, begun_at, request_segments"
_HANDOVER = (
    "id, delivery_id, attempt_id, account_id, fence, begun_at, request_start, request_length"
)


def cycled(_: Rig, scale: float) -> list[Row]:
    """Deliveries a second from the queue to the recorded result, in batches of 500."""
    deliveries = max(BATCH, int(scale * DELIVERIES))
    ours: list[float] = []
    floor: list[float] = []
    for _run in range(RUNS):
        filling.queue_mail(1, deliveries)
        ours.append(_ours(deliveries))
        filling.queue_mail(1, deliveries)
        floor.append(_floor(deliveries))
    against = "SQL of the same moves and rows"
    return [Row("queue: claim to result", "/s", ours, against, floor, least=0.5)]


def _ours(deliveries: int) -> float:
    from tests.ledger import making

    making.account()
    began = time.perf_counter()
    done = 0
    while claimed := making.claim(BATCH):
        making.settle(making.begin(claimed))
        done += len(claimed)
    _expect(done, deliveries)
    return done / (time.perf_counter() - began)


def _floor(deliveries: int) -> float:
    with filling.connect() as conn:
        group = conn.execute(
            "SELECT message_id, application_id, COALESCE(communication_id, 0)"
            "  FROM delivery WHERE simulated AND lane = 2 AND stage = 'queued' LIMIT 1"
        ).fetchone()
        began = time.perf_counter()
        done = 0
        while group and (ids := _claim(conn, *group[1:])):
            _begin_and_settle(conn, group[0], ids)
            done += len(ids)
        took_s = time.perf_counter() - began
    _expect(done, deliveries)
    return done / took_s


def _expect(done: int, deliveries: int) -> None:
    if done != deliveries:
        raise RuntimeError(f"{done} of {deliveries} deliveries went through")


def _claim(conn: psycopg.Connection, application: int, communication: int) -> list[UUID]:
    rows = conn.execute(
        "UPDATE delivery"
        "   SET stage = 'submitting', lease_until = now() + interval '1 min', fence = fence + 1"
        " WHERE id = ANY (ARRAY("
        "       SELECT id FROM delivery"
        "        WHERE simulated AND lane = 2 AND application_id = %s"
        "          AND COALESCE(communication_id, 0) = %s"
        "          AND stage IN ('queued', 'scheduled') AND due_at <= now()"
        "        ORDER BY due_at, id LIMIT %s FOR UPDATE SKIP LOCKED))"
        " RETURNING id",
        (application, communication, BATCH),
    ).fetchall()
    conn.commit()
    return [id for (id,) in rows]


def _begin_and_settle(conn: psycopg.Connection, message_id: UUID, ids: list[UUID]) -> None:
    [(attempt_id, account_id)] = conn.execute("SELECT uuidv7(), min(id) FROM account")
    conn.execute(
        "UPDATE delivery SET tries = tries + 1, lease_until = now() + interval '1 min'"
        " WHERE id = ANY(%s)",
        (ids,),
    )
    attempt = (attempt_id, message_id, account_id, "sendgrid", len(ids), _NOW, b"request")
    _copy(conn, "attempt", _ATTEMPT, [attempt])
    handovers = [(id, id, attempt_id, account_id, 1, _NOW, 0, 7) for id in ids]
    _copy(conn, "handover", _HANDOVER, handovers)
    conn.commit()
    conn.execute(
        "UPDATE attempt SET ended_at = now(), outcome = 'taken', response_status = 202,"
        "       provider_message_id = %s WHERE id = %s",
        (f"id-{attempt_id}", attempt_id),
    )
    conn.execute(
        "UPDATE delivery SET stage = 'handed', verdict = 'submitted', lease_until = NULL,"
        "       silent_since = now(), changed_at = now() WHERE id = ANY(%s)",
        (ids,),
    )
    conn.commit()


def _copy(
    conn: psycopg.Connection, table: str, columns: str, rows: Sequence[tuple[object, ...]]
) -> None:
    with conn.cursor().copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
