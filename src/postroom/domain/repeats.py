"""When failures that say little by themselves say enough together."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

Delivers = Callable[[datetime, datetime], bool]
"""Whether the receiving domain took any mail that was handed over within a stretch of time."""

PROVIDERS_TRY = timedelta(hours=72)
"""How long a provider tries before it gives up; a mail that was given up counts for so long."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """How often the same must be said, on different days (of UTC), within which time."""

    days: int
    within: timedelta


REPEATS: dict[str, Repeat] = {
    "domain_unknown": Repeat(2, timedelta(days=30)),
    "mailbox_disabled": Repeat(2, timedelta(days=30)),
    "mailbox_full": Repeat(3, timedelta(days=14)),
    "gave_up": Repeat(3, timedelta(days=30)),
}
"""Every reason that suppresses on repeat."""


def repeated(reason: str, failed_at: Iterable[datetime], delivers: Delivers) -> bool:
    """Whether mails handed over at these times failed often enough for this reason."""
    rule = REPEATS.get(reason)
    if rule is None:
        return False
    counted = sorted(set(failed_at))
    if reason == "gave_up":
        counted = _given_up(counted, delivers)
    return any(
        len({at.date() for at in counted if start <= at <= start + rule.within}) >= rule.days
        for start in counted
    )


def _given_up(failed_at: Iterable[datetime], delivers: Delivers) -> list[datetime]:
    """At most one in 72 hours, and none in which the whole domain took nothing from anybody."""
    counted: list[datetime] = []
    for at in failed_at:
        is_apart = not counted or at >= counted[-1] + PROVIDERS_TRY
        if is_apart and delivers(at, at + PROVIDERS_TRY):
            counted.append(at)
    return counted
