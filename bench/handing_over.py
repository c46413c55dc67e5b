"""Hand-over to a provider that answers at once: in batches, and one recipient a call."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bench import cpu, filling
from bench.processes import resident_mb
from bench.rig import Rig
from bench.sink import Call, Sink, per_second, sink
from bench.table import Row
from tests.helpers import eventually

RUNS = 5
BATCH = 1_000
IN_BATCHES = 100_000
SINGLES = 5_000
PER_S_MIN = 10_000
IN_FLIGHT = 32
"""Calls of the raw loop at a time: as many as one sender's."""
ANYMAIL_THREADS = 16
DRAIN_S_MAX = 300.0


@dataclass(frozen=True, slots=True)
class Drained:
    """Rates of some runs, in recipients a second, and what they cost."""

    rates: list[float]
    cost: str


def batches(rig: Rig, scale: float) -> list[Row]:
    """One message to many, 1,000 in a call."""
    calls = max(10, int(scale * IN_BATCHES) // BATCH)
    with sink() as provider:
        raw = [_peer(provider, "raw_calls", calls, BATCH, IN_FLIGHT) for _ in range(RUNS)]
        with accounts_of(provider):
            ours = drained(rig, provider, 1, calls * BATCH)
    what, unit = "hand-over, 1,000 in a call", "/s"
    rates = ours.rates
    return [
        Row(what, unit, rates, "recipients a second", [PER_S_MIN], least=1, note=ours.cost),
        Row(what, unit, rates, "raw aiohttp, bodies ready, nothing stored", raw),
    ]


def singles(rig: Rig, scale: float) -> list[Row]:
    """Many messages, each to one."""
    mails = max(100, int(scale * SINGLES))
    with sink() as provider:
        raw = [_peer(provider, "raw_calls", mails, 1, IN_FLIGHT) for _ in range(RUNS)]
        anymail = [
            _peer(provider, "anymail_calls", mails // 4, ANYMAIL_THREADS) for _ in range(RUNS)
        ]
        with accounts_of(provider):
            ours = drained(rig, provider, mails, 1)
    what, rates = "hand-over, one in a call", ours.rates
    return [
        Row(what, "/s", rates, "raw aiohttp, body ready, nothing stored", raw, least=0.35,
            note=ours.cost),
        Row(what, "/s", rates, f"django-anymail in {ANYMAIL_THREADS} threads", anymail, least=4),
    ]  # fmt: skip


@contextmanager
def accounts_of(*providers: Sink, **settings: str) -> Iterator[list[int]]:
    """The numbers of accounts of these sinks, the only ones in use."""
    each = [
        {"endpoint": f"http://127.0.0.1:{one.port}", "api_key": "none"} | settings
        for one in providers
    ]
    with filling.accounts_in_use("sendgrid", *each) as ids:
        yield ids


def drained(
    rig: Rig, provider: Sink, messages: int, recipients: int, runs: int = RUNS, **settings: str
) -> Drained:
    """Rates at which one sender, up before, hands over so many messages to so many each."""
    with rig.senders(1, **settings) as [sender], filling.connect() as conn:
        drain(provider, 1, 1)
        pids = {"sender": sender, **rig.database}
        before = cpu.used_s(pids)
        rates = [per_second(drain(provider, messages, recipients)) for _ in range(runs)]
        eventually(lambda: filling.is_settled(conn), DRAIN_S_MAX, every_s=0.05)
        cost = cpu.per_unit(before, cpu.used_s(pids), runs * messages * recipients)
        held = f"{resident_mb(sender):,.0f} MB in the sender"
    return Drained(rates, f"a recipient costs {cost}, with the filling of the queue; {held}")


def drain(provider: Sink, messages: int, recipients: int) -> list[Call]:
    """The calls in which so many due messages to so many each leave."""
    first, before = len(provider.look()), provider.taken()
    filling.queue_mail(messages, recipients)
    provider.wait_for(before + messages * recipients, DRAIN_S_MAX)
    return provider.calls[first:]


def _peer(provider: Sink, module: str, *numbers: int) -> float:
    """Recipients a second that another program hands over."""
    first = len(provider.look())
    # Anymail says that it no longer looks after its road to SendGrid; it works all the same.
    words = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        f"bench.{module}",
        str(provider.port),
        *map(str, numbers),
    ]
    subprocess.run(words, check=True, timeout=DRAIN_S_MAX)
    return per_second(provider.look()[first:])
