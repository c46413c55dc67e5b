"""Receipts: raw notifications stored verbatim before anybody reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from postroom.ledger.blobs import compress
from postroom.ledger.copying import json_text
from postroom.ledger.db import Connection, transaction
from postroom.ledger.ids import uuid7_batch
from postroom.ledger.recordset import rows_json, rows_of

REFUSED_KEPT_MAX = 100
"""Refused notifications kept per account, for diagnosis."""
REFUSED_BODY_BYTES_MAX = 64 * 1024


@dataclass(frozen=True, slots=True)
class NewReceipt:
    """A notification that proved its origin."""

    account_id: int
    received_at: datetime
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def size_bytes(self) -> int:
        return len(self.body)


_COLUMNS = {
    "id": "uuid",
    "account_id": "int",
    "received_at": "timestamptz",
    "headers": "jsonb",
    "size_bytes": "int",
    "zlib": "bytea",
}
_NAMES = ", ".join(_COLUMNS)
_INSERT = f"INSERT INTO receipt ({_NAMES}) SELECT {_NAMES} FROM {rows_of(_COLUMNS, 'told')}"


def write_receipts(conn: Connection, receipts: Sequence[NewReceipt], now: datetime) -> list[UUID]:
    """The ids of the receipts, in order."""
    ids = uuid7_batch(now, len(receipts))
    conn.execute(_INSERT, (rows_json(_COLUMNS, map(_row, ids, receipts)),))
    return ids


def _row(id: UUID, receipt: NewReceipt) -> tuple[object, ...]:
    return (
        id,
        receipt.account_id,
        receipt.received_at,
        dict(receipt.headers),
        len(receipt.body),
        compress(receipt.body),
    )


def keep_refused(
    account_id: int, received_at: datetime, why: str, headers: Mapping[str, str], body: bytes
) -> None:
    """Count a notification that did not prove its origin and keep the latest for diagnosis."""
    with transaction() as conn:
        conn.execute(
            "INSERT INTO refused_receipt (account_id, received_at, why, headers, body)"
            " VALUES (%s, %s, %s, %s, %s)",
            (account_id, received_at, why, json_text(dict(headers)), body[:REFUSED_BODY_BYTES_MAX]),
        )
        conn.execute(
            "DELETE FROM refused_receipt"
            " WHERE account_id = %s AND id <= ("
            "       SELECT id FROM refused_receipt WHERE account_id = %s"
            "        ORDER BY id DESC OFFSET %s LIMIT 1)",
            (account_id, account_id, REFUSED_KEPT_MAX),
        )
        conn.execute(
            "INSERT INTO tally (name, label, count) VALUES ('receipts_refused', %s, 1)"
            " ON CONFLICT (name, label) DO UPDATE SET count = tally.count + 1",
            (str(account_id),),
        )
