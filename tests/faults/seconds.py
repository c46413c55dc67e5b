"""How many calls fell into a second, when the instants are known within bounds only.

A call came to the provider after its attempt was committed, and before its mail was taken; a busy
machine lets the two lie apart. A limit is broken where no choice of instants within these bounds
keeps it.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Span:
    """Seconds since 1970 between which a call came."""

    begins: float
    ends: float


def breaches(spans: Sequence[Span], per_s: int) -> Iterator[float]:
    """When calls came that make more than `per_s` in a second, whatever their instants were.

    Calls are put as early as they may have come, each a second after the one `per_s` before it.
    """
    spans = sorted(spans, key=lambda span: span.ends)
    # One that came after another may have begun before it: none of the earlier is put later.
    begins = list(accumulate((one.begins for one in reversed(spans)), min))[::-1]
    last = deque([float("-inf")] * per_s, maxlen=per_s)
    for begin, span in zip(begins, spans, strict=True):
        at = max(begin, last[-1], last[0] + 1)
        if at > span.ends:
            yield span.ends
        last.append(min(at, span.ends))
