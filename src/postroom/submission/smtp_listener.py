"""What all sessions of one listener share: who may come in, how many, and who they are."""

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from postroom.ledger import keys
from postroom.submission.smtp_returns import Returns

SESSIONS_MAX = 2_000
"""Open sessions of one process: below the usual limit of 4,096 open files, with room to spare."""
SESSIONS_PER_PEER_MAX = 500
"""Of one address; an application server with a thread per mail opens some hundreds."""
CALLER_CACHE_S = 5.0
"""How long a source address is remembered: the table is not asked for every connection."""


@dataclass(slots=True)
class Listener:
    """One door: submission, where clients authenticate, or relay, which knows their networks."""

    hostname: str
    relays: bool
    tls: ssl.SSLContext | None = None
    """For STARTTLS; a listener under implicit TLS needs none."""
    returns: Returns | None = None
    """Who keeps mail that comes back; None where none is taken."""
    _open: Counter[str] = field(default_factory=Counter)
    _callers: dict[str, tuple[float, keys.Caller | None]] = field(default_factory=dict)

    @contextmanager
    def admit(self, peer_ip: str) -> Iterator[bool]:
        """Whether one more session is possible; it is counted until the block ends."""
        full = self._open.total() >= SESSIONS_MAX or self._open[peer_ip] >= SESSIONS_PER_PEER_MAX
        self._open[peer_ip] += 1
        try:
            yield not full
        finally:
            self._open[peer_ip] -= 1
            if not self._open[peer_ip]:
                del self._open[peer_ip]

    async def caller_at(self, peer_ip: str) -> keys.Caller | None:
        """The application that is known by this source address."""
        remembered = self._callers.get(peer_ip)
        if remembered and remembered[0] > time.monotonic():
            return remembered[1]
        caller = await asyncio.to_thread(keys.by_network, peer_ip)
        if len(self._callers) > 10_000:
            self._callers.clear()
        self._callers[peer_ip] = (time.monotonic() + CALLER_CACHE_S, caller)
        return caller
