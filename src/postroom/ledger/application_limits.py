"""What an application may send: recipients a second and a day, as counters, not as counts.

A delivery counts when it is claimed, and no more when it goes back to the queue unsent.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from postroom.domain.lane import Lane
from postroom.domain.limits import open_to
from postroom.ledger.clock import TODAY
from postroom.ledger.db import Connection

_ROOMS = f"""
WITH limited AS (
   SELECT id, recipients_per_s, recipients_per_day
     FROM application
    WHERE id = ANY(%(ids)s) AND (recipients_per_s IS NOT NULL OR recipients_per_day IS NOT NULL)),
made AS (
   INSERT INTO application_pace (application_id, room, room_at, day, day_count)
   SELECT id, COALESCE(recipients_per_s, 0), now(), {TODAY}, 0
     FROM limited
    ORDER BY id
   ON CONFLICT DO NOTHING)
SELECT id, recipients_per_s, recipients_per_day FROM limited ORDER BY id
"""
# A claim that began before midnight and waited for the row never turns the day back.
_LOCK = f"""
UPDATE application_pace
   SET room = LEAST(%(per_s)s, room + %(per_s)s * extract(epoch FROM now() - room_at)),
       room_at = now(),
       day_count = CASE WHEN day >= {TODAY} THEN day_count ELSE 0 END,
       day = GREATEST(day, {TODAY})
 WHERE application_id = %(id)s
RETURNING floor(room)::integer, day_count
"""
_NO_LIMIT = 2**31 - 1


@dataclass(slots=True)
class Room:
    """Recipients that one application may have now."""

    now: int
    """Of this second."""
    today: int
    kept: int
    """Of these, the ones that only urgent mail may use."""

    def of(self, lane: Lane) -> int:
        """Recipients of this lane that may go now."""
        return max(0, min(self.now, self.today - (0 if lane is Lane.URGENT else self.kept)))

    def less(self, recipients: int) -> None:
        """So many are used."""
        self.now -= recipients
        self.today -= recipients


def rooms(conn: Connection, applications: Iterable[int]) -> dict[int, Room]:
    """The room of each application with a limit; their rows stay locked.

    So two claims at once never use the same room.
    """
    wanted = list(set(applications))
    if not wanted:
        return {}
    limited = conn.execute(_ROOMS, {"ids": wanted}).fetchall()
    found = {}
    for id, per_s, per_day in limited:
        row = conn.execute(_LOCK, {"id": id, "per_s": per_s or 0}).fetchone()
        room, day_count = row if row is not None else (per_s or 0, 0)
        found[id] = Room(
            now=room if per_s is not None else _NO_LIMIT,
            today=_NO_LIMIT if per_day is None else per_day - day_count,
            kept=0 if per_day is None else int(per_day - open_to(Lane.NORMAL, per_day)),
        )
    return found


def left(conn: Connection, application_id: int) -> tuple[int | None, int | None]:
    """Recipients a second, and those left of this day; None: there is no such limit."""
    row = conn.execute(
        "SELECT recipients_per_s,"
        "       GREATEST(0, recipients_per_day - COALESCE("
        f"          CASE WHEN day = {TODAY} THEN day_count END, 0))"
        "  FROM application"
        "  LEFT JOIN application_pace ON application_pace.application_id = application.id"
        " WHERE application.id = %s",
        (application_id,),
    ).fetchone()
    return (None, None) if row is None else row


def use(conn: Connection, claimed: Mapping[int, int]) -> None:
    """So many recipients of each application were claimed; counted where there are limits."""
    for id, recipients in sorted(claimed.items()):
        conn.execute(
            "UPDATE application_pace"
            "   SET room = room - %(n)s, day_count = GREATEST(0, day_count + %(n)s)"
            " WHERE application_id = %(id)s",
            {"n": recipients, "id": id},
        )


def give_back(conn: Connection, deliveries: Collection[UUID]) -> None:
    """These were claimed and not sent: others may have their room, and they come once more."""
    if not deliveries:
        return
    rows = conn.execute(
        "SELECT application_id, -count(*)"
        "  FROM delivery WHERE id = ANY(%s) AND NOT simulated GROUP BY 1",
        (list(deliveries),),
    )
    use(conn, dict(rows.fetchall()))
