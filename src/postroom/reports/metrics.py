"""`/metrics`: counters and gauges in the text format of Prometheus (version 0.0.4)."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from postroom.domain.guard import Level
from postroom.ledger.gauges import Waiting
from postroom.ledger.spool import Held
from postroom.ledger.urgent import UrgentUse


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a metric, with its labels."""

    metric: str
    labels: Mapping[str, str]
    value: int | float


HELP = {
    "postroom_waiting": (
        "gauge",
        "What waits: due deliveries, paused ones, claimed ones, receipts, hits, orphan events.",
    ),
    "postroom_waiting_seconds": ("gauge", "How long the oldest of them has waited."),
    "postroom_spool_bytes": (
        "gauge",
        "Notifications that lie on this machine's disk and not in the database.",
    ),
    "postroom_spool_seconds": ("gauge", "How long the oldest of these has waited."),
    "postroom_account_stopped": ("gauge", "1 where a provider account carries nothing."),
    "postroom_account_share": (
        "gauge",
        "The part of its usual mail that an account carries by its health; 0: its calls fail.",
    ),
    "postroom_account_words_missing": (
        "gauge",
        "1 where less is heard of an account's hand-overs than is to be expected.",
    ),
    "postroom_urgent_used": ("gauge", "Urgent recipients that an application has had today."),
    "postroom_urgent_quota": ("gauge", "Urgent recipients that it may have on a day (UTC)."),
    "postroom_guard_cases": (
        "gauge",
        "Mail that is near a line of a provider or mailbox operator, by level; pause: it is held.",
    ),
    "postroom_happened_total": ("counter", "Things that happened, by name."),
}
"""Type and meaning of each metric."""


def samples(
    waiting: Iterable[Waiting],
    spooled: Held,
    accounts: Iterable[tuple[str, bool]],
    missing: Container[str],
    shares: Mapping[str, float],
    totals: Mapping[tuple[str, str], int],
    now: datetime,
) -> Iterator[Sample]:
    """Everything that is shown, as of `now`.

    `accounts` are the names of all, each with whether it is stopped, and `missing` of those
    whose words are missing.
    """
    for one in waiting:
        labels = {"place": one.place}
        if one.simulated is not None and one.lane is not None:
            labels |= {"kind": "simulated" if one.simulated else "live", "lane": one.lane.label}
        yield Sample("postroom_waiting", labels, one.count)
        yield Sample("postroom_waiting_seconds", labels, _age_s(one.oldest_at, now))
    yield Sample("postroom_spool_bytes", {}, spooled.size_bytes)
    yield Sample("postroom_spool_seconds", {}, _age_s(spooled.oldest_at, now))
    for name, stopped in accounts:
        yield Sample("postroom_account_stopped", {"account": name}, int(stopped))
        yield Sample("postroom_account_words_missing", {"account": name}, int(name in missing))
    for name, share in shares.items():
        yield Sample("postroom_account_share", {"account": name}, round(share, 3))
    for (name, label), total in sorted(totals.items()):
        yield Sample("postroom_happened_total", {"name": name, "label": label}, total)


def urgent_samples(uses: Iterable[UrgentUse]) -> Iterator[Sample]:
    """How far applications are with their urgent quota."""
    for one in uses:
        yield Sample("postroom_urgent_used", {"application": one.application}, one.used)
        yield Sample("postroom_urgent_quota", {"application": one.application}, one.quota)


def guard_samples(levels: Iterable[Level]) -> Iterator[Sample]:
    """How much is at each level; nothing is said of what is calm."""
    counted = Counter(levels)
    for level in Level:
        if level is not Level.CALM:
            labels = {"level": level.name.lower()}
            yield Sample("postroom_guard_cases", labels, counted[level])


def _age_s(oldest_at: datetime | None, now: datetime) -> float:
    return 0.0 if oldest_at is None else max(0.0, (now - oldest_at).total_seconds())


def rendered(samples: Iterable[Sample]) -> str:
    """The samples as text, each metric under its description."""
    lines: dict[str, list[str]] = {metric: [] for metric in HELP}
    for sample in samples:
        labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in sample.labels.items())
        lines[sample.metric].append(f"{sample.metric}{{{labels}}} {sample.value}")
    text = [_described(metric, *HELP[metric], found) for metric, found in lines.items()]
    return "".join(text)


def _described(metric: str, kind: str, meaning: str, found: list[str]) -> str:
    return "\n".join([f"# HELP {metric} {meaning}", f"# TYPE {metric} {kind}", *found, ""])


def _escaped(label: str) -> str:
    return label.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
