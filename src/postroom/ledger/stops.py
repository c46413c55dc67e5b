"""What a suppression stops: looked up when mail is accepted, and again when it is claimed."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.domain.suppression import TRIAL_LOST_AFTER
from postroom.ledger.copying import json_text
from postroom.ledger.db import Connection, connection
from postroom.ledger.local_events import move
from postroom.ledger.suppressions import IN_FORCE

_NO_TRIAL = (
    f"(trial_at IS NULL OR trial_at < now() - interval '{TRIAL_LOST_AFTER.total_seconds():.0f} s')"
)
_ON_PROBATION = f"COALESCE(suppression.expires_at <= now() AND {_NO_TRIAL}, false)"
"""Of a row of `suppression`: its time is over, and the next mail is the trial."""

CONCERNS = (
    "suppression.simulated = delivery.simulated"
    " AND suppression.address_key = delivery.recipient_key"
    " AND (suppression.application_id IS NULL"
    "      OR suppression.application_id = delivery.application_id)"
    " AND (suppression.kind IS NULL OR suppression.kind = message.kind)"
)
"""SQL: whether a suppression is about a delivery of a message."""


@dataclass(frozen=True, slots=True)
class Stop:
    """A suppression in force, as far as acceptance needs to know it."""

    id: int
    application_id: int | None
    kind: str | None
    on_probation: bool

    def stops(self, application_id: int, kind: str) -> bool:
        """Whether it stops mail of this application and kind; a trial is found at the claim."""
        return (
            not self.on_probation
            and self.application_id in (None, application_id)
            and self.kind in (None, kind)
        )


def in_force(conn: Connection, simulated: bool, keys: Collection[str]) -> dict[str, list[Stop]]:
    """By suppression key, what is in force against it."""
    found: dict[str, list[Stop]] = {}
    if keys:
        rows = conn.execute(
            # An array of 100,000 costs more to hand over than to look up; and as a join by the
            # index, a list of a million is not read.
            f"SELECT address_key, id, application_id, kind, {_ON_PROBATION}"
            "   FROM json_array_elements_text(%s) AS wanted (key)"
            "   JOIN suppression ON address_key = wanted.key"
            f" WHERE simulated = %s AND {IN_FORCE}"
            "  ORDER BY id",
            (json_text(list(keys)), simulated),
        )
        for key, *stop in rows:
            found.setdefault(key, []).append(Stop(*stop))
    return found


def is_stopped(simulated: bool, key: str, application_id: int) -> bool:
    """Whether mail of this application to the address is stopped, whatever its kind."""
    with connection() as conn:
        found = in_force(conn, simulated, [key]).get(key, ())
    return any(stop.kind is None and stop.stops(application_id, "") for stop in found)


@dataclass(frozen=True, slots=True)
class _Met:
    """A suppression that a claimed delivery met with."""

    id: int
    reason: str
    critical: bool
    may_try: bool
    """It is on probation, and this delivery may be its trial, or is."""


def stop_claimed(conn: Connection, ids: Collection[UUID]) -> set[UUID]:
    """Those of these deliveries, about to go, that a suppression stops; they end with its id.

    What goes all the same, because it is critical or the one trial, is recorded as such.
    """
    met = _met(conn, ids)
    passed: dict[UUID, _Met] = {}
    stopped: dict[UUID, int] = {}
    trials = _begin_trials(conn, met)
    for id, some in met.items():
        stops = [one for one in some if not one.critical and one.id not in trials.get(id, ())]
        if stops:
            stopped[id] = min(stops, key=lambda one: (one.may_try, one.id)).id
        else:
            passed[id] = some[0]
    _end(conn, stopped)
    _let_pass(conn, passed)
    return set(stopped)


def _met(conn: Connection, ids: Collection[UUID]) -> dict[UUID, list[_Met]]:
    rows = conn.execute(
        "SELECT delivery.id, suppression.id, suppression.reason, message.critical,"
        f"      {_ON_PROBATION} OR COALESCE(trial_delivery_id = delivery.id, false)"
        "  FROM delivery"
        "  JOIN suppression ON suppression.address_key = delivery.recipient_key"
        "       AND suppression.simulated = delivery.simulated"
        f"      AND {IN_FORCE}"
        "  JOIN message ON message.id = delivery.message_id"
        f" WHERE delivery.id = ANY(%s) AND {CONCERNS}"
        " ORDER BY delivery.id, suppression.id",
        (list(ids),),
    )
    met: dict[UUID, list[_Met]] = {}
    for id, *one in rows:
        met.setdefault(id, []).append(_Met(*one))
    return met


def _begin_trials(
    conn: Connection, met: Mapping[UUID, Iterable[_Met]]
) -> dict[UUID, frozenset[int]]:
    """The suppressions of which each delivery is the trial: the first to come, and no other."""
    first: dict[int, UUID] = {}
    for id, some in met.items():
        if all(one.may_try and not one.critical for one in some):
            for one in some:
                first.setdefault(one.id, id)
    if not first:
        return {}
    rows = conn.execute(
        "UPDATE suppression SET trial_delivery_id = tried.delivery_id, trial_at = now()"
        "  FROM unnest(%s::bigint[], %s::uuid[]) AS tried (id, delivery_id)"
        " WHERE suppression.id = tried.id AND lifted_at IS NULL"
        f"  AND ({_ON_PROBATION} OR trial_delivery_id = tried.delivery_id)"
        " RETURNING suppression.id",
        (list(first), list(first.values())),
    )
    begun = {id for (id,) in rows}
    return {
        delivery: frozenset(id for id in begun if first[id] == delivery)
        for delivery in {first[id] for id in begun}
    }


def _end(conn: Connection, stopped: Mapping[UUID, int]) -> None:
    for suppression_id in sorted(set(stopped.values())):
        conn.execute(
            move(
                EventType.SUPPRESSED,
                "stage = 'suppressed', reason = 'suppressed_by_us', suppression_id = %s",
                "id = ANY(%s) AND verdict IS NULL",
            ),
            (
                suppression_id,
                [id for id, by in stopped.items() if by == suppression_id],
                "suppressed_by_us",
                None,
            ),
        )


def _let_pass(conn: Connection, passed: Mapping[UUID, _Met]) -> None:
    """Said once, and not again when the same delivery is claimed anew."""
    for id, one in passed.items():
        why = "the mail is critical" if one.critical else "this is its one trial"
        conn.execute(
            move(
                EventType.EXEMPTED,
                "suppression_id = %s",
                "id = %s AND suppression_id IS DISTINCT FROM %s",
            ),
            (one.id, id, one.id, None, f"Suppression {one.id} ({one.reason}) lets it go: {why}."),
        )
