"""How much a sender does at once."""

from dataclasses import dataclass
from typing import Self

from django.conf import settings


@dataclass(frozen=True, slots=True)
class Pace:
    """The limits of one sender process."""

    calls_max: int
    """Calls in flight; a quarter of them is kept for urgent mail alone."""
    claim_max: int
    """Deliveries of one claim."""
    batch_max: int | None
    """Recipients of one call; None: as many as the road takes."""
    lease_s: float
    call_timeout_s: float
    idle_s_max: float
    """Longest wait between two looks at an empty queue."""
    kept_bytes_max: int = 128 * 1024**2
    """Content of the messages used last, and again as much of those that calls are planned for."""

    @classmethod
    def of_settings(cls) -> Self:
        """The pace that the settings ask for."""
        return cls(
            calls_max=settings.POSTROOM_CALLS_IN_FLIGHT_MAX,
            claim_max=settings.POSTROOM_CLAIM_BATCH,
            batch_max=settings.POSTROOM_BATCH_MAX,
            lease_s=settings.POSTROOM_LEASE_S,
            call_timeout_s=settings.POSTROOM_CALL_TIMEOUT_S,
            idle_s_max=settings.POSTROOM_IDLE_POLL_S,
        )

    @property
    def urgent_calls(self) -> int:
        """Calls that only urgent mail may use, so that no hanging broadcast delays it."""
        return self.calls_max // 4
