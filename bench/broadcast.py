"""One call to 100,000 recipients, against a raw COPY of the same rows into the same tables."""

import json
import time

import psycopg

from bench import cpu
from bench.http_client import load, post
from bench.rig import Rig
from bench.table import Row

RUNS = 5
RECIPIENTS = 100_000
_TABLES = {"message": "id", "blob": "message_id", "delivery": "message_id"}


def one_call(rig: Rig, scale: float) -> list[Row]:
    """Seconds from the first byte of the request to the answer after the commit."""
    recipients = int(scale * RECIPIENTS)
    request = post("/v1/messages", body(recipients), [f"Authorization: Bearer {rig.key}"])
    with rig.role("web", rig.http_port) as web:
        pids = {"web": web, **rig.database}
        before = cpu.used_s(pids)
        ours = [load(rig.http_port, [request], 1, 202).took_s for _ in range(RUNS)]
        cost = cpu.per_unit(before, cpu.used_s(pids), RUNS * recipients)
        raw = [_copied_again() for _ in range(RUNS)]
    what, against = f"one call to {recipients:,} recipients", "raw COPY of the same rows"
    note = f"one recipient costs {cost}"
    return [Row(what, "s", ours, against, raw, most=5, note=note)]


def _copied_again() -> float:
    """Seconds that COPY takes for the rows of the message accepted last, taken out before."""
    from django.conf import settings

    with psycopg.connect(settings.POSTROOM_DATABASE_DSN) as conn:
        [(id,)] = conn.execute("SELECT id FROM message ORDER BY id DESC LIMIT 1")
        kept = {table: _taken_out(conn, table, f"{key} = '{id}'") for table, key in _TABLES.items()}
        conn.commit()
        began = time.perf_counter()
        for table, rows in kept.items():
            with conn.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(rows)
        conn.commit()
        return time.perf_counter() - began


def _taken_out(conn: psycopg.Connection, table: str, which: str) -> bytes:
    with conn.cursor().copy(f"COPY (SELECT * FROM {table} WHERE {which}) TO STDOUT") as copy:
        rows = b"".join(copy)
    conn.execute(f"DELETE FROM {table} WHERE {which}")
    return rows


def body(recipients: int) -> bytes:
    """A mail to so many, each with fields of their own."""
    text = "Dear {{ name }}, the prices change on 1 December. " * 20
    mail = {
        "from": "Shop <shop@example.org>",
        "to": [
            {
                "email": f"p{n}@example.com",
                "name": f"P {n}",
                "vars": {"name": f"P {n}"},
                "ref": f"{n}",
            }
            for n in range(recipients)
        ],
        "subject": "New prices",
        "text": text,
        "html": f"<p>{text}</p>",
        "communication": "prices",
    }
    return json.dumps(mail).encode()
