"""`make faults`: the fault suite in its long form. Prints its tables.

A run of all families also renews docs/faults.md. The exit status is 0 when everything held.
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path

from tests.faults.checks import violations
from tests.faults.evidence import Evidence
from tests.faults.occasions import LONG, SHORT, Occasion
from tests.faults.page import Ran, page
from tests.faults.run import run

_PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
_SHOWN_MAX = 20
_AT_ONCE = 2
"""Runs at the same time; more of them would starve one another and have fewer calls in flight."""


def main() -> int:
    """Runs what the arguments say."""
    arguments = _parser().parse_args()
    occasions = SHORT if arguments.short else LONG
    chosen = [one for one in occasions if not arguments.only or one.name in arguments.only]
    began = time.monotonic()
    wanted = [(one, seed) for one in chosen for seed in arguments.seed or one.seeds]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        ran = list(pool.map(partial(_run, keep=arguments.keep), wanted))
    text = page(ran, timedelta(seconds=time.monotonic() - began))
    print(text, flush=True)
    if chosen == list(LONG):
        _PAGE.write_text(text, encoding="utf-8")
    return int(any(violations(one.evidence) for one in ran))


def _run(wanted: tuple[Occasion, int], keep: Path | None) -> Ran:
    occasion, seed = wanted
    name, began = f"{occasion.name}, {seed}", time.monotonic()
    print(f"{name}: {occasion.scale}", flush=True)
    evidence = run(occasion, seed, keep and keep / f"{occasion.name}-{seed}")
    print(f"{name}: took {time.monotonic() - began:.0f} s", flush=True)
    _say_violations(name, evidence)
    return Ran(occasion, seed, evidence)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", action="append", help="these faults instead of all")
    parser.add_argument("--seed", type=int, action="append", help="instead of the usual ones")
    parser.add_argument("--short", action="store_true", help="all of it in some three minutes")
    parser.add_argument("--keep", type=Path, help="where to keep the logs of every run")
    return parser


def _say_violations(name: str, evidence: Evidence) -> None:
    for check, sentences in violations(evidence).items():
        shown = "".join(f"\n  {sentence}" for sentence in sentences[:_SHOWN_MAX])
        print(f"{name}: VIOLATED {check}: {len(sentences)} times{shown}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
