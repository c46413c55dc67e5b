"""Deliveries in doubt, told to whoever answers for the application that submitted them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.ledger.db import connection

COUNTED_MAX = 100_000
"""Where more deliveries are in doubt, this many of them are looked at."""


@dataclass(frozen=True, slots=True)
class InDoubt:
    """Deliveries of one communication of which it is not known whether a provider took them."""

    application: str
    communication: str | None
    """None: mail outside of any."""
    simulated: bool
    count: int
    sent_again: int
    """Those that are sent again when the window has passed without a proof; the others wait."""
    since: datetime


# The condition is that of the index over what is in doubt.
_DOUBTFUL = """
       SELECT delivery.application_id, delivery.communication_id, delivery.simulated, on_doubt,
              silent_since
         FROM delivery
         JOIN message ON message.id = message_id
        WHERE stage = 'handed' AND verdict = 'indeterminate'
        LIMIT %(max)s"""


def in_doubt() -> list[InDoubt]:
    """All that is in doubt now, the largest number first."""
    with connection() as conn:
        rows = conn.execute(
            "SELECT application.name, communication.name, simulated, count(*),"
            "       count(*) FILTER (WHERE on_doubt = 'resend'), min(silent_since)"
            f"  FROM ({_DOUBTFUL}) AS doubtful"
            "  JOIN application ON application.id = doubtful.application_id"
            "  LEFT JOIN communication ON communication.id = communication_id"
            " GROUP BY 1, 2, 3"
            " ORDER BY count(*) DESC, 1, 2 NULLS FIRST, 3",
            {"max": COUNTED_MAX},
        )
        return [InDoubt(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class News:
    """That live mail of an application is in doubt, and was not, or less of it, when last told."""

    application: str
    count: int
    sent_again: int
    communications: int
    since: datetime


# One row for each application that was ever told; who writes it first has the news.
_NEWS = f"""
WITH doubtful AS (
    SELECT application_id, count(*) AS count,
           count(*) FILTER (WHERE on_doubt = 'resend') AS sent_again,
           count(DISTINCT communication_id) AS communications,
           min(silent_since) AS since, max(silent_since) AS newest_at
      FROM ({_DOUBTFUL}) AS each
     WHERE NOT simulated
     GROUP BY application_id
),
news AS (
    INSERT INTO doubt_told AS told (application_id, told_at, newest_at, count)
    SELECT application_id, now(), newest_at, count FROM doubtful ORDER BY application_id
        ON CONFLICT (application_id) DO UPDATE
       SET told_at = now(), newest_at = excluded.newest_at, count = excluded.count
     WHERE told.told_at <= now() - %(window)s
       AND (excluded.newest_at > told.newest_at OR excluded.count > told.count)
    RETURNING application_id
)
SELECT application.name, doubtful.count, sent_again, communications, since
  FROM news
  JOIN doubtful USING (application_id)
  JOIN application ON application.id = application_id
 ORDER BY application.name
"""


def news(window: timedelta) -> list[News]:
    """What is new since each application was told, no more than once in the window; told by this
    call."""
    with connection() as conn:
        rows = conn.execute(_NEWS, {"max": COUNTED_MAX, "window": window})
        return [News(*row) for row in rows]
