"""What an account may carry: by its settings, the provider's interface, and its answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from postroom.ledger.paces import Standing

SETTINGS = ("calls_per_s", "recipients_per_s", "recipients_per_day")
"""Settings of an account, numbers above zero."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one account; None: there is none."""

    calls_per_s: float | None = None
    recipients_per_s: float | None = None
    recipients_per_day: float | None = None

    @classmethod
    def of(cls, settings: Mapping[str, str], standing: Standing | None) -> Self:
        """The narrowest of everything that is known."""
        calls, per_s, per_day = (_number(settings.get(name)) for name in SETTINGS)
        if standing is None:
            return cls(calls, per_s, per_day)
        return cls(
            _least(calls, standing.learned_per_s),
            _least(per_s, standing.told_per_s),
            _least(per_day, standing.told_per_day),
        )

    @property
    def any(self) -> bool:
        """Whether there is a limit at all."""
        return (self.calls_per_s, self.recipients_per_s, self.recipients_per_day) != (None,) * 3

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
        spare = max(self.recipients_per_s - recipients + 1, 1.0)
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
