"""How long a process that has ended waits before it is started again."""

from dataclasses import dataclass

HEALTHY_S = 10.0
"""A process that ran this long starts again at once when it dies."""
_FIRST_S = 0.1


@dataclass(slots=True)
class Restarts:
    """The pauses of one process: none at first, then growing while it dies young."""

    pause_s_max: float
    _next_s: float = 0.0

    def pause_s(self, ran_s: float) -> float:
        """The pause after a process that ran for `ran_s`."""
        if ran_s > HEALTHY_S:
            self._next_s = 0.0
        pause_s = self._next_s
        self._next_s = min(2 * pause_s + _FIRST_S, self.pause_s_max)
        return pause_s
