"""What facts about an address ask us to stop writing to it, for which mail, and for how long.

Everything here is pure. Failures count by *when the mail was handed over, by our own clock*: so
neither the order in which notifications come, nor their repetition, nor their delay changes what
is decided, and no stranger's clock has a say (`domain/repeats.py` counts them).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from postroom.domain.delivery import EventType
from postroom.domain.reason import Reading
from postroom.domain.reason_table import Suppress
from postroom.domain.repeats import Delivers, repeated

SUPPRESSION_RULES = 1
"""Rises whenever a rule here or in `repeats` decides otherwise; kept with each suppression."""

ASKED = "asked"
"""The reason of a suppression that a person decided."""

PROOF_WINDOW = timedelta(days=30)
"""How far back failures are counted and deliveries looked for."""

ENDS_AFTER: dict[str, timedelta] = {
    "mailbox_full": timedelta(days=30),
    "gave_up": timedelta(days=30),
    "mailbox_disabled": timedelta(days=90),
    "domain_unknown": timedelta(days=90),
}
"""When probation begins; a reason without a row stays until it is lifted."""

TRIAL_LOST_AFTER = timedelta(days=4)
"""A trial of which nothing is heard is forgotten then, and the next mail is one."""

CHOICES = frozenset({"complained_before", "unsubscribed", ASKED})
"""Somebody's will; that a mail arrived says nothing against it."""

_ASK = frozenset(
    {EventType.BOUNCED, EventType.COMPLAINED, EventType.REJECTED, EventType.SUPPRESSED}
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What one event says against its address."""

    reason: str
    """Why, in the words of the table of reasons."""
    at_once: bool = True
    """False: it counts together with others on other days."""
    in_kind: bool = False
    """It concerns only mail of the kind of this one."""


def asked_by(type: EventType, reading: Reading, machine: bool | None = None) -> Asked | None:
    """What this event says against its address; None for nearly all events.

    A deferral or an opened mail never says anything, whatever its reading, and a machine does not
    unsubscribe anybody.
    """
    if type is EventType.UNSUBSCRIBED:
        return None if machine else Asked("unsubscribed", in_kind=True)
    if reading.reason is None or type not in _ASK:
        return None
    if reading.suppress is Suppress.NOW:
        return Asked(reading.cause or reading.reason)
    if reading.suppress is Suppress.ON_REPEAT and type is EventType.BOUNCED:
        return Asked(reading.reason, at_once=False)
    return None


@dataclass(frozen=True, slots=True)
class Failure:
    """One mail that an address failed."""

    reason: str
    at: datetime
    """When the mail was handed over, by our clock."""
    at_once: bool


def condemned(
    failures: Iterable[Failure], proved_at: datetime | None, delivers: Delivers
) -> dict[str, Failure]:
    """By reason the newest failure, of the reasons that stop mail to the address.

    `proved_at` is when the newest mail was handed over that arrived, or when a person last lifted
    what stood: what failed before says nothing more. `delivers(start, end)` is whether the
    receiving domain took any mail that was handed over in that stretch.
    """
    by_reason: dict[str, list[Failure]] = {}
    for one in failures:
        if proved_at is None or one.at > proved_at:
            by_reason.setdefault(one.reason, []).append(one)
    return {
        reason: max(some, key=lambda one: (one.at_once, one.at))
        for reason, some in by_reason.items()
        if any(one.at_once for one in some) or repeated(reason, {one.at for one in some}, delivers)
    }


def ends_at(reason: str, now: datetime) -> datetime | None:
    """When a suppression that begins now goes on probation; None: it stays."""
    after = ENDS_AFTER.get(reason)
    return None if after is None else now + after
