"""Faults at random moments lose nothing, double nothing, and leave nothing unsaid."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.faults.checks import violations
from tests.faults.killer import BACKEND, POSTMASTER, ROLES
from tests.faults.occasions import SHORT_INSIDE, SHORT_KILLS, SHORT_OUTSIDE
from tests.faults.run import run


def test_kills_of_every_process_lose_nothing_and_double_nothing() -> None:
    (seed,), scale = SHORT_KILLS.seeds, SHORT_KILLS.scale
    evidence = run(SHORT_KILLS, seed)
    assert violations(evidence) == {}
    kills = Counter(fault.kind for fault in evidence.faults)
    assert kills == {
        **dict.fromkeys(ROLES, scale.times),
        **dict.fromkeys((BACKEND, POSTMASTER), scale.times // 2),
    }
    assert sum(bool(evidence.calls_at(fault)) for fault in evidence.faults) >= len(ROLES)
    assert len(evidence.acknowledged) == scale.messages
    assert len(evidence.deliveries) == scale.recipients


def test_everything_else_that_goes_wrong_loses_nothing_and_doubles_nothing() -> None:
    occasions = (SHORT_INSIDE, SHORT_OUTSIDE)
    with ThreadPoolExecutor(len(occasions)) as pool:
        runs = list(pool.map(run, occasions, (one.seeds[0] for one in occasions)))
    for occasion, evidence in zip(occasions, runs, strict=True):
        assert (occasion.name, violations(evidence)) == (occasion.name, {})
        assert len(evidence.acknowledged) >= occasion.scale.messages
        assert any(evidence.calls_at(fault) for fault in evidence.faults)
    calls = [call for evidence in runs for call in evidence.handovers.values()]
    assert any(call.is_told_early for call in calls)
