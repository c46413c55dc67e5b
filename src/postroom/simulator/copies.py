"""One recipient's copy of a mail that the provider took, as the truth log keeps it."""

import json
from dataclasses import MISSING, Field, dataclass, field, fields
from operator import attrgetter
from typing import Any

from postroom.simulator.addresses import decide
from postroom.simulator.plan import timeline
from postroom.simulator.steps import Step, What, Why

HANDOVER_KEY = "postroom_handover"
"""The metadata key, of any provider, that carries the sender's own opaque id of a hand-over."""


def _is_needed(each: Field[Any]) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _usual(each: Field[Any]) -> object:
    return each.default if each.default_factory is MISSING else each.default_factory()


_TRACKED = {What.OPENED: "track_opens", What.CLICKED: "track_clicks"}


@dataclass(slots=True)  # frozen would double the time it takes to take a mail
class Copy:
    """A mail taken for one recipient; nothing of it changes any more."""

    face: str
    """The face that took it."""
    message_id: str
    """As answered to the caller."""
    number: int
    """Which recipient of the call, from 0; `message_id` and `number` together occur once."""
    door: str
    """`http` or `smtp`."""
    recipient: str
    sender: str
    to: tuple[str, ...]
    """The addresses that this recipient sees in To."""
    cc: tuple[str, ...]
    digest: str
    """Of what this recipient gets: see `truth.digest_of_content` and `truth.digest_of_mail`."""
    header_message_id: str
    """What the recipient sees as Message-ID."""
    taken_at: float
    """Seconds since 1970."""
    starts_at: float
    """When its timeline begins: `taken_at`, or the moment that was asked for."""
    seed: int
    handover: str | None = None
    """The sender's own id of this hand-over; None when none travelled with it."""
    metadata: dict[str, str] = field(default_factory=dict)
    """What the provider was asked to say again in every event."""
    tags: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)
    """What only this face needs to tell of it."""
    url: str | None = None
    """The link that is followed when one is."""
    track_opens: bool = True
    track_clicks: bool = True
    silent_share: float = 0.0
    tried: bool = False
    """The receiver put it off before it was taken, so it does not do so afterwards."""
    flaw: str | None = None
    """Why the provider drops it itself, whatever the address says; in the provider's words."""

    @property
    def id(self) -> str:
        """Names this copy in the truth log."""
        return f"{self.message_id}.{self.number}"

    def steps(self) -> tuple[Step, ...]:
        """All that is to happen to it, from the first to the last."""
        if self.flaw:
            return (Step(What.DROPPED, 0.1, self.flaw, why=Why.FLAWED),)
        decision = decide(self.recipient, self.seed, self.silent_share)
        steps = timeline(self.recipient, decision, self.seed)
        if self.tried:
            steps = tuple(step for step in steps if step.what is not What.DEFERRED)
        if decision.magic or (self.track_opens and self.track_clicks):
            return steps
        return tuple(step for step in steps if getattr(self, _TRACKED.get(step.what, ""), True))

    def line(self, steps: int) -> str:
        """Its line in the truth log; `steps` is how many facts are to follow."""
        return json.dumps(
            {"kind": "taken", "copy": self.id, "steps": steps}
            | dict(zip(_NEEDED, _needed_of(self), strict=True))
            | {
                name: value
                for (name, usual), value in zip(_USUAL, _usual_of(self), strict=True)
                if value != usual
            }
        )

    @classmethod
    def read(cls, line: dict[str, Any]) -> "Copy":
        """The copy of a truth line."""
        values = {name: line[name] for name in (*_NEEDED, *dict(_USUAL)) if name in line}
        lists = {name: tuple(values[name]) for name in _LISTS if name in values}
        return cls(**values | lists)


_LISTS = ("to", "cc", "tags")
_NEEDED = tuple(each.name for each in fields(Copy) if _is_needed(each))
_USUAL = tuple((each.name, _usual(each)) for each in fields(Copy) if not _is_needed(each))
"""Fields whose usual value is left out of the line, with that value."""
_needed_of = attrgetter(*_NEEDED)
_usual_of = attrgetter(*dict(_USUAL))
