"""What is known after a run: from the clients, from the ledger, and from the simulator."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from functools import cached_property
from typing import Any, Protocol
from uuid import UUID

from postroom.simulator.truth import Truth
from tests.faults.clients import Acknowledged
from tests.faults.scale import BATCH_MAX
from tests.faults.scene import Fault
from tests.faults.seconds import Span

_AFTERMATH = timedelta(seconds=1)
"""A call that begins this soon after a fault may still meet a socket that is about to close."""


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
    accepted_at: datetime

    def trace(self, id: UUID) -> bytes:
        """What stands on top of each copy of it that came by SMTP."""
        stamp = f"Received: by [127.0.0.1] (Postroom) with ESMTP id {id};\r\n"
        return f"{stamp}\t{format_datetime(self.accepted_at)}\r\n".encode()


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
    is_told_early: bool = False
    """Whether the provider told of it before the call was over."""


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
    canaries: Sequence[str] = ()
    """What must stand in no log: secrets, and pieces of addresses and of content."""
    oldest_due_s: float = 0.0
    """How long the oldest delivery that is still to be handed over has been due, in the end."""

    suppressed: Mapping[str, datetime] = field(default_factory=dict)
    """Addresses that a person suppressed during the run, and when that was acknowledged."""
    memory_mb: Mapping[str, int] = field(default_factory=dict)
    """By role, the most that one of its processes had in memory."""
    calls_per_s: int | None = None
    """The limit of the account; None: there is none."""
    arrives_before_s: float = 0.0
    """Seconds that a call has been with the provider, at least, when its mail is taken."""

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

    @property
    def stopped(self) -> list[KeptDelivery]:
        """Deliveries that waited when a person suppressed their address, and did not go."""
        return [
            one
            for one in self.deliveries.values()
            if one.recipient in self.suppressed and one.state == "suppressed"
        ]

    @property
    def arrivals(self) -> list[Span]:
        """When each call came of which the provider took mail."""
        came: dict[UUID, Span] = {}
        for taken in self.truth.copies.values():
            call = self.handovers.get(taken.copy.handover or "")
            if call is not None:
                latest = taken.copy.taken_at - self.arrives_before_s
                came[call.attempt_id] = Span(call.begun_at.timestamp(), latest)
        return list(came.values())

    def calls_at(self, fault: Fault) -> list[KeptHandover]:
        """The calls that were in flight when something went wrong."""
        return [call for call in self.calls.values() if spans(call, fault)]

    @cached_property
    def breaking(self) -> list[Fault]:
        """The faults that may leave a call without a known result."""
        return [fault for fault in self.faults if fault.breaks_calls]

    @cached_property
    def in_flight(self) -> int:
        """Deliveries that the calls in flight at these faults could hold at most."""
        met = {call.attempt_id for fault in self.breaking for call in self.calls_at(fault)}
        return BATCH_MAX * len(met)


def spans(lasting: Lasting, fault: Fault) -> bool:
    """Whether it was under way when the fault happened, or at any time while it lasted."""
    ended_at, until = lasting.ended_at, fault.until or fault.at
    return lasting.begun_at <= until + _AFTERMATH and (ended_at is None or ended_at >= fault.at)


def spanning(lasting: Iterable[Lasting], faults: Sequence[Fault]) -> int:
    """How many of them were under way at any of the faults."""
    return sum(any(spans(one, fault) for fault in faults) for one in lasting)
