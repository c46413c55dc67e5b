"""What is known after a run: from the clients, from the ledger, and from the simulator."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

from postroom.simulator.truth import Truth
from tests.faults.clients import Acknowledged
from tests.faults.killer import BACKEND, POSTMASTER, Fault

BREAKS_CALLS = frozenset({"sender", "simulator", BACKEND, POSTMASTER})
"""Kinds whose death can leave a call without a known result."""
_AFTERMATH = timedelta(seconds=1)
"""A call that begins this soon after a kill may still meet a socket that is about to close."""


class Lasting(Protocol):
    """Something that began, and ended or did not."""

    @property
    def begun_at(self) -> datetime: ...
    @property
    def ended_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class KeptMessage:
    """A message as the ledger keeps it."""

    recipients: int
    """As counted at acceptance."""
    duplicates: int
    digest: str
    """SHA-256 of the bytes that are kept as its submission."""


@dataclass(frozen=True, slots=True)
class KeptDelivery:
    """A delivery as the ledger keeps it."""

    message_id: UUID
    recipient: str
    state: str | None


@dataclass(frozen=True, slots=True)
class KeptHandover:
    """A hand-over as the ledger keeps it, with the times of its call."""

    delivery_id: UUID
    attempt_id: UUID
    outcome: str | None
    begun_at: datetime
    ended_at: datetime | None


@dataclass
class Evidence:
    """One run."""

    acknowledged: Sequence[Acknowledged] = ()
    strange: Sequence[str] = ()
    faults: Sequence[Fault] = ()
    messages: dict[UUID, KeptMessage] = field(default_factory=dict)
    deliveries: dict[UUID, KeptDelivery] = field(default_factory=dict)
    handovers: dict[str, KeptHandover] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)
    """`postroom report --json`."""
    truth: Truth = field(default_factory=Truth)
    verified: str = ""
    """What `postroom verify` found; empty: nothing."""
    log: str = ""

    @cached_property
    def calls(self) -> dict[UUID, KeptHandover]:
        """One hand-over of each attempt, for its times."""
        return {one.attempt_id: one for one in self.handovers.values()}

    @cached_property
    def deliveries_of(self) -> dict[UUID, list[KeptDelivery]]:
        """Deliveries by message."""
        found: dict[UUID, list[KeptDelivery]] = defaultdict(list)
        for delivery in self.deliveries.values():
            found[delivery.message_id].append(delivery)
        return found

    @cached_property
    def doubtful(self) -> list[KeptHandover]:
        """Hand-overs whose call ended without a known result."""
        return [one for one in self.handovers.values() if one.outcome == "unknown"]

    def calls_at(self, fault: Fault) -> list[KeptHandover]:
        """The calls that were in flight when somebody was killed."""
        return [call for call in self.calls.values() if spans(call, fault)]


def spans(lasting: Lasting, fault: Fault) -> bool:
    """Whether it was under way when the fault happened."""
    ended_at = lasting.ended_at
    return lasting.begun_at <= fault.at + _AFTERMATH and (ended_at is None or ended_at >= fault.at)


def spanning(lasting: Iterable[Lasting], faults: Sequence[Fault]) -> int:
    """How many of them were under way at any of the faults."""
    return sum(any(spans(one, fault) for fault in faults) for one in lasting)
