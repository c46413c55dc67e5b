"""When a communication will be through, and what sets its pace."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

NEAR = 0.8
"""A pace that is at least this part of a limit is set by it."""


class LimitedBy(StrEnum):
    """What keeps a communication from being through at once."""

    PAUSE = "pause"
    """It, or its application, is paused."""
    SEND_AT = "send_at"
    """What is left is to be sent later."""
    NO_ACCOUNT = "no_account"
    """No account is in use."""
    ACCOUNT_RESTS = "account_rests"
    """The provider asked for a pause, or is in trouble."""
    RECEIVER = "receiver"
    """What is left waits for receivers that asked for less mail."""
    APPLICATION_LIMIT = "application_limit"
    ACCOUNT_LIMIT = "account_limit"
    PROVIDER = "provider"
    """How fast the provider answers, and how many calls are in flight."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a forecast rests on; paces and limits in recipients a second."""

    due: int
    """Deliveries that wait and may go now."""
    later: int
    """Deliveries that wait for their time."""
    for_receivers: int
    """Of these, the ones that wait for a receiver which asked for less mail."""
    in_hand: int
    """Deliveries that a sender has claimed and not begun to hand over."""
    per_s: float
    """Of this communication, lately."""
    is_paused: bool
    accounts: int
    """Accounts in use that may carry it."""
    resting: int
    """Of these, those that rest now."""
    application_per_s: float | None
    application_day_left: float | None
    """Recipients that the application may still have today; None: any number."""
    account_day_left: float | None
    """Those that the accounts may still have today, all together."""
    account_use: float
    """What part of its limits the account uses that has most left; 0 where one has none."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of a communication from now on."""

    remaining: int
    """Deliveries that are not handed over yet."""
    per_s: float
    """Recipients a second, lately."""
    through_at: datetime | None
    """When the last one will be handed over at this pace; None: this cannot be told, or not
    today."""
    limited_by: LimitedBy | None
    """None: nothing remains."""


def forecast(found: Circumstances, now: datetime) -> Forecast:
    """The forecast that these circumstances allow."""
    now_going = found.due + found.in_hand
    remaining = now_going + found.later
    limited_by = _limited_by(found) if remaining else None
    stands_still = limited_by in (
        LimitedBy.PAUSE,
        LimitedBy.SEND_AT,
        LimitedBy.RECEIVER,
        LimitedBy.NO_ACCOUNT,
        LimitedBy.ACCOUNT_RESTS,
    )
    is_of_today = _fits(found.due, found.application_day_left, found.account_day_left)
    through_at = None
    if is_of_today and remaining and not stands_still and found.per_s > 0 and not found.later:
        through_at = now + timedelta(seconds=min(now_going / found.per_s, 10 * 365 * 86_400))
    return Forecast(remaining, found.per_s, through_at, limited_by)


def _limited_by(found: Circumstances) -> LimitedBy:
    if found.is_paused:
        return LimitedBy.PAUSE
    if found.due + found.in_hand == 0:
        waits_for_receivers = 2 * found.for_receivers >= found.later
        return LimitedBy.RECEIVER if waits_for_receivers else LimitedBy.SEND_AT
    if found.accounts == 0:
        return LimitedBy.NO_ACCOUNT
    if found.resting == found.accounts:
        return LimitedBy.ACCOUNT_RESTS
    own = found.application_per_s
    if not _fits(found.due, found.application_day_left):
        return LimitedBy.APPLICATION_LIMIT
    if own is not None and found.per_s >= NEAR * own:
        return LimitedBy.APPLICATION_LIMIT
    if found.account_use >= NEAR or not _fits(found.due, found.account_day_left):
        return LimitedBy.ACCOUNT_LIMIT
    return LimitedBy.PROVIDER


def _fits(due: int, *days_left: float | None) -> bool:
    """Whether so many may go today."""
    return all(left is None or due <= left for left in days_left)
