"""The pace of each account: turns that all senders share, rests, and what 429 has taught.

A row holds when the account's next turn begins. A sender takes a stretch of turns by moving that
instant on, so no two senders ever use the same one, whatever their number and their clocks.
"""

import time
from dataclasses import dataclass, field

from postroom.ledger.clock import TODAY
from postroom.ledger.db import connection

WAIT_S_MAX = 2.0
"""No turn is given that lies further ahead: whoever would wait longer asks again by then."""
FULL_S = 300.0
"""So long after a day was found full it is asked again: it may be another day, or a wider limit."""
GROWTH_PER_S = 1.1
"""By this factor a learned pace grows each second: from a half to the whole in some 7 s."""
LEARNED_PER_S_MAX = 10_000.0
"""A learned pace above this is forgotten: there is no limit to be seen."""

_LEARNED = "learned_per_s * power(%(growth)s, LEAST(400, extract(epoch FROM now() - learned_at)))"
_FORGOTTEN = f"{_LEARNED} > %(forgotten)s"
_KNOWN = {"growth": GROWTH_PER_S, "forgotten": LEARNED_PER_S_MAX}


@dataclass(frozen=True, slots=True)
class Turns:
    """A stretch of turns that belong to one sender, or the word that there is none for a while."""

    in_s: float
    """Seconds until the first one, negative when it is over already; where none is given, until it
    makes sense to ask again."""
    begins_s: float = 0.0
    """The same on the clock of the database, whose zero does not matter: a stretch that begins
    where another ended has nobody between."""
    given: bool = True
    day_is_full: bool = False
    """None is given, for the account has had its recipients of this day."""
    told_at: float = field(default_factory=time.monotonic)
    """When that was so, on the monotonic clock of this machine."""


_FULL = Turns(FULL_S, given=False, day_is_full=True)

_COUNTED = f"CASE WHEN pace.day = {TODAY} THEN pace.day_count ELSE 0 END"
_NEXT = "GREATEST(pace.next_at, pace.rest_until, clock_timestamp())"
_DAY_IS_FULL = f"COALESCE(%(n)s + {_COUNTED} > %(per_day)s::float8, false)"
# What the provider left for 24 hours is not made more by midnight. Nobody waits for the disk: an
# answer that comes late is a turn lost, and a server that crashed is away for longer than a turn.
_TAKE = f"""
INSERT INTO account_pace AS pace (account_id, next_at, day, day_count)
VALUES (%(id)s, clock_timestamp() + %(stretch)s * interval '1 s', {TODAY}, %(n)s)
ON CONFLICT (account_id) DO UPDATE
   SET next_at = {_NEXT} + %(stretch)s * interval '1 s',
       told_per_day = pace.told_per_day
                    - CASE WHEN pace.day = {TODAY} THEN 0 ELSE pace.day_count END,
       day = {TODAY},
       day_count = %(n)s + {_COUNTED}
 WHERE NOT {_DAY_IS_FULL}
   AND {_NEXT} <= clock_timestamp() + %(wait_max)s * interval '1 s'
RETURNING extract(epoch FROM next_at - clock_timestamp())::float8 - %(stretch)s,
          extract(epoch FROM next_at)::float8 - %(stretch)s,
          set_config('synchronous_commit', 'off', true)
"""
_WHY_NOT = f"""
SELECT {_DAY_IS_FULL},
       GREATEST(0, extract(epoch FROM {_NEXT} - clock_timestamp()))::float8
  FROM account_pace AS pace
 WHERE account_id = %(id)s
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger knows of one account's pace."""

    rest_s: float
    """Seconds that it rests from now on; 0: it does not."""
    learned_per_s: float | None
    """Calls a second that its answers of 429 have taught; None: nothing."""
    told_per_s: float | None
    """Recipients a second that its interface allows; None: not told."""
    told_per_day: float | None
    """Recipients of this day that its interface allows; None: not told."""
    day_count: int = 0
    """Recipients that it has had this day (UTC), as far as it has limits."""


def take(account_id: int, stretch_s: float, recipients: int, per_day: float | None) -> Turns:
    """The next stretch of so many seconds for this sender; `per_day`: recipients, None: any."""
    if per_day is not None and recipients > per_day:
        return _FULL
    asked = {
        "id": account_id,
        "stretch": stretch_s,
        "n": recipients,
        "per_day": per_day,
        "wait_max": WAIT_S_MAX,
    }
    with connection() as conn:
        row = conn.execute(_TAKE, asked).fetchone()
        if row is not None:
            return Turns(*row[:2])
        day_is_full, in_s = conn.execute(_WHY_NOT, asked).fetchall()[0]
    return _FULL if day_is_full else Turns(in_s, given=False)


def slow(account_id: int, rest_s: float, observed_per_s: float | None) -> None:
    """All senders let the account rest so long, and go on at half the pace that it refused.

    `observed_per_s`: calls a second when it said that they were too many; None: it said something
    else, and nothing is learned. Answers to calls that were in flight together count once.
    """
    with connection() as conn:
        conn.execute(
            "INSERT INTO account_pace AS pace (account_id, rest_until, learned_per_s, learned_at)"
            " VALUES (%(id)s, now() + %(rest)s::float8 * interval '1 s',"
            "         CASE WHEN %(seen)s::float8 IS NOT NULL"
            "              THEN GREATEST(0.5, %(seen)s::float8 / 2) END,"
            "         now() + %(rest)s::float8 * interval '1 s')"
            " ON CONFLICT (account_id) DO UPDATE"
            "   SET rest_until = GREATEST(pace.rest_until, excluded.rest_until),"
            "       learned_per_s = CASE WHEN %(seen)s::float8 IS NULL OR pace.rest_until > now()"
            "           THEN pace.learned_per_s ELSE excluded.learned_per_s END,"
            "       learned_at = CASE WHEN %(seen)s::float8 IS NULL OR pace.rest_until > now()"
            "           THEN pace.learned_at ELSE excluded.learned_at END",
            {"id": account_id, "rest": rest_s, "seen": observed_per_s},
        )


def tell(account_id: int, per_s: float | None, left: float | None) -> None:
    """What the provider's interface says of the account: recipients a second, and how many are
    left for the present 24 hours; None: no limit."""
    with connection() as conn:
        conn.execute(
            "INSERT INTO account_pace AS pace (account_id, told_per_s, told_per_day)"
            " VALUES (%s, %s, %s)"
            " ON CONFLICT (account_id) DO UPDATE"
            "   SET told_per_s = excluded.told_per_s,"
            f"      told_per_day = excluded.told_per_day + {_COUNTED}",
            (account_id, per_s, left),
        )


def standings() -> dict[int, Standing]:
    """By account id; an account that is not there has neither rested nor been told of limits."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT account_id,"
            "       GREATEST(0, extract(epoch FROM rest_until - now()))::float8,"
            f"      CASE WHEN {_FORGOTTEN} THEN NULL ELSE {_LEARNED} END,"
            f"      told_per_s, told_per_day, {_COUNTED}"
            "  FROM account_pace AS pace",
            _KNOWN,
        ).fetchall()
    return {id: Standing(*row) for id, *row in rows}
