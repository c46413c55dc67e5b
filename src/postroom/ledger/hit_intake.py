"""Hits: opens, clicks and unsubscribes as our own addresses meet them, stored before all else."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from postroom.ledger.clock import utc_now
from postroom.ledger.db import Connection, transaction
from postroom.ledger.ids import uuid7
from postroom.ledger.recordset import rows_json, rows_of

AGENT_CHARS_MAX = 1_000
"""Browsers' have some 200."""


@dataclass(frozen=True, slots=True)
class NewHit:
    """One fetch of an address that proved itself."""

    kind: str
    """The letter of `domain.tracking.Kind`; `r`: an unsubscribe was taken back."""
    message_id: UUID
    handover_id: UUID
    url: str
    hit_at: datetime
    method: str
    address: str | None = field(repr=False)
    """The network address of who came."""
    agent: str = field(repr=False)
    id: UUID = field(default_factory=lambda: uuid7(utc_now()))
    """Given before anything is stored: a hit that two ways lead into the ledger is one."""

    @property
    def size_bytes(self) -> int:
        return len(self.url) + len(self.agent) + 100


_COLUMNS = {
    "kind": "text",
    "message_id": "uuid",
    "handover_id": "uuid",
    "url": "text",
    "hit_at": "timestamptz",
    "method": "text",
    "address": "text",
    "agent": "text",
    "id": "uuid",
}
_NAMES = ", ".join(_COLUMNS)
_INSERT = (
    f"INSERT INTO hit ({_NAMES}) SELECT {_NAMES} FROM {rows_of(_COLUMNS, 'told')}"
    " ON CONFLICT (id) DO NOTHING"
)


_values = attrgetter(*_COLUMNS)


def write_hits(conn: Connection, hits: Sequence[NewHit]) -> list[UUID]:
    """The ids of the hits, in order; one that is there already stays as it is."""
    conn.execute(_INSERT, (rows_json(_COLUMNS, map(_values, hits)),))
    return [one.id for one in hits]


def store_hits(hits: Sequence[NewHit]) -> None:
    """Commit hits that may be there already, or may have been judged by now."""
    with transaction() as conn:
        write_hits(conn, hits)


def to_json(hit: NewHit) -> dict[str, Any]:
    """The hit as a file keeps it; `from_json` gives it back."""
    ids = {name: str(getattr(hit, name)) for name in ("id", "message_id", "handover_id")}
    return asdict(hit) | ids | {"hit_at": hit.hit_at.isoformat()}


def from_json(kept: dict[str, Any]) -> NewHit:
    """The hit that `to_json` was given."""
    ids = {name: UUID(kept[name]) for name in ("id", "message_id", "handover_id")}
    return NewHit(**(kept | ids | {"hit_at": datetime.fromisoformat(kept["hit_at"])}))
