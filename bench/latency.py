"""One recipient a call to a provider that takes 140 ms to answer, against what can be had."""

from bench.handing_over import accounts_of, drain
from bench.rig import Rig
from bench.sink import fullest_second, per_second, sink
from bench.table import Row

RUNS = 5
LATENCY_S = 0.14
IN_FLIGHT = 24
"""Calls that one sender makes at a time for mail that is not urgent, by default settings."""
LIMIT_PER_S = 100
SECONDS = 10
ENOUGH = 0.8
"""Of a linear rise."""


def kept_busy(rig: Rig, scale: float) -> list[Row]:
    """One sender, held by its calls in flight, and by an account's limit."""
    free, _ = _rates(rig, scale, RUNS, IN_FLIGHT / LATENCY_S)
    limited, fullest = _rates(rig, scale, RUNS, LIMIT_PER_S, calls_per_s=str(LIMIT_PER_S))
    what = f"one in a call, {1000 * LATENCY_S:.0f} ms"
    held = f"{IN_FLIGHT} in flight / latency"
    limit = f"the account's limit, {LIMIT_PER_S} calls/s"
    return [
        Row(what, "/s", free, held, [IN_FLIGHT / LATENCY_S], least=0.95),
        Row(what, "/s", limited, limit, [LIMIT_PER_S], least=0.95),
        Row(f"{what}: fullest second", "calls", [fullest], limit, [LIMIT_PER_S], most=1),
    ]


def senders(rig: Rig, scale: float) -> list[Row]:
    """1, 2, 4 and 8 senders over one database, each against as many times the pace of one."""
    [one], _ = _rates(rig, scale, 1, IN_FLIGHT / LATENCY_S)
    rows: list[Row] = []
    for count in (2, 4, 8):
        [pace], _ = _rates(rig, scale, 1, count * IN_FLIGHT / LATENCY_S, count)
        # Eight are there to find the end, whatever that is.
        least = ENOUGH if count < 8 else None
        against = f"{count} times one sender"
        rows.append(Row(f"{count} senders, {1000 * LATENCY_S:.0f} ms", "/s", [pace], against,
                        [count * one], least=least))  # fmt: skip
    return rows


def _rates(
    rig: Rig, scale: float, runs: int, possible_per_s: float, senders: int = 1, **limits: str
) -> tuple[list[float], int]:
    """Calls a second of each run, and the calls of the fullest second of all."""
    mails = max(100, int(scale * SECONDS * possible_per_s))
    with sink(LATENCY_S) as provider, accounts_of(provider, **limits), rig.senders(senders):
        drain(provider, 50 * senders, 1)
        runs_of_calls = [drain(provider, mails, 1) for _ in range(runs)]
    fullest = max(map(fullest_second, runs_of_calls))
    return [per_second(calls) for calls in runs_of_calls], fullest
