"""Receipts: raw notifications stored verbatim before anybody reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from postroom.ledger import partitions
from postroom.ledger.blobs import compress
from postroom.ledger.clock import utc_now
from postroom.ledger.copying import json_text
from postroom.ledger.db import Connection, transaction
from postroom.ledger.ids import instant_of, uuid7
from postroom.ledger.recordset import rows_json, rows_of
from postroom.ledger.tallies import count

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
    id: UUID = field(default_factory=lambda: uuid7(utc_now()))
    """Given before anything is stored: a receipt that two ways lead into the ledger is one."""

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
_INSERT = (
    f"INSERT INTO receipt ({_NAMES}) SELECT {_NAMES} FROM {rows_of(_COLUMNS, 'told')}"
    " ON CONFLICT (id) DO NOTHING"
)


def write_receipts(conn: Connection, receipts: Sequence[NewReceipt]) -> list[UUID]:
    """The ids of the receipts, in order; one that is there already stays as it is."""
    conn.execute(_INSERT, (rows_json(_COLUMNS, map(_row, receipts)),))
    return [receipt.id for receipt in receipts]


def store_each_once(receipts: Sequence[NewReceipt]) -> None:
    """Commit receipts of any time that may be there already; their months' partitions are made."""
    with transaction() as conn:
        for month in {partitions.month_start(instant_of(one.id)) for one in receipts}:
            partitions.ensure_with(conn, month)
        write_receipts(conn, receipts)


def _row(receipt: NewReceipt) -> tuple[object, ...]:
    return (
        receipt.id,
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
        count(conn, "receipts_refused", str(account_id), 1)
