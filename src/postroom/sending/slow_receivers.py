"""What this sender knows of receivers that asked for less: mail in its hands heeds that too."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from postroom.domain.receiver import receiver_of
from postroom.ledger import receivers
from postroom.ledger.queue import Claimed
from postroom.ledger.receivers import Slowed
from postroom.sending.patience import patiently


class SlowReceivers:
    """Since when receivers are slow, by the ledger's clock; `refresh` looks again."""

    def __init__(self, lease_s: float) -> None:
        self._lease = timedelta(seconds=lease_s)
        self._since: dict[tuple[bool, str], datetime] = {}

    async def refresh(self) -> None:
        """Read who is slow; LedgerUnavailable when the database is away."""
        self._heed(await asyncio.to_thread(receivers.slowed))

    async def heard(self, simulated: bool, recipients: Iterable[str], handed_at: datetime) -> None:
        """An answer to mail handed over then says that these are sent too much."""
        await patiently(receivers.asked_for_less, simulated, list(recipients), handed_at)
        self._heed(await patiently(receivers.slowed))

    def _heed(self, slowed: Iterable[Slowed]) -> None:
        self._since = {(one.simulated, one.receiver): one.heard_at for one in slowed}

    def concern(self, claims: Iterable[Claimed]) -> bool:
        """Whether every one of these was claimed before its receiver last asked for less.

        What was claimed since then has its turn.
        """
        return bool(self._since) and all(map(self._concerns, claims))

    def _concerns(self, one: Claimed) -> bool:
        since = self._since.get((one.simulated, receiver_of(one.recipient)))
        return since is not None and one.lease_until - self._lease < since
