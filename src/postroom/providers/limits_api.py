"""Interfaces that tell what the provider allows an account."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from postroom.providers.base import Account


@dataclass(frozen=True, slots=True)
class ToldLimits:
    """What the provider allows the account; None: no limit."""

    recipients_per_s: float | None
    recipients_left: float | None
    """Of the present 24 hours, from now on."""


@runtime_checkable
class TellsLimits(Protocol):
    """An `AccountApi` that tells the account's limits, too."""

    async def limits(self, account: Account) -> ToldLimits:
        """What may be sent from now on; raises AskFailed."""
        ...
