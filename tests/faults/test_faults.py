"""Kills at random moments lose nothing, double nothing, and leave nothing unsaid."""

from collections import Counter

from tests.faults.checks import violations
from tests.faults.killer import BACKEND, POSTMASTER, ROLES
from tests.faults.occasions import SHORT_KILLS
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
