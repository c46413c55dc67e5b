"""100,000 recipients the whole way: from the 202 through the simulator to the last word."""

import json
import time
import urllib.request
from collections.abc import Mapping
from typing import Any

import psycopg

from bench import cpu
from bench.rig import Rig
from bench.table import Row
from tests.helpers import eventually
from tests.installation import Installation, installed

RECIPIENTS = 100_000
FIRST_S_MAX, LAST_S_MAX = 1.0, 15.0
_ROLES = ("web", "sender", "interpreter", "simulator", "clock")


def known(_: Rig, scale: float) -> list[Row]:
    """One broadcast through a whole installation; every number is seconds after the 202."""
    recipients = int(scale * RECIPIENTS)
    with installed() as one:
        one.key  # noqa: B018 - made before the clock runs
        pids = pids_of(one)
        before = cpu.used_s(pids)
        answered_at, message_id = _submitted(one, recipients)
        with psycopg.connect(dsn_of(one), autocommit=True) as conn:
            eventually(lambda: _open(conn, message_id) == 0, 300, every_s=0.5)
            times = _times(conn, message_id)
        after = cpu.used_s(pids)
    cost = cpu.per_unit(before, after, recipients)
    total_s = sum(after.values()) - sum(before.values())
    note = f"one recipient costs {cost}; {total_s:.1f} core-seconds in all"
    return [
        _row(f"first of {recipients:,} handed over", times["first"] - answered_at, FIRST_S_MAX),
        _row(f"last of {recipients:,} handed over", times["last"] - answered_at, LAST_S_MAX),
        Row("all truth known", "s", [times["known"] - answered_at], "-", [], note=note),
    ]


def _row(what: str, took_s: float, most_s: float) -> Row:
    # Handed over before the 202 was read: not long after the commit.
    return Row(what, "s", [max(took_s, 0.0)], "seconds after the 202", [most_s], most=1)


def _submitted(one: Installation, recipients: int) -> tuple[float, str]:
    """When the 202 came, in seconds since 1970, and the message's id."""
    text = "Dear {{ name }}, the prices change on 1 December. " * 20
    body = {
        "from": "Shop <shop@example.org>",
        "to": [
            {"email": f"delivered+{n}@sim.example", "name": f"P {n}", "vars": {"name": f"P {n}"}}
            for n in range(recipients)
        ],
        "subject": "New prices, {{ name }}",
        "text": text,
        "html": f"<p>{text}</p>",
        "communication": "prices",
        "lane": "urgent",
    }
    request = urllib.request.Request(
        f"http://127.0.0.1:{one.http_port}/v1/messages",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {one.key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as answer:
        return time.time(), json.load(answer)["message_id"]


def _open(conn: psycopg.Connection, message_id: str) -> int:
    """Deliveries without their last word, counted to one."""
    [(count,)] = conn.execute(
        "SELECT count(*)"
        "  FROM (SELECT FROM delivery"
        "         WHERE message_id = %s AND verdict IS DISTINCT FROM 'delivered' LIMIT 1) AS few",
        (message_id,),
    )
    return int(count)


def _times(conn: psycopg.Connection, message_id: str) -> Mapping[str, Any]:
    """Seconds since 1970 of the first and the last answer to a call, and of the last event."""
    [(first, last)] = conn.execute(
        "SELECT extract(epoch FROM min(ended_at)), extract(epoch FROM max(ended_at))"
        "  FROM attempt WHERE message_id = %s",
        (message_id,),
    )
    [(known,)] = conn.execute("SELECT extract(epoch FROM max(recorded_at)) FROM event")
    return {"first": float(first), "last": float(last), "known": float(known)}


def pids_of(one: Installation) -> dict[str, int]:
    """The processes of its roles and of its database."""
    from postroom.management import embedded

    roles = {role: one.role_pid(role) for role in _ROLES}
    found = {role: pid for role, pid in roles.items() if pid is not None}
    return found | {"PostgreSQL": embedded.server_pid(one.data)}


def dsn_of(one: Installation) -> str:
    """How to reach its database."""
    from postroom.management import embedded

    return embedded.dsn(one.data)
