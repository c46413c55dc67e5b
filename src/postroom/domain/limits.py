"""What an account may carry: by its settings, the provider's interface, and its answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, Self

from postroom.domain.lane import Lane

SETTINGS = ("calls_per_s", "recipients_per_s", "recipients_per_day", "calls_in_flight")
"""Settings of an account, numbers above zero."""
_CALL_S_MAX = 0.0125
"""One call uses up no more than this part of an account's second: the larger calls are, the more
of each second stays unused; smaller ones would need more than 24 in flight at 300 ms each."""

_CALL_DAY_MAX = 0.01
"""Nor more than this part of its day: what is left of a day that is less than a call is lost."""

URGENT_DAY_SHARE = 0.05
"""The last part of a day's recipients, of an account or an application, that only urgent mail may
use: a broadcast in the morning leaves something for the evening."""


def open_to(lane: Lane, per_day: float) -> float:
    """How many of so many recipients a day mail of this lane may use, with all that went before."""
    return per_day if lane is Lane.URGENT else per_day - int(per_day * URGENT_DAY_SHARE)


class Learned(Protocol):
    """What is known of an account beside its settings; None: nothing."""

    @property
    def learned_per_s(self) -> float | None: ...

    @property
    def told_per_s(self) -> float | None: ...

    @property
    def told_per_day(self) -> float | None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one account; None: there is none."""

    calls_per_s: float | None = None
    recipients_per_s: float | None = None
    recipients_per_day: float | None = None
    batch_size: int = 1
    """Recipients that the account's roads take in one call."""
    calls_in_flight: int | None = None
    """Calls at once of all senders together."""

    @classmethod
    def of(cls, settings: Mapping[str, str], standing: Learned | None, batch_size: int) -> Self:
        """The narrowest of everything that is known."""
        calls, per_s, per_day, in_flight = (_number(settings.get(name)) for name in SETTINGS)
        if standing is not None:
            calls = _least(calls, standing.learned_per_s)
            per_s = _least(per_s, standing.told_per_s)
            per_day = _least(per_day, standing.told_per_day)
        at_once = None if in_flight is None else max(1, int(in_flight))
        return cls(calls, per_s, per_day, batch_size, at_once)

    @property
    def recipients_max(self) -> int | None:
        """Recipients of one call, so few that many calls fit into a second and a day; None: any
        number."""
        parts = []
        if self.recipients_per_s is not None:
            parts.append(self.recipients_per_s * _CALL_S_MAX)
        if self.recipients_per_day is not None:
            parts.append(self.recipients_per_day * _CALL_DAY_MAX)
        return max(1, min(self.batch_size, int(min(parts)))) if parts else None

    @property
    def bind(self) -> bool:
        """Whether there is a limit at all."""
        limits = (self.calls_per_s, self.recipients_per_s, self.recipients_per_day)
        return any(limit is not None for limit in limits)

    def calls_within(self, seconds: float, recipients: float) -> float:
        """How many calls of so many recipients go out in this time at the most."""
        stretch_s = self.stretch_s(recipients)
        return float("inf") if stretch_s == 0 else seconds / stretch_s

    def stretch_s(self, recipients: float) -> float:
        """Seconds of the account that a call to so many takes up; 0: any number at once."""
        by_calls = 0.0 if self.calls_per_s is None else 1 / self.calls_per_s
        if self.recipients_per_s is None:
            return by_calls
        # A call cannot be cut: the second in which it falls may be full but for one recipient.
        spare = max(self.recipients_per_s - (self.recipients_max or 1) + 1, 1.0)
        return max(by_calls, recipients / min(spare, self.recipients_per_s))


def _number(written: str | None) -> float | None:
    """The limit as set; None where there is none or where it is no number above zero."""
    try:
        value = float(written or "")
    except ValueError:
        return None
    return value if 0 < value < float("inf") else None


def _least(*limits: float | None) -> float | None:
    return min((one for one in limits if one is not None), default=None)
