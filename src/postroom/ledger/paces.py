"""The pace of each account: turns that all senders share, rests, and what 429 has taught.

A row holds when the account's next turn begins. A sender takes a stretch of turns by moving that
instant on, so no two senders ever use the same one, whatever their number and their clocks.
"""

from dataclasses import dataclass

from postroom.domain.retry import ASKED_S_MAX
from postroom.ledger.db import connection

GROWTH_PER_S = 1.05
"""By this factor a learned pace grows each second: from a half to the whole in some 14 s."""
LEARNED_PER_S_MAX = 10_000.0
"""A learned pace above this is forgotten: there is no limit to be seen."""

_LEARNED = "learned_per_s * power(%(growth)s, LEAST(400, extract(epoch FROM now() - learned_at)))"
_FORGOTTEN = f"{_LEARNED} > %(forgotten)s"
_KNOWN = {"growth": GROWTH_PER_S, "forgotten": LEARNED_PER_S_MAX}


@dataclass(frozen=True, slots=True)
class Turns:
    """A stretch of turns that belong to one sender."""

    in_s: float
    """Seconds until the first one; negative when it is over already; where the day is full, when
    to ask again."""
    day_is_full: bool = False
    """Nothing was given: the account has had its recipients of this day."""


_FULL = Turns(ASKED_S_MAX, day_is_full=True)


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


def take(account_id: int, stretch_s: float, recipients: int, per_day: float | None) -> Turns:
    """The next stretch of so many seconds for this sender; `per_day`: recipients, None: any."""
    if per_day is not None and recipients > per_day:
        return _FULL
    with connection() as conn:
        row = conn.execute(
            "INSERT INTO account_pace AS pace (account_id, next_at, day, day_count)"
            " VALUES (%(id)s, clock_timestamp() + %(stretch)s * interval '1 s',"
            "         (now() AT TIME ZONE 'UTC')::date, %(n)s)"
            " ON CONFLICT (account_id) DO UPDATE"
            "   SET next_at = GREATEST(pace.next_at, pace.rest_until, clock_timestamp())"
            "               + %(stretch)s * interval '1 s',"
            "       day = excluded.day,"
            "       day_count = excluded.day_count"
            "                 + CASE WHEN pace.day = excluded.day THEN pace.day_count ELSE 0 END"
            " WHERE %(per_day)s::float8 IS NULL"
            "    OR excluded.day_count"
            "       + CASE WHEN pace.day = excluded.day THEN pace.day_count ELSE 0 END"
            "       <= %(per_day)s::float8"
            " RETURNING extract(epoch FROM next_at - clock_timestamp())::float8 - %(stretch)s",
            {"id": account_id, "stretch": stretch_s, "n": recipients, "per_day": per_day},
        ).fetchone()
    return _FULL if row is None else Turns(row[0])


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
            "INSERT INTO account_pace AS pace (account_id, told_per_s, told_per_day, told_at)"
            " VALUES (%s, %s, %s, now())"
            " ON CONFLICT (account_id) DO UPDATE"
            "   SET told_per_s = excluded.told_per_s, told_at = excluded.told_at,"
            "       told_per_day = excluded.told_per_day + CASE"
            "           WHEN pace.day = (now() AT TIME ZONE 'UTC')::date"
            "           THEN pace.day_count ELSE 0 END",
            (account_id, per_s, left),
        )


def standings() -> dict[int, Standing]:
    """By account id; an account that is not there has neither rested nor been told of limits."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT account_id,"
            "       GREATEST(0, extract(epoch FROM rest_until - now()))::float8,"
            f"      CASE WHEN {_FORGOTTEN} THEN NULL ELSE {_LEARNED} END,"
            "       told_per_s, told_per_day"
            "  FROM account_pace",
            _KNOWN,
        ).fetchall()
    return {id: Standing(*row) for id, *row in rows}
