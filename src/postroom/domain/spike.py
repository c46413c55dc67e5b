"""When a receiving domain suddenly gives one reason much more often than it does."""

from dataclasses import dataclass
from datetime import timedelta

WINDOW = timedelta(hours=1)
FAILED_MIN = 20
"""Of fewer mails nobody speaks."""
SHARE_MIN = 0.1
"""Of the domain's final words within the window."""
TIMES_USUAL = 5
_OVER_PART = 0.5
"""A spike that stands is over when its figures are below this part of what began it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a domain said about mails handed over in some time."""

    failed: int
    """For the one reason."""
    told: int
    """Final words of any kind."""

    @property
    def share(self) -> float:
        """Part that failed for the reason; 0 where nothing was said."""
        return self.failed / self.told if self.told else 0.0


def is_spike(lately: Figures, usual: Figures, *, stands: bool = False) -> bool:
    """Whether the reason is given unusually often; one that stands ends at half of that."""
    part = _OVER_PART if stands else 1.0
    share_min = max(SHARE_MIN, min(1.0, TIMES_USUAL * usual.share))
    return lately.failed >= part * FAILED_MIN and lately.share >= part * share_min
