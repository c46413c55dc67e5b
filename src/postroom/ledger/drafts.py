"""A message on its way into the ledger, between the door's word and the rows."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from postroom.domain.delivery import Stage
from postroom.domain.lane import ON_DOUBT_BY_LANE, Lane
from postroom.ledger.acceptance import DELIVERIES_LISTED_MAX, Acceptance, NewDelivery, NewMessage

Outcome = tuple[Stage, str | None, int | None]
"""Stage, reason and standing suppression of one delivery at acceptance."""

_NEVER_SENT = (Stage.REJECTED, Stage.SUPPRESSED)


@dataclass(slots=True)
class Draft:
    """A message that is about to be written."""

    new: NewMessage
    id: UUID
    delivery_ids: list[UUID]
    outcomes: list[Outcome]
    """Of each delivery, in order."""
    communication_id: int | None = None
    lane: Lane = field(init=False)
    """The lane in which it goes."""

    def __post_init__(self) -> None:
        self.lane = self.new.lane

    @property
    def asked_lane(self) -> Lane | None:
        """The lane that was asked for, where it goes in another."""
        return None if self.lane is self.new.lane else self.new.lane

    @property
    def on_doubt(self) -> str:
        return self.new.on_doubt or ON_DOUBT_BY_LANE[self.lane]

    @property
    def to_send(self) -> int:
        """Its deliveries that did not end at the door."""
        return sum(stage not in _NEVER_SENT for stage, _, _ in self.outcomes)

    def acceptance(self) -> Acceptance:
        listed: Iterable[tuple[UUID, NewDelivery, Outcome]] = ()
        if len(self.outcomes) <= DELIVERIES_LISTED_MAX:
            listed = zip(self.delivery_ids, self.new.deliveries, self.outcomes, strict=True)
        return Acceptance(
            message_id=self.id,
            communication=self.new.communication,
            recipients=len(self.outcomes),
            suppressed=sum(stage is Stage.SUPPRESSED for stage, _, _ in self.outcomes),
            duplicates=self.new.duplicates,
            deliveries=[(id, one.recipient, str(stage)) for id, one, (stage, _, _) in listed],
            lane=self.lane,
            asked_lane=self.asked_lane,
        )
