"""Trouble on purpose: what goes wrong, how often, from a seed."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from postroom.simulator.dice import Dice


class MischiefError(ValueError):
    """The mischief asked for is none that the simulator knows."""


@dataclass(frozen=True, slots=True)
class Mischief:
    """What goes wrong. Rates are shares of calls or of webhook batches, from 0 to 1."""

    seed: int = 1
    """The same seed gives the same sequence of throws."""
    latency_ms: tuple[float, float] = (0.0, 0.0)
    """Least and greatest wait before a call is answered: half of it before the mail is taken."""
    throttle_per_s: int | None = None
    """Most calls in one second; the others get 429. None: no limit."""
    too_many: float = 0.0
    """Calls answered 429 whatever their number."""
    retry_after_s: int | None = None
    """What `Retry-After` says with 429 and 503. None: nothing."""
    refuse: float = 0.0
    """Calls refused with `refuse_status`."""
    refuse_status: int = 400
    """400, 401, 403, 413 or 421."""
    error_before: float = 0.0
    """Calls answered `error_status` and not taken."""
    error_after: float = 0.0
    """Calls taken, and answered `error_status`."""
    error_status: int = 500
    """A provider that answers 503 says that it took nothing: with `error_after` that is a lie."""
    hang_before: float = 0.0
    """Calls never answered and not taken."""
    hang_after: float = 0.0
    """Calls taken and never answered."""
    drop_before: float = 0.0
    """Connections cut before the call is taken."""
    drop_after: float = 0.0
    """Connections cut after the call was taken."""
    half_answer: float = 0.0
    """Calls taken whose answer breaks off in the middle."""
    half_body: float = 0.0
    """Calls taken whose answer ends well, and holds half of what it should."""
    wrong_type: float = 0.0
    """Calls taken, and answered with a web page under the usual status."""
    fewer_results: float = 0.0
    """Calls taken whose answer leaves the last recipient out, where it names each."""
    webhook_delay_ms: tuple[float, float] = (0.0, 0.0)
    """Least and greatest wait before a batch is posted, so that batches overtake one another."""
    webhook_repeat: float = 0.0
    """Batches posted again after a 2xx: the same bytes under the same signature."""
    webhook_reissue: float = 0.0
    """Batches told again with new event ids, newly signed."""
    webhook_repeat_max: int = 3
    """Most repetitions of one batch. The vendor was seen to repeat 46 times."""
    webhook_shuffle: bool = False
    """Events that are due together come in any order."""
    webhook_lose: float = 0.0
    """Batches never posted."""
    webhook_forge: float = 0.0
    """Batches accompanied by a forgery: another story without a valid signature."""
    webhook_truncate: float = 0.0
    """Batches whose first post breaks off in the middle of the body; told whole afterwards."""

    @classmethod
    def read(cls, settings: Mapping[str, Any]) -> "Mischief":
        """Raises MischiefError and says which setting is wrong."""
        known = {each.name: each.default for each in fields(cls)}
        for name, value in settings.items():
            if name not in known:
                raise MischiefError(f"{name} is no mischief; there are {', '.join(sorted(known))}")
            _check(name, value, known[name])
        ranges = {n: tuple(v) for n, v in settings.items() if isinstance(v, list | tuple)}
        return cls(**{**settings, **ranges})


def _check(name: str, value: object, default: object) -> None:
    if isinstance(default, tuple):
        ok = isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value))
    elif isinstance(default, bool):
        ok = isinstance(value, bool)
    elif isinstance(default, float):
        ok = _is_number(value) and 0 <= value <= 1  # type: ignore[operator]  # a number by then
    else:
        ok = isinstance(value, int) or value is default
    if not ok:
        raise MischiefError(f"{name} cannot be {value!r}; without mischief it is {default!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class Act(StrEnum):
    """What is done to one call."""

    NOTHING = "nothing"
    TOO_MANY = "too_many"
    REFUSE = "refuse"
    ERROR = "error"
    HANG = "hang"
    DROP = "drop"
    HALF = "half"
    HALF_BODY = "half_body"
    WRONG_TYPE = "wrong_type"
    FEWER_RESULTS = "fewer_results"


class Troublemaker:
    """Decides call by call, and counts calls for the rate limit."""

    def __init__(self, mischief: Mischief) -> None:
        self._window = (0, 0)
        self.set(mischief)

    def set(self, mischief: Mischief) -> None:
        """Take over other mischief; its throws begin anew."""
        self.mischief = mischief
        self.dice = Dice(mischief.seed, "mischief")

    def before(self) -> Act:
        """What happens to a call before anything is taken."""
        limit = self.mischief.throttle_per_s
        if limit is not None and self._count_call() > limit:
            return Act.TOO_MANY
        m = self.mischief
        return self._first(
            (Act.TOO_MANY, m.too_many),
            (Act.REFUSE, m.refuse),
            (Act.ERROR, m.error_before),
            (Act.HANG, m.hang_before),
            (Act.DROP, m.drop_before),
        )

    def after(self) -> Act:
        """What happens to the answer of a call that was taken."""
        m = self.mischief
        return self._first(
            (Act.ERROR, m.error_after),
            (Act.HANG, m.hang_after),
            (Act.DROP, m.drop_after),
            (Act.HALF, m.half_answer),
            (Act.HALF_BODY, m.half_body),
            (Act.WRONG_TYPE, m.wrong_type),
            (Act.FEWER_RESULTS, m.fewer_results),
        )

    def latency_s(self) -> float:
        """How long this call waits for its answer."""
        return self._range_s(self.mischief.latency_ms)

    def webhook_delay_s(self) -> float:
        """How long this batch waits before it is posted."""
        return self._range_s(self.mischief.webhook_delay_ms)

    def calls_left(self) -> int:
        """Calls that the current second still allows; the vendor's own limit is far away."""
        limit = self.mischief.throttle_per_s
        second, calls = self._window
        if limit is None:
            return 9999
        return max(0, limit - calls) if second == int(time.time()) else limit

    def _count_call(self) -> int:
        second, now = self._window[0], int(time.time())
        self._window = (now, self._window[1] + 1 if second == now else 1)
        return self._window[1]

    def _first(self, *acts: tuple[Act, float]) -> Act:
        return next((act for act, rate in acts if self.dice.happens(rate)), Act.NOTHING)

    def _range_s(self, span_ms: tuple[float, float]) -> float:
        low, high = span_ms
        return self.dice.between(low, high) / 1000 if high > 0 else 0.0
