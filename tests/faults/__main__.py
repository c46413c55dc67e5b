"""`make faults`: the fault suite in its long form. Prints its tables and renews docs/faults.md.

The exit status is 0 when everything held.
"""

import argparse
import sys
from pathlib import Path

from tests.faults.checks import violations
from tests.faults.evidence import Evidence
from tests.faults.run import run
from tests.faults.scale import BATCH_MAX, LONG, SHORT, Scale
from tests.faults.table import markdown, rows, totals

_SEEDS = (11, 23, 47)
_PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
_SHOWN_MAX = 20

_TEXT = """\
# Faults

`make faults` runs whole installations, submits {messages:,} mails to {recipients:,} recipients over
HTTP and SMTP in each, and meanwhile kills (`SIGKILL`) every role and PostgreSQL
{kills} times each at random moments; half of PostgreSQL's kills meet a backend, half the
postmaster. Calls to the simulated provider take 150 to 600 ms and hold {batch} recipients at most.
Its webhooks come late, repeated (with the same and with new event ids), shuffled, broken off, and
among forgeries. Clients submit a mail again until it is acknowledged. The windows of silence are
scaled from days to seconds. `make test` runs the same in short.

Afterwards, from the clients' notes, the ledger, and the provider's own log
(`tests/faults/checks.py`):

- every acknowledged mail is in the ledger, byte by byte, and in it once;
- recipients as submitted, as counted at acceptance, as deliveries and as reported agree, and every
  delivery is in one final state;
- nobody got two copies;
- only calls in flight at a fault ended in doubt, and each was settled or is `unconfirmed`;
- the ledger says of each recipient what the provider's log says;
- nobody saw another's address or another's fields;
- `postroom verify` found nothing, no role's log has a traceback, and no client saw an answer that
  a fault does not explain.

This page is what the last run printed.

## By fault

A hand-over counts in each row whose kills it met. *In mid call*: the kills with a call in flight.
*Lost*: mails acknowledged and not in the ledger. *Doubled*: hand-overs of people who got more than
one copy. *In doubt*: hand-overs whose call ended without a known result. *Open*: those of them of
which nothing was ever heard, and which are `unconfirmed` for ever.

{by_fault}

## By seed

*Tries*: how often clients submitted these mails. *In flight*: recipients that the calls in flight
at the faults may have held; no more than these may be in doubt.

{by_seed}
"""


def main() -> int:
    """Runs what the arguments say."""
    arguments = _parser().parse_args()
    scale = SHORT if arguments.short else LONG
    # One after the other: installations that starve one another have fewer calls in flight.
    runs = {seed: _run(seed, scale, arguments.keep) for seed in arguments.seed or _SEEDS}
    page = _TEXT.format(
        messages=scale.messages,
        recipients=scale.recipients,
        kills=scale.kills_of_each,
        batch=BATCH_MAX,
        by_fault=markdown(rows(runs.values())),
        by_seed=markdown(totals(runs)),
    )
    print(page[page.index("## By fault") :], flush=True)
    if not arguments.short and not arguments.seed:
        _PAGE.write_text(page, encoding="utf-8")
    return int(any(violations(evidence) for evidence in runs.values()))


def _run(seed: int, scale: Scale, keep: Path | None) -> Evidence:
    print(f"Seed {seed}: {scale}", flush=True)
    evidence = run(seed, scale, keep and keep / str(seed))
    _say_violations(evidence)
    return evidence


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, action="append", help="instead of the usual three")
    parser.add_argument("--short", action="store_true", help="as in `make test`")
    parser.add_argument("--keep", type=Path, help="where to keep the logs of every run")
    return parser


def _say_violations(evidence: Evidence) -> None:
    for check, sentences in violations(evidence).items():
        shown = "".join(f"\n  {sentence}" for sentence in sentences[:_SHOWN_MAX])
        print(f"VIOLATED {check}: {len(sentences)} times{shown}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
