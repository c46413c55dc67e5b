"""What a mail costs with nothing, 1,000,000 and 3,000,000 mails of history in the ledger."""

import json
import time
from uuid import UUID

from bench import cpu, filling, notifications
from bench.handing_over import accounts_of
from bench.http_client import load, post
from bench.rig import Rig
from bench.sink import Sink, sink
from bench.table import Row
from tests.helpers import eventually

RUNS = 3
SIZES = (0, 1_000_000, 3_000_000)
MAILS = 2_000
CONNECTIONS = 64
FLAT = 1.2
_PART = 100_000
_DRAIN_S_MAX = 300.0


def flat(rig: Rig, scale: float) -> list[Row]:
    """CPU of all that have to do with a mail, from its request to its last event."""
    mails = max(100, int(min(1.0, scale) * MAILS))
    template = _past_mail()
    costs: list[list[float]] = []
    history = 0
    with (
        sink() as provider,
        accounts_of(provider) as [account],
        rig.role("web", rig.http_port) as web,
    ):
        for size in (int(scale * size) for size in SIZES):
            _grow(template, size - history)
            history = size
            with rig.senders(1) as [sender]:
                pids = {"web": web, "sender": sender, **rig.database}
                _cost_us(rig, provider, account, pids, 50)
                costs.append([_cost_us(rig, provider, account, pids, mails) for _ in range(RUNS)])
    return [
        Row(f"a mail with {int(scale * size):,} before it", "us CPU", cost,
            "with an empty ledger", costs[0], most=FLAT)
        for size, cost in zip(SIZES[1:], costs[1:], strict=True)
    ]  # fmt: skip


def _past_mail() -> UUID:
    """The id of a message that went the whole way."""
    from tests.ledger import making

    handovers = notifications.handed_over(1)
    notifications.store(making.account(), handovers)
    notifications.interpreted_per_s(2)
    with filling.connect() as conn:
        [(id,)] = conn.execute("SELECT message_id FROM delivery ORDER BY id DESC LIMIT 1")
    return UUID(str(id))


_COPIES = {
    "message": ("source.id = %s", {"id": "fresh.message_id"}),
    "blob": ("source.message_id = %s", {"message_id": "fresh.message_id"}),
    "delivery": (
        "source.message_id = %s",
        {
            "id": "fresh.delivery_id",
            "message_id": "fresh.message_id",
            "recipient_key": "fresh.delivery_id::text || '@example.com'",
            "decided_handover": "fresh.handover_id",
        },
    ),
    "attempt": (
        "source.message_id = %s",
        {
            "id": "fresh.attempt_id",
            "message_id": "fresh.message_id",
            "provider_message_id": "fresh.attempt_id::text",
        },
    ),
    "handover": (
        "source.delivery_id IN (SELECT id FROM delivery WHERE message_id = %s)",
        {
            "id": "fresh.handover_id",
            "delivery_id": "fresh.delivery_id",
            "attempt_id": "fresh.attempt_id",
        },
    ),
    "event": (
        "source.delivery_id IN (SELECT id FROM delivery WHERE message_id = %s)",
        {"delivery_id": "fresh.delivery_id", "handover_id": "fresh.handover_id"},
    ),
}
"""Which rows of a past mail are copied, and what is new in them."""


def _grow(template: UUID, mails: int) -> None:
    """So many more past mails with all their rows."""
    for start in range(0, mails, _PART):
        with filling.connect() as conn:
            conn.execute(
                "CREATE TEMP TABLE fresh ON COMMIT DROP AS"
                " SELECT uuidv7() AS message_id, uuidv7() AS delivery_id,"
                "        uuidv7() AS attempt_id, uuidv7() AS handover_id"
                "  FROM generate_series(1, %s)",
                (min(_PART, mails - start),),
            )
            for table, (which, values) in _COPIES.items():
                filling.copy_rows(conn, table, values, which, template)
    with filling.connect() as conn:
        conn.autocommit = True
        conn.execute("VACUUM ANALYZE")


def _cost_us(rig: Rig, provider: Sink, account: int, pids: dict[str, int], mails: int) -> float:
    """Microseconds of CPU that one mail costs its roles, the database and the interpreter."""
    before, taken = cpu.used_s(pids), provider.taken()
    load(rig.http_port, [_request(rig.key)] * mails, CONNECTIONS, 202)
    provider.wait_for(taken + mails, _DRAIN_S_MAX)
    with filling.connect() as conn:
        eventually(lambda: filling.is_settled(conn), _DRAIN_S_MAX)
        rows = conn.execute("SELECT id FROM handover ORDER BY id DESC LIMIT %s", (mails,))
        handovers = [id for (id,) in rows]
    notifications.store(account, handovers)
    began = time.process_time()
    notifications.interpreted_per_s(2 * mails)
    interpreter_s = time.process_time() - began
    used_s = sum(cpu.used_s(pids).values()) - sum(before.values())
    return 1e6 * (used_s + interpreter_s) / mails


def _request(key: str) -> bytes:
    mail = filling.SUBMISSION | {"to": [{"email": "ann@example.com"}]}
    return post("/v1/messages", json.dumps(mail).encode(), [f"Authorization: Bearer {key}"])
