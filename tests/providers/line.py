"""An account at the simulator as one of our providers, both ways over real sockets."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from postroom.providers.base import Account, Carrier, Copy, Heard, Mail, Reply
from postroom.providers.registry import PROVIDERS
from postroom.simulator.truth import TakenCopy
from tests.helpers import eventually
from tests.simulator.rig import Receiver, Running


@dataclass
class Line:
    """One account, the simulator that is its provider, and where its webhooks go."""

    account: Account
    running: Running
    receiver: Receiver

    def send(
        self, mail: Mail, *copies: Copy, road: str = "", timeout_s: float = 5.0
    ) -> list[Reply]:
        """The replies to all calls of a road, which is the first one unless it is named."""
        roads = {each.name: each for each in PROVIDERS[self.account.provider].roads}
        chosen = roads[road or self.account.provider]
        return asyncio.run(self._send(mail, copies, chosen.make(timeout_s)))

    async def _send(self, mail: Mail, copies: Sequence[Copy], carrier: Carrier) -> list[Reply]:
        try:
            calls = carrier.compose(self.account, mail, copies)
            return [await carrier.hand_over(self.account, call) for call in calls]
        finally:
            await carrier.close()

    def taken(self, copy: Copy) -> list[TakenCopy]:
        """What the provider took of it."""
        return self.running.truth.by_handover().get(str(copy.handover_id), [])

    def heard(self) -> list[Heard]:
        """Every event, once all is told; each post proved."""
        eventually(lambda: self.running.truth.copies and self.running.is_settled(), 20)
        receiver = PROVIDERS[self.account.provider].receiver
        assert receiver is not None
        found: list[Heard] = []
        for post in self.receiver.posts:
            headers = {name.lower(): value for name, value in post.headers.items()}
            receiver.verify(self.account, headers, post.body, datetime.now(UTC))
            found += receiver.parse(headers, post.body)
        return found


def to(local: str, domain: str = "sim.example", **vars: Any) -> Copy:
    """A copy for a magic address."""
    return Copy(uuid4(), f"{local}@{domain}", None, {"name": f"N-{local}", "year": "2027"} | vars)
