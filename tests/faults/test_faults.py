"""Kills at random moments lose nothing, double nothing, and leave nothing unsaid."""

from collections import Counter

from tests.faults.checks import violations
from tests.faults.killer import BACKEND, POSTMASTER, ROLES
from tests.faults.run import run
from tests.faults.scale import SHORT

_SEED = 5


def test_kills_of_every_process_lose_nothing_and_double_nothing() -> None:
    evidence = run(_SEED, SHORT)
    assert violations(evidence) == {}
    kills = Counter(fault.kind for fault in evidence.faults)
    assert kills == {
        **dict.fromkeys(ROLES, SHORT.kills_of_each),
        **dict.fromkeys((BACKEND, POSTMASTER), SHORT.kills_of_each // 2),
    }
    assert sum(bool(evidence.calls_at(fault)) for fault in evidence.faults) >= len(ROLES)
    assert len(evidence.acknowledged) == SHORT.messages
    assert len(evidence.deliveries) == SHORT.recipients
