"""Standing decisions not to send to an address: organisation-wide, live and simulated apart."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from postroom.ledger.db import Connection, connection, transaction


@dataclass(frozen=True, slots=True)
class Standing:
    """A suppression in force, or one that was."""

    id: int
    simulated: bool
    address_key: str
    reason: str
    source: str
    note: str | None
    delivery_id: UUID | None
    event_digest: bytes | None
    receipt_id: UUID | None
    created_at: datetime
    lifted_at: datetime | None
    lifted_reason: str | None


@dataclass(frozen=True, slots=True)
class NewSuppression:
    """A decision to stop, with the event that is its evidence (None: a person decided)."""

    simulated: bool
    address_key: str
    reason: str
    source: str
    note: str | None = None
    delivery_id: UUID | None = None
    event_digest: bytes | None = None
    receipt_id: UUID | None = None


_COLUMNS = (
    "id, simulated, address_key, reason, source, note, delivery_id, event_digest, receipt_id,"
    " created_at, lifted_at, lifted_reason"
)


def standing(simulated: bool, keys: Collection[str]) -> dict[str, Standing]:
    """The suppressions in force among these suppression keys."""
    with connection() as conn:
        return standing_with(conn, simulated, keys)


def standing_with(conn: Connection, simulated: bool, keys: Collection[str]) -> dict[str, Standing]:
    """`standing` inside the caller's transaction."""
    if not keys:
        return {}
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM suppression"
        " WHERE simulated = %s AND address_key = ANY(%s) AND lifted_at IS NULL",
        (simulated, list(keys)),
    )
    return {row[2]: Standing(*row) for row in rows}


def add_with(conn: Connection, new: Iterable[NewSuppression]) -> None:
    """Write suppressions; where one stands already, that one stays, with its evidence."""
    rows = sorted(new, key=lambda one: (one.simulated, one.address_key))
    if not rows:
        return
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO suppression (simulated, address_key, reason, source, note,"
            "       delivery_id, event_digest, receipt_id)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (simulated, address_key) WHERE lifted_at IS NULL DO NOTHING",
            [
                (
                    one.simulated,
                    one.address_key,
                    one.reason,
                    one.source,
                    one.note,
                    one.delivery_id,
                    one.event_digest,
                    one.receipt_id,
                )
                for one in rows
            ],
        )


def add(new: NewSuppression) -> Standing:
    """The suppression that stands for the address now: this one, or the one that stood before."""
    with transaction() as conn:
        add_with(conn, [new])
        return standing_with(conn, new.simulated, [new.address_key])[new.address_key]


def lift(suppression_id: int, reason: str) -> bool:
    """Whether it stood and is lifted now."""
    with connection() as conn:
        changed = conn.execute(
            "UPDATE suppression SET lifted_at = now(), lifted_reason = %s"
            " WHERE id = %s AND lifted_at IS NULL",
            (reason, suppression_id),
        )
        return changed.rowcount == 1


def by_id(suppression_id: int) -> Standing | None:
    """One suppression, standing or lifted; None when there is none of that id."""
    with connection() as conn:
        row = conn.execute(
            f"SELECT {_COLUMNS} FROM suppression WHERE id = %s",
            (suppression_id,),
        ).fetchone()
    return None if row is None else Standing(*row)


def listed(
    *, address_key: str | None, simulated: bool | None, before_id: int | None, limit: int
) -> Sequence[Standing]:
    """Suppressions newest first, standing and lifted, optionally of one address or kind."""
    with connection() as conn:
        rows = conn.execute(
            f"SELECT {_COLUMNS} FROM suppression"
            " WHERE (%(key)s::text IS NULL OR address_key = %(key)s)"
            "   AND (%(simulated)s::boolean IS NULL OR simulated = %(simulated)s)"
            "   AND (%(before)s::bigint IS NULL OR id < %(before)s)"
            " ORDER BY id DESC LIMIT %(limit)s",
            {"key": address_key, "simulated": simulated, "before": before_id, "limit": limit},
        ).fetchall()
    return [Standing(*row) for row in rows]
