"""What the address decides: the fate of a mail to it.

Magic local parts work under `sim.example` and any domain below it; a plus-label that is an
enhanced status code is the one reported. Every other address gets its fate from the mix,
always the same for one seed and address.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from postroom.simulator.dice import Dice


class Fate(StrEnum):
    """What becomes of a mail; the values are the magic local parts."""

    DELIVERED = "delivered"
    """Taken by the recipient's server."""
    BOUNCE = "bounce"
    """Refused at once: no such mailbox, or the label's code."""
    FULL = "full"
    """Refused at once: over quota."""
    DEFER = "defer"
    """Put off until the provider gives up."""
    DEFER_THEN_DELIVER = "defer-then-deliver"
    """Put off twice, then taken."""
    LATE_BOUNCE = "late-bounce"
    """Taken, then returned by a notification."""
    BLOCK = "block"
    """Refused for the sender's reputation."""
    SPAM = "spam"
    """Refused for its content."""
    REFUSE = "refuse"
    """The provider refuses the whole call and says whose address it is."""
    COMPLAIN = "complain"
    """Taken, then reported as unwanted."""
    SUPPRESSED = "suppressed"
    """On the provider's own list: dropped."""
    SILENT = "silent"
    """Accepted and never heard of again."""
    OPEN = "open"
    """Taken, then opened by a person."""
    CLICK = "click"
    """Taken, opened, then a link followed."""
    UNSUBSCRIBE = "unsubscribe"
    """Taken, then unsubscribed."""
    OOTO = "ooto"
    """Taken; the vacation notice goes to the sender as mail, so no webhook tells of it."""
    MACHINE_OPEN = "machine-open"
    """Taken, then fetched by a privacy proxy. Not a magic address: only in the mix."""
    DISABLED = "disabled"
    """Refused at once: the mailbox is switched off. Not a magic address: only in the mix."""


MAGIC = {fate.value: fate for fate in Fate if fate not in {Fate.MACHINE_OPEN, Fate.DISABLED}}

MIX: tuple[tuple[Fate, float], ...] = (
    (Fate.DELIVERED, 56.4),
    (Fate.MACHINE_OPEN, 14.0),
    (Fate.OPEN, 19.0),
    (Fate.CLICK, 4.0),
    (Fate.DEFER_THEN_DELIVER, 1.6),
    (Fate.UNSUBSCRIBE, 0.15),
    (Fate.COMPLAIN, 0.05),
    (Fate.OOTO, 0.3),
    (Fate.BOUNCE, 2.0),
    (Fate.FULL, 0.7),
    (Fate.DISABLED, 0.4),
    (Fate.BLOCK, 0.5),
    (Fate.SPAM, 0.3),
    (Fate.DEFER, 0.3),
    (Fate.SUPPRESSED, 0.2),
    (Fate.LATE_BOUNCE, 0.1),
)
"""Percentages of a company list that was never cleaned: about 95.5 delivered. Nobody is silent."""

_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)+"
)
_LABEL_CODE = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class Decision:
    """The fate of one address, and how it shows on the wire."""

    fate: Fate
    magic: bool
    """Named by the address; engagement then needs no tracking."""
    code: str | None
    """The enhanced status code that the label asks for."""


def decide(address: str, seed: int, silent_share: float = 0.0) -> Decision:
    """The fate of `address`. `silent_share`: the part of the mix that is never heard of again."""
    local, _, domain = address.lower().rpartition("@")
    if domain == "sim.example" or domain.endswith(".sim.example"):
        name, _, label = local.partition("+")
        if name in MAGIC:
            code = label if _LABEL_CODE.fullmatch(label) else None
            return Decision(MAGIC[name], True, code)
    dice = Dice(seed, address.lower())
    if dice.happens(silent_share):
        return Decision(Fate.SILENT, False, None)
    return Decision(dice.weighted(MIX), False, None)


def refused_among(addresses: Iterable[str], seed: int) -> list[str]:
    """Those that make a provider refuse the call and say whose address it is."""
    return [each for each in addresses if decide(each, seed).fate is Fate.REFUSE]


def suppressed_among(addresses: Iterable[str], seed: int) -> list[str]:
    """Those that a provider has on its own list."""
    return [each for each in addresses if decide(each, seed).fate is Fate.SUPPRESSED]


def is_address(text: object) -> bool:
    """Whether it is an ASCII addr-spec; most providers take no others."""
    return isinstance(text, str) and len(text) <= 320 and _ADDRESS.fullmatch(text) is not None
