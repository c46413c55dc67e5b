"""What can happen to a mail, in the words of mail: no provider's, and none of Postroom's."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from enum import StrEnum
from json.encoder import encode_basestring_ascii as _quoted
from operator import attrgetter
from typing import Any

from postroom.simulator.replies import Situation


class What(StrEnum):
    """What happened."""

    ACCEPTED = "accepted"
    """The provider put it in its queue."""
    DEFERRED = "deferred"
    """The receiver said later, and the provider goes on trying."""
    DELIVERED = "delivered"
    """The receiver took it."""
    BOUNCED = "bounced"
    """The receiver refused it for good, or the provider gave up."""
    DROPPED = "dropped"
    """The provider did not try."""
    AUTO_REPLIED = "auto-replied"
    """A vacation notice came back."""
    COMPLAINED = "complained"
    """Its reader reported it as unwanted."""
    OPENED = "opened"
    CLICKED = "clicked"
    UNSUBSCRIBED = "unsubscribed"


DISPOSITIONS = frozenset({What.ACCEPTED, What.DEFERRED, What.DELIVERED, What.BOUNCED, What.DROPPED})
"""These say what became of the mail; the others say what people and their machines did with it."""


class Why(StrEnum):
    """Why a provider does not try."""

    BOUNCED_BEFORE = "bounced before"
    UNSUBSCRIBED_BEFORE = "unsubscribed before"
    COMPLAINED_BEFORE = "complained before"
    FLAWED = "flawed"
    """The mail itself cannot be used; `text` says in the provider's words what is wrong."""


@dataclass(slots=True)  # frozen would double the time it takes to make one
class Step:
    """One thing that is to happen."""

    what: What
    after_s: float
    """Seconds from the moment the mail was taken, before `time_scale`."""
    text: str = ""
    """The receiver's reply, whole."""
    code: str | None = None
    """The enhanced status code in that reply; None where the receiver gives none."""
    situation: Situation | None = None
    """What the receiver means; None where only the code tells, because an address asked for it."""
    attempt: int = 0
    """Which try was put off, from 1."""
    gave_up: bool = False
    """The bounce ends a series of tries."""
    after_acceptance: bool = False
    """The bounce came back as a mail, after the receiver had taken it."""
    why: Why | None = None
    machine: bool = False
    """Opened by a privacy proxy and not by a person."""
    agent: str = ""
    """The reader's program."""
    ip: str = ""
    """Of the machine that acted: the provider's when mail moved, the reader's when it was read."""

    def line(self) -> str:
        """As a JSON object, without what is as usual; nothing more is said of an acceptance."""
        if self.what is What.ACCEPTED:
            return '{"what": "accepted", "after_s": 0.0}'
        told = "".join(
            [
                f', "{name}": {_quoted(value) if isinstance(value, str) else json.dumps(value)}'
                for name, value, usual in zip(_NAMES, _values_of(self), _USUAL, strict=True)
                if value is not usual
            ]
        )
        return f'{{"what": "{self.what}", "after_s": {self.after_s}{told}}}'

    @classmethod
    def read(cls, line: Mapping[str, Any]) -> "Step":
        """The step of such an object; raises KeyError and ValueError."""
        told = {name: line[name] for name in _NAMES if name in line}
        for name, kind in (("situation", Situation), ("why", Why)):
            if name in told:
                told[name] = kind(told[name])
        return cls(What(line["what"]), line["after_s"], **told)


_WORDS = tuple(each for each in fields(Step) if each.default is not MISSING)
_NAMES = tuple(each.name for each in _WORDS)
_USUAL = tuple(each.default for each in _WORDS)
_values_of = attrgetter(*_NAMES)
