"""What this sender's calls met with, told to all; and accounts judged by what all have told."""

import asyncio
import logging
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from postroom.domain.health import SLOW_S, State
from postroom.ledger import account_health
from postroom.ledger.account_health import Calls, Change
from postroom.providers.base import Reply, ReplyKind
from postroom.sending.backoff import concerns_account

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Met:
    calls: int = 0
    errors: int = 0
    throttled: int = 0
    slow: int = 0


class Watch:
    """Counts what calls met with until the ledger is told."""

    def __init__(self) -> None:
        self._met: defaultdict[int, _Met] = defaultdict(_Met)

    def heard(self, account_id: int, reply: Reply, took_s: float) -> None:
        """Take note of an answer, and of how long it took."""
        met = self._met[account_id]
        met.calls += 1
        met.slow += took_s > SLOW_S
        if is_throttling(reply):
            met.throttled += 1
        elif reply.kind is ReplyKind.UNKNOWN or concerns_account(reply):
            met.errors += 1

    async def tend(self) -> None:
        """Tell what was met with, and judge; LedgerUnavailable when the database is away."""
        met, self._met = self._met, defaultdict(_Met)
        counts = [
            Calls(id, one.calls, one.errors, one.throttled, one.slow) for id, one in met.items()
        ]
        if counts:
            await asyncio.to_thread(account_health.note_calls, counts)
        rest = timedelta(seconds=settings.POSTROOM_FAILOVER_REST_S)
        for change in await asyncio.to_thread(account_health.judge, rest):
            _tell(change)


def is_throttling(reply: Reply) -> bool:
    """Whether the answer says that the calls were too many."""
    return reply.kind is ReplyKind.TRY_LATER and reply.status in (421, 429)


def _tell(change: Change) -> None:
    level = logging.ERROR if change.after.state is State.OPEN else logging.INFO
    _log.log(
        level,
        "%saccount %s was %s and is %s: %s",
        "ALARM " if change.after.state is State.OPEN else "",
        change.account,
        change.before.state,
        change.after.state,
        change.after.why or "all is well",
    )
