"""A broadcast in lane urgent over two accounts, of which the first dies at 30 %."""

from collections import Counter

from bench import filling
from bench.handing_over import accounts_of
from bench.rig import Rig
from bench.sink import Sink, sink
from bench.table import Row
from postroom.domain.lane import Lane
from tests.helpers import eventually

RECIPIENTS = 30_000
DIES_AT = 0.3
BATCH = 20
"""In calls so small that thirty in a hundred are many calls."""
LATENCY_S = 0.14
ELSEWHERE_S_MAX = 30.0
DRAIN_S_MAX = 300.0


def survived(rig: Rig, scale: float) -> list[Row]:
    """Seconds from the first refused call to the last recipient, and what was taken twice."""
    from tests.sending.roads import make_sound

    recipients = max(1_000, int(scale * RECIPIENTS))
    with (
        sink(LATENCY_S, takes=int(DIES_AT * recipients)) as dying,
        sink(LATENCY_S) as other,
        accounts_of(dying, other),
    ):
        make_sound()
        filling.queue_mail(1, recipients, Lane.URGENT)
        with rig.senders(1, POSTROOM_BATCH_MAX=str(BATCH)):
            eventually(lambda: _taken(dying, other).total() >= recipients, DRAIN_S_MAX)
        taken = _taken(dying, other)
    died_at = next(call.at for call in dying.calls if call.status != 202)
    last = max(call.at for call in other.calls)
    once = sum(times == 1 for times in taken.values())
    what = f"an account dies at {100 * DIES_AT:.0f} % of {recipients:,}"
    refused = sum(call.status != 202 for call in dying.calls)
    note = f"{refused} calls were refused, {len(other.calls)} went to the other account"
    return [
        Row(f"{what}: all handed over", "s", [last - died_at], "thirty seconds",
            [ELSEWHERE_S_MAX], most=1, note=note),
        Row(f"{what}: taken once", "recipients", [once], "all", [recipients], least=1),
    ]  # fmt: skip


def _taken(*sinks: Sink) -> Counter[str]:
    """How many times each address was taken."""
    return Counter(
        address
        for one in sinks
        for call in one.look()
        if call.status == 202
        for address in call.addresses
    )
