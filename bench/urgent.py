"""Single urgent mails while 1,000,000 of lane bulk wait, against the same without them."""

import time

from bench import filling
from bench.handing_over import accounts_of
from bench.rig import Rig
from bench.sink import Sink, sink
from bench.table import Row
from bench.urgent_watch import p99, urgent_mails

BACKLOG = 1_000_000
LATENCY_S = 0.14
EVERY_S = 0.1
SECONDS = 60
WAIT_S_MAX = 1.0


def in_a_backlog(rig: Rig, scale: float) -> list[Row]:
    """The p99 from the 202 to the provider."""
    seconds = max(5.0, min(1.0, scale) * SECONDS)
    with (
        sink(LATENCY_S) as provider,
        accounts_of(provider),
        rig.role("web", rig.http_port),
        rig.senders(1),
    ):
        alone = _waited(rig, provider, seconds)
        filling.queue_mail(10, int(scale * BACKLOG) // 10)
        began, before = time.monotonic(), provider.taken()
        within = _waited(rig, provider, seconds)
        per_s = (provider.taken() - before) / (time.monotonic() - began)
        with filling.connect() as conn:
            is_left = not filling.is_settled(conn)
    filling.empty_queue()
    what, pace = "urgent mail in a backlog, p99", f"the backlog left at {per_s:,.0f} recipients/s"
    note = pace if is_left else f"{pace} AND WAS GONE BEFORE THE END: ask for a larger scale"
    mails = f"{len(within)} urgent mails each; {note}"
    return [
        Row(what, "s", [p99(within)], "without a backlog", [p99(alone)], most=2, note=mails),
        Row(what, "s", [p99(within)], "a second", [WAIT_S_MAX], most=1),
    ]


def _waited(rig: Rig, provider: Sink, seconds: float) -> list[float]:
    with urgent_mails(rig, EVERY_S) as mails:
        time.sleep(seconds)
    return mails.waits_s(provider)
