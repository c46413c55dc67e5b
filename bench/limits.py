"""A broadcast under an account's limit, with urgent mails in between."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from bench import filling
from bench.handing_over import accounts_of
from bench.rig import Rig
from bench.sink import Call, Sink, fullest_second, sink
from bench.table import Row
from bench.urgent_watch import p99, urgent_mails
from tests.helpers import eventually

LIMITS_PER_S = (14, 200, 1_000)
SECONDS = 60
"""That a broadcast takes at least: 100,000 at 14 a second would take two hours."""
LATENCY_S = 0.14
URGENT_EVERY_S = 0.5
URGENT_S_MAX = 2.0
FINISH_MAX = 1.05
FORECAST_AT = 0.1
FORECAST_ERROR_MAX = 0.1


def kept(rig: Rig, scale: float) -> list[Row]:
    """Four rows for each limit: the end, the fullest second, urgent mail, the forecast."""
    with rig.role("web", rig.http_port):
        return [row for limit in LIMITS_PER_S for row in _under(rig, limit, scale)]


def _under(rig: Rig, limit: int, scale: float) -> list[Row]:
    recipients = max(20, int(scale * SECONDS * limit))
    name = f"limit-{limit}-{time.monotonic_ns()}"
    with (
        sink(LATENCY_S) as provider,
        accounts_of(provider, recipients_per_s=str(limit)),
        rig.senders(1),
    ):
        with urgent_mails(rig, URGENT_EVERY_S) as mails:
            eventually(provider.look, 60)
            filling.queue_mail(1, recipients, communication=name)
            forecast_at = _forecast(provider, name, recipients)
            eventually(lambda: len(_bulk(provider.look())) == recipients, 10 * SECONDS, every_s=0.1)
        waits = mails.waits_s(provider)
    bulk = _bulk(provider.calls)
    calls = [call for call in provider.calls if bulk[0] <= call.at <= bulk[-1]]
    took_s = bulk[-1] - bulk[0]
    least_s = sum(call.recipients for call in calls[1:]) / limit
    error = abs(forecast_at - bulk[-1]) / took_s
    what = f"limit of {limit:,}/s"
    return [
        Row(f"{what}: {recipients:,} recipients", "s", [took_s], "recipients / limit", [least_s],
            most=FINISH_MAX, note=f"with {len(calls)} calls"),
        Row(f"{what}: fullest second", "recipients", [fullest_second(provider.calls)],
            "the limit", [limit], most=1),
        Row(f"{what}: urgent mail, p99", "s", [p99(waits)], "two seconds", [URGENT_S_MAX], most=1),
        Row(f"{what}: forecast at 10 %", "error", [error], "of the time it took",
            [FORECAST_ERROR_MAX], most=1),
    ]  # fmt: skip


def _bulk(calls: Sequence[Call]) -> list[float]:
    """When each recipient of the broadcast was handed over, in order."""
    return [call.at for call in calls for address in call.addresses if address.startswith("p")]


def _forecast(provider: Sink, communication: str, recipients: int) -> float:
    """The instant (monotonic) at which all is to be through, as told at 10 % of the way."""
    from postroom.reports.forecast import of_communication
    from tests.ledger.making import application

    at = FORECAST_AT * recipients
    eventually(lambda: len(_bulk(provider.look())) >= at, SECONDS, every_s=0.02)
    now = datetime.now(UTC)
    told = of_communication(application("bench"), communication, True, now)
    if told.through_at is None:
        raise LookupError(f"the forecast does not say when {communication} will be through")
    return time.monotonic() + (told.through_at - now).total_seconds()
