"""The page says of a run what was run, and nothing else."""

from datetime import UTC, datetime, timedelta

from tests.faults.evidence import Evidence
from tests.faults.occasions import FROZEN, LONG, SHORT
from tests.faults.page import Ran, page
from tests.faults.scene import Fault


def _ran(seed: int) -> Ran:
    evidence = Evidence(faults=[Fault("clock frozen", datetime.now(UTC))], memory_mb={"web": seed})
    return Ran(FROZEN, seed, evidence)


def test_a_page_names_the_families_and_seeds_that_were_run() -> None:
    written = page([_ran(12), _ran(99)], timedelta(minutes=3))
    assert "- **frozen** (400 mails to 2000 people in 60 s; seeds 12, 99): `SIGSTOP`" in written
    assert "it took 3 minutes" in written
    assert "| clock frozen | 2 |" in written
    assert "| web | 99 |" in written
    assert not [one.name for one in (*LONG, *SHORT) if f"**{one.name}**" in written][1:]


def test_families_have_names_of_their_own() -> None:
    names = [one.name for one in LONG]
    assert len(set(names)) == len(names)
