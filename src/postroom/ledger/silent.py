"""Hand-overs without a final word: what a provider is asked about when it tells of single mails."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from postroom.ledger.db import connection
from postroom.ledger.pulls import DECIDING


@dataclass(frozen=True, slots=True)
class Silent:
    """One hand-over of which the last word is not final."""

    handover_id: UUID
    recipient: str
    provider_message_id: str | None
    begun_at: datetime


# Of a call in doubt one hand-over is asked about first: the provider took the call, or did not.
_NEXT = f"""
SELECT handover.id, recipient,
       COALESCE(handover.provider_message_id, attempt.provider_message_id), handover.begun_at
  FROM delivery
  JOIN {DECIDING}
  JOIN attempt ON attempt.id = handover.attempt_id
 WHERE delivery.silent_since >= %(since)s AND delivery.silent_since < now() - %(silent_for)s
   AND delivery.stage = 'handed'
   AND handover.account_id = %(account)s
   AND handover.begun_at BETWEEN %(since)s AND %(until)s
   AND handover.id > %(after)s
   AND CASE WHEN delivery.verdict = 'indeterminate' THEN NOT EXISTS (
       SELECT FROM handover AS sooner
         JOIN delivery AS its ON its.id = sooner.delivery_id
        WHERE sooner.attempt_id = handover.attempt_id AND sooner.id < handover.id
          AND its.stage = 'handed' AND its.verdict = 'indeterminate')
       ELSE NOT %(only_in_doubt)s END
 ORDER BY handover.id
 LIMIT %(limit)s
"""

_BEFORE_ALL = UUID(int=0)


def next_silent(
    account_id: int,
    since: datetime,
    until: datetime,
    silent_for: timedelta,
    after: UUID | None,
    limit: int,
    *,
    only_in_doubt: bool,
) -> list[Silent]:
    """Hand-overs to the account that began in this time and wait for a final word, by their ids.

    `after` is the last one that was asked about; None: none was. `silent_for` is how long nothing
    was heard of them.
    """
    with connection() as conn:
        rows = conn.execute(
            _NEXT,
            {
                "account": account_id,
                "since": since,
                "until": until,
                "silent_for": silent_for,
                "after": after or _BEFORE_ALL,
                "limit": limit,
                "only_in_doubt": only_in_doubt,
            },
        )
        return [Silent(*row) for row in rows]
