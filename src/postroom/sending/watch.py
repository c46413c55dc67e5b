"""What this sender's calls met with, told to all; and accounts judged by what all have told."""

import asyncio
import logging
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings

from postroom.domain.health import SLOW_S, State
from postroom.ledger import account_health
from postroom.ledger.account_health import Calls, Change
from postroom.providers.base import Reply, ReplyKind
from postroom.sending.backoff import concerns_account, is_throttling

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Met:
    calls: int = 0
    errors: int = 0
    throttled: int = 0
    slow: int = 0


@dataclass(slots=True, eq=False)
class Begun:
    """A call that is under way."""

    account_id: int
    at: float
    """Monotonic."""
    is_counted: bool = False
    """As a slow one, before it has ended: a provider that hangs is not to be waited for. It is
    counted again with its end."""


class Watch:
    """Counts what calls met with until the ledger is told."""

    def __init__(self) -> None:
        self._met: defaultdict[int, _Met] = defaultdict(_Met)
        self._under_way: set[Begun] = set()

    def begin(self, account_id: int) -> Begun:
        """Take note of a call that begins now; `ended` is to follow."""
        call = Begun(account_id, time.monotonic())
        self._under_way.add(call)
        return call

    def ended(self, call: Begun, reply: Reply) -> None:
        """Take note of its answer, and of how long that took."""
        self._under_way.discard(call)
        self._count(call)
        met = self._met[call.account_id]
        if is_throttling(reply):
            met.throttled += 1
        elif reply.kind is ReplyKind.UNKNOWN or concerns_account(reply):
            met.errors += 1

    def _count(self, call: Begun) -> None:
        met = self._met[call.account_id]
        met.calls += 1
        met.slow += time.monotonic() - call.at > SLOW_S

    async def tend(self) -> None:
        """Tell what was met with, and judge; LedgerUnavailable when the database is away."""
        for call in self._under_way:
            if time.monotonic() - call.at > SLOW_S and not call.is_counted:
                call.is_counted = True
                self._count(call)
        met, self._met = self._met, defaultdict(_Met)
        counts = [
            Calls(id, one.calls, one.errors, one.throttled, one.slow) for id, one in met.items()
        ]
        if counts:
            await asyncio.to_thread(account_health.note_calls, counts)
        rest = timedelta(seconds=settings.POSTROOM_FAILOVER_REST_S)
        for change in await asyncio.to_thread(account_health.judge, rest):
            _tell(change)


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
