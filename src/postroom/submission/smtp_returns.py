"""Mail that comes back to us: what the SMTP door asks of whoever can recognise and keep it.

The door knows nothing of bounces. It is handed an object of the wiring that knows which addresses
are ours, and takes mail to them from anybody, without AUTH and on both listeners.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from postroom.submission.smtp_path import Refused

RETURNED_BYTES_MAX = 10 * 1024 * 1024
"""Anybody may send here. Mail servers return 50 kB to a few megabytes of the mail at most."""


class NoSuchAddress(Exception):
    """The domain is one of ours for mail that comes back, and the address is none of it."""


class Destination(Protocol):
    """One address of ours, as `Returns.find` recognised it."""


@dataclass(frozen=True, slots=True)
class Returned:
    """One mail that came back, as one transaction brought it."""

    data: bytes = field(repr=False)
    mail_from: str
    """Empty for the null sender, which bounces have."""
    peer_ip: str
    destinations: Sequence[Destination]


class Returns(Protocol):
    """Recognises and keeps mail that comes back; both block and raise LedgerUnavailable."""

    def expected(self) -> bool:
        """Whether there is any address to which strangers may send."""
        ...

    def find(self, address: str) -> Destination | None:
        """Where the address leads; None when it is no address for returning mail.

        Raises NoSuchAddress for one of our domains with a part before the @ that is not ours.
        """
        ...

    def take(self, returned: Returned) -> None:
        """Returns once the mail is on disk."""
        ...


class ComingBack:
    """The part of a session's transaction that is addressed to us."""

    def __init__(self, returns: Returns | None) -> None:
        self._returns = returns
        self._destinations: list[Destination] = []

    def __bool__(self) -> bool:
        return bool(self._destinations)

    def clear(self) -> None:
        """The transaction is over."""
        self._destinations = []

    async def expected(self) -> bool:
        """Whether strangers may begin a mail."""
        return self._returns is not None and await asyncio.to_thread(self._returns.expected)

    async def takes(self, address: str, *, others: bool) -> bool:
        """Whether the address is for mail that comes back, and is a recipient now.

        `others` tells that the mail has recipients of the other kind: one mail has one purpose.
        """
        if self._returns is None:
            return False
        destination = await asyncio.to_thread(self._returns.find, address)
        if (destination is None and self) or (destination is not None and others):
            raise Refused("452 4.5.3 Send it to this recipient in another mail")
        if destination is not None:
            self._destinations.append(destination)
        return destination is not None

    async def store(self, data: bytes, mail_from: str, peer_ip: str) -> str:
        """The reply once the mail is on disk; raises LedgerUnavailable."""
        if self._returns is not None:
            returned = Returned(data, mail_from, peer_ip, tuple(self._destinations))
            # The commit goes on when the client has gone: a lost 250 is not a lost mail.
            await asyncio.shield(asyncio.to_thread(self._returns.take, returned))
        return "250 2.0.0 Ok"
