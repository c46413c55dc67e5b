"""What is known against addresses and for them: failures of the last weeks, and mail that came."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from postroom.domain.suppression import CHOICES, PROOF_WINDOW, Failure
from postroom.ledger.db import Connection, connection
from postroom.ledger.ids import floor_of
from postroom.ledger.recordset import rows_json, rows_of

Key = tuple[bool, str]
"""Whether simulated, and the suppression key."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One failure for the recipient's sake, and where it is written."""

    simulated: bool
    address_key: str
    reason: str
    subject: UUID
    """The delivery that failed, or the receipt where it is not known: one counts once."""
    failed_at: datetime
    """When it was handed over, by our clock."""
    at_once: bool
    delivery_id: UUID | None
    event_digest: bytes | None
    receipt_id: UUID

    @property
    def key(self) -> Key:
        """Whose failure it is."""
        return (self.simulated, self.address_key)

    @property
    def failure(self) -> Failure:
        """As the rules count it."""
        return Failure(self.reason, self.failed_at, self.at_once)


_COLUMNS = {
    "simulated": "bool",
    "address_key": "text",
    "reason": "text",
    "subject": "uuid",
    "failed_at": "timestamptz",
    "at_once": "bool",
    "delivery_id": "uuid",
    "event_digest": "bytea",
    "receipt_id": "uuid",
}
_NAMES = ", ".join(_COLUMNS)


def keep(conn: Connection, told: Collection[Evidence]) -> set[UUID]:
    """The subjects among these failures that were not known to have failed for the reason told."""
    rows = conn.execute(
        f"INSERT INTO failure ({_NAMES}) SELECT {_NAMES} FROM {rows_of(_COLUMNS, 'told')}"
        " ON CONFLICT DO NOTHING"
        " RETURNING subject",
        (rows_json(_COLUMNS, map(_row, told)),),
    )
    return {subject for (subject,) in rows}


def _row(one: Evidence) -> tuple[object, ...]:
    return tuple(getattr(one, name) for name in _COLUMNS)


_WANTED = {"simulated": "bool", "address_key": "text"}


def _wanted(keys: Iterable[Key]) -> str:
    return rows_json(_WANTED, sorted(keys))


def of(conn: Connection, keys: Collection[Key]) -> dict[Key, list[Evidence]]:
    """Every failure kept of these addresses."""
    rows = conn.execute(
        f"SELECT {', '.join(f'failure.{name}' for name in _COLUMNS)}"
        f"  FROM {rows_of(_WANTED, 'wanted')}"
        "  JOIN failure USING (simulated, address_key)",
        (_wanted(keys),),
    )
    found: dict[Key, list[Evidence]] = {key: [] for key in keys}
    for row in rows:
        one = Evidence(*row)
        found[one.key].append(one)
    return found


# The newest mail to each address that arrived, by when it was handed over, and the newest click of
# a person, by when it was made. Whether it failed in the end is the verdict's to say.
_ARRIVED = f"""
SELECT DISTINCT ON (simulated, address_key) simulated, address_key, at, delivery_id
  FROM (
    SELECT wanted.simulated, wanted.address_key, handover.begun_at AS at,
           delivery.id AS delivery_id
      FROM {rows_of(_WANTED, "wanted")}
      JOIN delivery ON delivery.recipient_key = wanted.address_key
           AND delivery.simulated = wanted.simulated
           AND delivery.id >= %(floor)s
      JOIN handover ON handover.id = delivery.decided_handover
     WHERE delivery.verdict = 'delivered'
     UNION ALL
    SELECT wanted.simulated, wanted.address_key, LEAST(event.received_at, event.occurred_at),
           delivery.id
      FROM {rows_of(_WANTED, "wanted")}
      JOIN delivery ON delivery.recipient_key = wanted.address_key
           AND delivery.simulated = wanted.simulated
           AND delivery.id >= %(floor)s
      JOIN event ON event.delivery_id = delivery.id
     WHERE delivery.clicked_at IS NOT NULL AND event.type = 'clicked' AND event.machine IS FALSE
  ) AS proof
 ORDER BY simulated, address_key, at DESC
""".replace("%s", "%(wanted)s")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A mail that reached an address."""

    at: datetime
    """When it was handed over; or when a person clicked in it."""
    delivery_id: UUID


def arrivals(conn: Connection, keys: Collection[Key], since: datetime) -> dict[Key, Arrival]:
    """The newest that is known of each address, from a month before `since` on."""
    values = {"wanted": _wanted(keys), "floor": floor_of(since - PROOF_WINDOW)}
    rows = conn.execute(_ARRIVED, values)
    return {(simulated, key): Arrival(*one) for simulated, key, *one in rows}


def lifts(conn: Connection, keys: Collection[Key]) -> Mapping[Key, datetime]:
    """When a person last lifted what failures had led to."""
    rows = conn.execute(
        "SELECT simulated, address_key, max(lifted_at)"
        f"  FROM {rows_of(_WANTED, 'wanted')}"
        "  JOIN suppression USING (simulated, address_key)"
        " WHERE lifted_by IN ('person', 'undo') AND reason <> ALL(%s)"
        " GROUP BY simulated, address_key",
        (_wanted(keys), sorted(CHOICES)),
    )
    return {(simulated, key): at for simulated, key, at in rows}


def forget_old(limit: int) -> int:
    """How many failures were removed that no rule counts any more."""
    with connection() as conn:
        removed = conn.execute(
            "DELETE FROM failure WHERE (simulated, address_key, reason, subject) IN ("
            "       SELECT simulated, address_key, reason, subject FROM failure"
            "        WHERE failed_at < now() - %s LIMIT %s)",
            (PROOF_WINDOW, limit),
        )
        return removed.rowcount
