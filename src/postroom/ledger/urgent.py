"""The daily quota of urgent recipients that each application has: a counter, kept by acceptance.

A message is urgent as a whole or not at all: one that has more recipients than are left for the
day goes as normal and uses nothing up. What is cancelled later stays counted.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings

from postroom.domain.lane import Lane
from postroom.ledger.clock import TODAY
from postroom.ledger.db import Connection, connection
from postroom.ledger.drafts import Draft

# What these applications have left of this day (UTC). Their counters stay locked, in one order;
# who waited for the lock over midnight does not turn the day back.
_LEFT = f"""
INSERT INTO urgent_use AS used (application_id, day, recipients)
SELECT id, {TODAY}, 0
  FROM application
 WHERE id = ANY(%(applications)s)
 ORDER BY id
ON CONFLICT (application_id) DO UPDATE
   SET day = GREATEST(used.day, excluded.day),
       recipients = CASE WHEN used.day >= excluded.day THEN used.recipients ELSE 0 END
RETURNING application_id,
          COALESCE((SELECT urgent_per_day FROM application WHERE id = application_id),
                   %(default)s) - recipients
"""


def choose_lanes(conn: Connection, drafts: Iterable[Draft]) -> None:
    """Lets the urgent ones that exceed their application's quota go as normal; counts the others.

    Simulated mail uses nothing up.
    """
    urgent = [one for one in drafts if one.new.lane is Lane.URGENT and not one.new.simulated]
    if not urgent:
        return
    left = _left(conn, {draft.new.application_id for draft in urgent})
    used = _fill(urgent, left)
    if used:
        conn.execute(
            "UPDATE urgent_use SET recipients = urgent_use.recipients + more.recipients"
            "  FROM unnest(%s::int[], %s::bigint[]) AS more (application_id, recipients)"
            " WHERE urgent_use.application_id = more.application_id",
            (list(used), list(used.values())),
        )


def _left(conn: Connection, applications: Iterable[int]) -> dict[int, int]:
    wanted = {"applications": list(applications), "default": settings.POSTROOM_URGENT_PER_DAY}
    return dict(conn.execute(_LEFT, wanted).fetchall())


def _fill(drafts: Sequence[Draft], left: Mapping[int, int]) -> Counter[int]:
    """What each application uses now, in the order of coming."""
    used: Counter[int] = Counter()
    for draft in drafts:
        application = draft.new.application_id
        if used[application] + draft.to_send > left[application]:
            draft.lane = Lane.NORMAL
        else:
            used[application] += draft.to_send
    return used


@dataclass(frozen=True, slots=True)
class UrgentUse:
    """How much of its urgent quota an application has used today."""

    application: str
    used: int
    quota: int


def used_today() -> list[UrgentUse]:
    """Every application, by name; the day is one of UTC."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT name, COALESCE(recipients, 0), COALESCE(urgent_per_day, %s)"
            "  FROM application"
            "  LEFT JOIN urgent_use ON application_id = application.id"
            f"      AND day = {TODAY}"
            " ORDER BY name",
            (settings.POSTROOM_URGENT_PER_DAY,),
        )
        return [UrgentUse(*row) for row in rows]
