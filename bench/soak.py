"""A whole installation at half its pace for minutes, while a snapshot elsewhere is kept open."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from bench.filling import SUBMISSION
from bench.http_client import load, post
from bench.processes import resident_mb
from bench.table import Row
from bench.whole_way import dsn_of, pids_of
from tests.helpers import eventually
from tests.installation import Installation, installed

BURST = 3_000
"""Mails that tell the full pace."""
EVENTS_PER_MAIL = 2
"""That the simulator tells of each."""
CONNECTIONS = 32
PARTS = 6
"""Of the soak; the first is the measure, and during two in the middle the snapshot is open."""
STEADY = 0.95
GROWTH_MAX = 1.1
DEAD_SHARE_MAX = 0.2
_DRAIN_S_MAX = 300.0


@dataclass(frozen=True, slots=True)
class Part:
    """What was seen at the end of one part of the soak."""

    events_per_s: float
    roles_mb: float
    dead: int
    """Rows of deliveries that nothing but an old snapshot can see."""
    live: int


def steady(minutes: float) -> list[Row]:
    """The last part against the first: events, memory of the roles, dead rows."""
    with installed() as one, psycopg.connect(dsn_of(one), autocommit=True) as conn:
        per_s = _full_pace(one, conn) / 2
        with _mails(one, per_s):
            parts = list(_parts(one, conn, 60 * minutes / PARTS))
    first, last, most = parts[0], parts[-1], max(part.dead for part in parts)
    what = f"soak of {minutes:g} min at half pace"
    note = f"{per_s:,.0f} mails/s; up to {most:,} dead rows, {last.dead:,} at the end"
    return [
        Row(f"{what}: events", "/s", [last.events_per_s], "its first part", [first.events_per_s],
            least=STEADY, note=note),
        Row(f"{what}: memory of the roles", "MB", [last.roles_mb], "after its first part",
            [first.roles_mb], most=GROWTH_MAX),
        Row(f"{what}: dead deliveries", "rows", [last.dead], "live ones", [max(1, last.live)],
            most=DEAD_SHARE_MAX),
    ]  # fmt: skip


def _full_pace(one: Installation, conn: psycopg.Connection) -> float:
    """Mails a second that go the whole way when they all come at once."""
    began, events = time.monotonic(), _events(conn)
    load(one.http_port, [_request(one.key)] * BURST, CONNECTIONS, 202)
    wanted = events + EVENTS_PER_MAIL * BURST
    eventually(lambda: _events(conn) >= wanted, _DRAIN_S_MAX, every_s=0.2)
    return BURST / (time.monotonic() - began)


@contextmanager
def _mails(one: Installation, per_s: float) -> Iterator[None]:
    """So many single mails each second, until the end of the block."""
    stop, requests = threading.Event(), [_request(one.key)] * int(per_s)

    def send() -> None:
        due = time.monotonic()
        while not stop.wait(max(0.0, due - time.monotonic())):
            load(one.http_port, requests, CONNECTIONS, 202)
            due += 1

    thread = threading.Thread(target=send, name="mails")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _parts(one: Installation, conn: psycopg.Connection, seconds: float) -> Iterator[Part]:
    """Each part, when it is over."""
    with psycopg.connect(dsn_of(one), autocommit=True) as elsewhere:
        for number in range(PARTS):
            if number == PARTS // 3:
                elsewhere.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
                elsewhere.execute("SELECT FROM message LIMIT 1")
            if number == 2 * PARTS // 3:
                elsewhere.execute("COMMIT")
            events = _events(conn)
            time.sleep(seconds)
            yield Part((_events(conn) - events) / seconds, _roles_mb(one), *_rows(conn))


def _roles_mb(one: Installation) -> float:
    return sum(resident_mb(pid) for role, pid in pids_of(one).items() if role != "PostgreSQL")


def _events(conn: psycopg.Connection) -> int:
    """Events written so far, as the server counts them."""
    [(count,)] = conn.execute(
        "SELECT sum(n_tup_ins) FROM pg_stat_user_tables WHERE relname LIKE 'event\\_2%'"
    )
    return int(count or 0)


def _rows(conn: psycopg.Connection) -> tuple[int, int]:
    """Dead and live rows of deliveries."""
    [(dead, live)] = conn.execute(
        "SELECT sum(n_dead_tup), sum(n_live_tup)"
        "  FROM pg_stat_user_tables WHERE relname LIKE 'delivery\\_2%'"
    )
    return int(dead or 0), int(live or 0)


def _request(key: str) -> bytes:
    mail = SUBMISSION | {"to": [{"email": "delivered@sim.example"}]}
    return post("/v1/messages", json.dumps(mail).encode(), [f"Authorization: Bearer {key}"])
