"""The runs as tables: by fault, and by run."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from itertools import chain

from tests.faults.checks import violations
from tests.faults.clients import Acknowledged
from tests.faults.evidence import Evidence, KeptHandover, spanning


@dataclass(frozen=True, slots=True)
class Row:
    """What happened to whatever was under way when something of one kind went wrong."""

    fault: str
    times: int
    in_mid_call: int
    """Faults with at least one call to the provider in flight."""
    lost: int
    """Mails acknowledged and not in the ledger."""
    doubled: int
    """Hand-overs of recipients who got more than one copy."""
    in_doubt: int
    """Hand-overs whose call ended without a known result."""
    open: int
    """Those of them of which nothing was ever heard: `unconfirmed` in the end."""


@dataclass(frozen=True, slots=True)
class Total:
    """One run as a whole."""

    run: str
    """Which faults, and the seed."""
    mails: int
    recipients: int
    tries: int
    """How often clients submitted these mails."""
    in_flight: int
    """Deliveries that the calls in flight at the faults could hold at most."""
    in_doubt: int
    open: int
    told_early: int
    """Hand-overs of which the provider told before it had answered the call."""
    stopped: int
    """Recipients whose mail waited when a person suppressed their address, and did not go."""
    lost: int
    doubled: int
    violations: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What the processes of one role needed."""

    role: str
    mb: int
    """The most that one of them ever had."""


def rows(runs: Iterable[Evidence]) -> list[Row]:
    """One row for each kind of fault, over all runs."""
    runs = list(runs)
    kinds = dict.fromkeys(fault.kind for run in runs for fault in run.faults)
    found = {kind: [_row(run, kind) for run in runs] for kind in sorted(kinds)}
    return [Row(kind, *map(sum, zip(*made, strict=True))) for kind, made in found.items()]


def totals(runs: Mapping[str, Evidence]) -> list[Total]:
    """One row for each run, by its name."""
    return [_total(name, run) for name, run in runs.items()]


def memory(runs: Iterable[Evidence]) -> list[Memory]:
    """One row for each role, over all runs."""
    peaks: dict[str, int] = {}
    for run in runs:
        for role, mb in run.memory_mb.items():
            peaks[role] = max(mb, peaks.get(role, 0))
    return [Memory(role, mb) for role, mb in peaks.items()]


def markdown(of: Sequence[Row] | Sequence[Total] | Sequence[Memory]) -> str:
    """Rows as a table."""
    names = [name.replace("_", " ") for name in of[0].__slots__]
    lines = [names, ["---"] * len(names), *([str(cell) for cell in astuple(row)] for row in of)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _row(run: Evidence, kind: str) -> tuple[int, ...]:
    faults = [fault for fault in run.faults if fault.kind == kind]
    in_mid_call = sum(bool(run.calls_at(fault)) for fault in faults)
    suspects = (_lost(run), _doubled(run), run.doubtful, _open(run))
    return (len(faults), in_mid_call, *(spanning(these, faults) for these in suspects))


def _total(name: str, run: Evidence) -> Total:
    return Total(
        name,
        len(run.acknowledged),
        len(run.deliveries),
        sum(one.tries for one in run.acknowledged),
        run.in_flight,
        len(run.doubtful),
        len(_open(run)),
        sum(one.is_told_early for one in run.handovers.values()),
        len(run.stopped),
        len(_lost(run)),
        len(_doubled(run)),
        len(list(chain.from_iterable(violations(run).values()))),
    )


def _lost(run: Evidence) -> list[Acknowledged]:
    return [one for one in run.acknowledged if one.message_id not in run.messages]


def _open(run: Evidence) -> list[KeptHandover]:
    return [one for one in run.doubtful if run.deliveries[one.delivery_id].state == "unconfirmed"]


def _doubled(run: Evidence) -> list[KeptHandover]:
    copies = run.truth.copies.values()
    taken = Counter(one.copy.recipient for one in copies)
    ids = (one.copy.handover for one in copies if taken[one.copy.recipient] > 1)
    return [run.handovers[id] for id in ids if id in run.handovers]
