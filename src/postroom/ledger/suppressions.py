"""Standing decisions not to send to an address, live and simulated apart; and their lifting."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from postroom.domain.suppression import CHOICES, SUPPRESSION_RULES, TRIAL_LOST_AFTER
from postroom.ledger.db import Connection, connection, transaction
from postroom.ledger.recordset import rows_json, rows_of


@dataclass(frozen=True, slots=True)
class Standing:
    """A suppression in force or in quarantine, or one that was."""

    id: int
    simulated: bool
    address_key: str
    application_id: int | None
    """Whose mail it stops; None: everybody's."""
    kind: str | None
    """The kind of mail that it stops; None: all."""
    reason: str
    source: str
    note: str | None
    rules: int | None
    """The version of the rules by which an event led to it."""
    delivery_id: UUID | None
    event_digest: bytes | None
    receipt_id: UUID | None
    created_at: datetime
    failed_at: datetime | None
    """When the mail was handed over whose failure is its evidence, or the person's will heard."""
    expires_at: datetime | None
    """When it goes on probation; None: it stays."""
    quarantined_until: datetime | None
    """Of a storm: not applied until then; the next mail is then its trial."""
    trial_delivery_id: UUID | None
    trial_at: datetime | None
    lifted_at: datetime | None
    lifted_by: str | None
    """`person`, `undo`; `proof` and `trial`: a mail arrived; `recipient`: asked for mail again."""
    lifted_reason: str | None
    lifting_delivery_id: UUID | None
    """The mail that arrived."""

    def state(self, now: datetime) -> str:
        """`lifted`, `quarantined`, `on_trial`, `on_probation` (it is next), or `in_force`."""
        if self.lifted_at is not None:
            return "lifted"
        if self.quarantined_until is not None and self.quarantined_until > now:
            return "quarantined"
        if self.expires_at is not None and self.expires_at <= now:
            tried = self.trial_at is not None and self.trial_at > now - TRIAL_LOST_AFTER
            return "on_trial" if tried else "on_probation"
        return "in_force"


_COLUMNS = ", ".join(field.name for field in fields(Standing))

IN_FORCE = "lifted_at IS NULL AND (quarantined_until IS NULL OR quarantined_until <= now())"
"""Of a row of `suppression`."""

_STRONGEST_FIRST = f"reason = ANY(ARRAY[{', '.join(map(repr, sorted(CHOICES)))}]) DESC, id"


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
    failed_at: datetime | None = None
    expires_at: datetime | None = None
    quarantined_until: datetime | None = None
    application_id: int | None = None
    kind: str | None = None

    @property
    def place(self) -> tuple[bool, str, str, int | None, str | None]:
        """What only one suppression can have that is not lifted."""
        return (self.simulated, self.address_key, self.reason, self.application_id, self.kind)


_NEW = {
    "simulated": "bool",
    "address_key": "text",
    "reason": "text",
    "source": "text",
    "note": "text",
    "delivery_id": "uuid",
    "event_digest": "bytea",
    "receipt_id": "uuid",
    "failed_at": "timestamptz",
    "expires_at": "timestamptz",
    "quarantined_until": "timestamptz",
    "application_id": "int",
    "kind": "text",
}
_NEW_NAMES = ", ".join(_NEW)

PLACE = "(simulated, address_key, reason, application_id, kind) WHERE lifted_at IS NULL"
"""SQL: the unique key of suppressions that are not lifted."""


def standing(simulated: bool, keys: Collection[str]) -> dict[str, Standing]:
    """The suppressions in force among these suppression keys; of several, somebody's will first."""
    with connection() as conn:
        found: dict[str, Standing] = {}
        for one in _of_keys(conn, simulated, keys, IN_FORCE):
            found.setdefault(one.address_key, one)
        return found


def all_standing(key: str) -> list[Standing]:
    """Everything that stands against an address, live and simulated, in force or in quarantine."""
    with connection() as conn:
        return [
            one
            for simulated in (False, True)
            for one in _of_keys(conn, simulated, [key], "lifted_at IS NULL")
        ]


def _of_keys(
    conn: Connection, simulated: bool, keys: Collection[str], which: str
) -> list[Standing]:
    rows = conn.execute(
        f"SELECT {_COLUMNS} FROM suppression"
        f" WHERE simulated = %s AND address_key = ANY(%s) AND {which}"
        f" ORDER BY {_STRONGEST_FIRST}",
        (simulated, list(keys)),
    )
    return [Standing(*row) for row in rows]


def add_with(conn: Connection, new: Iterable[NewSuppression]) -> None:
    """Write suppressions; where the same stands already, that one stays, with its evidence."""
    firsts: dict[tuple[object, ...], NewSuppression] = {}
    for one in new:
        firsts.setdefault(one.place, one)
    rows = [firsts[place] for place in sorted(firsts, key=str)]
    if rows:
        values = ([getattr(one, name) for name in _NEW] for one in rows)
        conn.execute(
            f"INSERT INTO suppression ({_NEW_NAMES}, rules)"
            f" SELECT {_NEW_NAMES}, CASE source WHEN 'event' THEN {SUPPRESSION_RULES} END"
            f"   FROM {rows_of(_NEW, 'new')}"
            f" ON CONFLICT {PLACE} DO NOTHING",
            (rows_json(_NEW, values),),
        )


def add(new: NewSuppression) -> Standing:
    """The suppression that stands in this place now: this one, or the one that stood before."""
    with transaction() as conn:
        add_with(conn, [new])
        same = "lifted_at IS NULL AND reason = %(reason)s"
        rows = conn.execute(
            f"SELECT {_COLUMNS} FROM suppression"
            f" WHERE simulated = %(simulated)s AND address_key = %(key)s AND {same}"
            "   AND application_id IS NOT DISTINCT FROM %(application)s"
            "   AND kind IS NOT DISTINCT FROM %(kind)s",
            {
                "simulated": new.simulated,
                "key": new.address_key,
                "reason": new.reason,
                "application": new.application_id,
                "kind": new.kind,
            },
        ).fetchall()
        return Standing(*rows[0])


def lift(suppression_id: int, reason: str) -> bool:
    """Whether it stood and a person has lifted it now."""
    with connection() as conn:
        return _lift(conn, "id = %s", [suppression_id], "person", reason) == 1


def lift_all(simulated: bool, key: str, reason: str) -> int:
    """How many suppressions of the address a person has lifted now."""
    with connection() as conn:
        which = "simulated = %s AND address_key = %s"
        return _lift(conn, which, [simulated, key], "person", reason)


def undo(simulated: bool, domain: str, start: datetime, end: datetime, reason: str) -> int:
    """How many are lifted again that failures at a domain led to within a window of time.

    What people asked for, and what they complained of, stays.
    """
    with connection() as conn:
        which = (
            f"simulated = %s AND {DOMAIN} = %s AND source = 'event' AND reason <> ALL(%s)"
            " AND (failed_at >= %s AND failed_at < %s OR created_at >= %s AND created_at < %s)"
        )
        window = [start, end, start, end]
        return _lift(conn, which, [simulated, domain, sorted(CHOICES), *window], "undo", reason)


DOMAIN = "substring(address_key FROM '[^@]*$')"
"""SQL: the receiving domain of a row of `suppression`, as its index has it."""


def _lift(conn: Connection, which: str, values: list[object], by: str, reason: str) -> int:
    changed = conn.execute(
        "UPDATE suppression SET lifted_at = now(), lifted_by = %s, lifted_reason = %s"
        f" WHERE {which} AND lifted_at IS NULL",
        (by, reason, *values),
    )
    return changed.rowcount


def by_id(suppression_id: int) -> Standing | None:
    """One suppression, standing or lifted; None when there is none of that id."""
    with connection() as conn:
        row = conn.execute(
            f"SELECT {_COLUMNS} FROM suppression WHERE id = %s",
            (suppression_id,),
        ).fetchone()
    return None if row is None else Standing(*row)


def listed(
    *,
    address_key: str | None = None,
    simulated: bool | None,
    application_id: int | None = None,
    before_id: int | None = None,
    limit: int,
) -> Sequence[Standing]:
    """Suppressions newest first, standing and lifted, optionally of one address.

    With an application, what stops the mail of others alone is left out.
    """
    with connection() as conn:
        rows = conn.execute(
            f"SELECT {_COLUMNS} FROM suppression"
            " WHERE (%(key)s::text IS NULL OR address_key = %(key)s)"
            "   AND (%(simulated)s::boolean IS NULL OR simulated = %(simulated)s)"
            "   AND (%(application)s::int IS NULL OR application_id IS NULL"
            "        OR application_id = %(application)s)"
            "   AND (%(before)s::bigint IS NULL OR id < %(before)s)"
            " ORDER BY id DESC LIMIT %(limit)s",
            {
                "key": address_key,
                "simulated": simulated,
                "application": application_id,
                "before": before_id,
                "limit": limit,
            },
        ).fetchall()
    return [Standing(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class NotSent:
    """What a suppression stopped."""

    count: int
    """Deliveries, of all applications."""
    newest: Sequence[UUID]
    """The newest of those that may be seen."""


_NEWEST = 20


def not_sent(stopped: Sequence[Standing], application_id: int | None) -> dict[int, NotSent]:
    """By id, what each of these suppressions of one address stopped; None sees everybody's."""
    if not stopped:
        return {}
    with connection() as conn:
        rows = conn.execute(
            "SELECT suppression_id, count(*),"
            "       array_agg(id ORDER BY id DESC)"
            "         FILTER (WHERE %s::int IS NULL OR application_id = %s)"
            "  FROM delivery"
            " WHERE recipient_key = %s AND suppression_id = ANY(%s) AND stage = 'suppressed'"
            " GROUP BY suppression_id",
            (
                application_id,
                application_id,
                stopped[0].address_key,
                [one.id for one in stopped],
            ),
        ).fetchall()
    found = {id: NotSent(count, (newest or [])[:_NEWEST]) for id, count, newest in rows}
    return {one.id: found.get(one.id, NotSent(0, [])) for one in stopped}
