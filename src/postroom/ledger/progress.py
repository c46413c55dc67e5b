"""What is on its way out: communications with something in the queue, and the present pace."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.domain.lane import Lane
from postroom.domain.receiver import receiver_of
from postroom.ledger import application_limits, receivers, shares
from postroom.ledger.clock import utc_now
from postroom.ledger.db import Connection, connection
from postroom.ledger.ids import floor_of

COUNTED_MAX = 1_000_000
"""Where more deliveries of a communication wait, this is what is counted."""
WINDOW_S = 30.0
"""The pace is that of the attempts begun in this time."""
_SECONDS_MIN = 0.1
_LOOKED_AT_MAX = 10_000
"""So many deliveries that are due later are asked what they wait for."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One communication of an application in one lane, or all its mail outside of any."""

    simulated: bool
    lane: Lane
    application_id: int
    application: str
    communication_id: int | None
    communication: str | None
    is_paused: bool
    due: int
    """Deliveries that may go now; at most `COUNTED_MAX` are counted."""
    later: int
    oldest_at: datetime | None
    """Since when the oldest of these waits."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What one account carried of one communication in the window."""

    account_id: int
    simulated: bool
    application_id: int
    communication_id: int | None
    recipients_per_s: float
    """Since the first attempt in the window."""
    calls_per_s: float


_QUEUED = """delivery.simulated = %(simulated)s AND delivery.lane = %(lane)s
                  AND delivery.application_id = wanted.application
                  AND COALESCE(delivery.communication_id, 0) = wanted.communication
                  AND stage IN ('queued', 'scheduled')"""
_WAITING = f"""
SELECT application.name, communication.name,
       application.paused_at IS NOT NULL OR communication.paused_at IS NOT NULL,
       (SELECT count(*) FROM (
               SELECT FROM delivery
                WHERE {_QUEUED} AND due_at <= now()
                LIMIT %(max)s) AS due),
       (SELECT count(*) FROM (
               SELECT FROM delivery
                WHERE {_QUEUED} AND due_at > now()
                LIMIT %(max)s) AS later),
       (SELECT due_at FROM delivery
         WHERE {_QUEUED} AND due_at <= now()
         ORDER BY due_at LIMIT 1),
       wanted.application, wanted.communication
  FROM unnest(%(applications)s::integer[], %(communications)s::bigint[])
       AS wanted (application, communication)
  JOIN application ON application.id = wanted.application
  LEFT JOIN communication ON communication.id = wanted.communication
 ORDER BY wanted.application, wanted.communication
"""


def waiting(group: shares.Group | None = None) -> list[Waiting]:
    """Everything in the queue by kind, lane and communication, or what there is of one group.

    At most `shares.GROUPS_MAX` communications of a lane are told.
    """
    with connection() as conn:
        return [
            one
            for simulated in (False, True)
            for lane in Lane
            for one in _in_lane(conn, simulated, lane, group)
        ]


def _in_lane(
    conn: Connection, simulated: bool, lane: Lane, group: shares.Group | None
) -> list[Waiting]:
    groups = [group] if group is not None else shares.all_groups(conn, simulated, lane)
    rows = conn.execute(
        _WAITING,
        {
            "simulated": simulated,
            "lane": int(lane),
            "max": COUNTED_MAX,
            "applications": [one.application for one in groups],
            "communications": [one.communication for one in groups],
        },
    ).fetchall()
    return [
        Waiting(simulated, lane, id, application, which or None, name, paused, due, later, at)
        for application, name, paused, due, later, at, id, which in rows
        if due or later
    ]


_IN_HAND = """
SELECT count(*) FROM delivery
 WHERE stage = 'submitting' AND tries = 0 AND simulated = %(simulated)s
   AND application_id = %(application)s AND COALESCE(communication_id, 0) = %(communication)s
"""
_LATER_BY_DOMAIN = """
SELECT substring(recipient_key FROM '[^@]*$'), count(*)
  FROM (SELECT recipient_key
          FROM delivery
         WHERE simulated = %(simulated)s AND lane = ANY(%(lanes)s)
           AND application_id = %(application)s
           AND COALESCE(communication_id, 0) = %(communication)s
           AND stage = 'queued' AND due_at > now()
         LIMIT %(max)s) AS later
 GROUP BY 1
"""


def in_hand(group: shares.Group, simulated: bool) -> int:
    """Deliveries of the group that senders have claimed and not begun to hand over."""
    with connection() as conn:
        row = conn.execute(_IN_HAND, _of(group, simulated)).fetchone()
    return 0 if row is None else int(row[0])


def for_receivers(group: shares.Group, simulated: bool) -> int:
    """Deliveries of the group that wait for receivers which asked for less mail; at most
    `_LOOKED_AT_MAX`."""
    slow = {one.receiver for one in receivers.slowed() if one.simulated is simulated}
    if not slow:
        return 0
    asked = _of(group, simulated) | {"lanes": [int(lane) for lane in Lane], "max": _LOOKED_AT_MAX}
    with connection() as conn:
        rows = conn.execute(_LATER_BY_DOMAIN, asked).fetchall()
    return sum(count for domain, count in rows if receiver_of(domain) in slow)


def _of(group: shares.Group, simulated: bool) -> dict[str, object]:
    return {
        "simulated": simulated,
        "application": group.application,
        "communication": group.communication,
    }


def communication_id(application_id: int, name: str) -> int | None:
    """The number of a communication; None when the application has none of that name."""
    with connection() as conn:
        row = conn.execute(
            "SELECT id FROM communication WHERE application_id = %s AND name = %s",
            (application_id, name),
        ).fetchone()
    return None if row is None else int(row[0])


def paces(window_s: float = WINDOW_S) -> list[Pace]:
    """What each account carried of each communication lately."""
    since = utc_now() - timedelta(seconds=window_s)
    with connection() as conn:
        rows = conn.execute(
            "SELECT attempt.account_id, simulated, application_id, communication_id,"
            "       sum(attempt.recipients)::float8, count(*)::float8,"
            "       (array_agg(attempt.recipients ORDER BY begun_at))[1]::float8,"
            "       extract(epoch FROM clock_timestamp() - min(begun_at))::float8"
            "  FROM attempt"
            "  JOIN message ON message.id = attempt.message_id"
            " WHERE attempt.id >= %(floor)s AND begun_at >= %(since)s"
            "   AND (outcome IS NULL OR outcome IN ('taken', 'unknown'))"
            " GROUP BY 1, 2, 3, 4",
            {"since": since, "floor": floor_of(since - timedelta(seconds=5))},
        ).fetchall()
    return [
        Pace(account, kind, application, which, *_per_s(*counted))
        for account, kind, application, which, *counted in rows
    ]


def _per_s(recipients: float, calls: float, first: float, seconds: float) -> tuple[float, float]:
    """Recipients and calls a second since the first call, which itself came at no pace."""
    if calls == 1:
        return recipients / max(seconds, 1.0), 1 / max(seconds, 1.0)
    seconds = max(seconds, _SECONDS_MIN)
    return (recipients - first) / seconds, (calls - 1) / seconds


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an application may still send."""

    per_s: int | None
    """Recipients a second; None: any number."""
    day_left: int | None
    """Recipients of this day; None: any number."""


def allowance(application_id: int) -> Allowance:
    """What the application may send by its limits."""
    with connection() as conn:
        return Allowance(*application_limits.left(conn, application_id))


def open_questions() -> int:
    """Attempts that have begun and not ended: calls in flight, or lost ones."""
    with connection() as conn:
        row = conn.execute("SELECT count(*) FROM attempt WHERE ended_at IS NULL").fetchone()
    return 0 if row is None else int(row[0])
