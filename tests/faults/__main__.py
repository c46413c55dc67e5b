"""`make faults`: the fault suite in its long form. Prints its tables.

A run of all families with their usual seeds also renews docs/faults.md. The exit status is 0 when
everything held.
"""

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.checks import violations
from tests.faults.evidence import Evidence
from tests.faults.occasions import KILLS, LONG, SHORT, Occasion
from tests.faults.run import run
from tests.faults.scale import BATCH_MAX
from tests.faults.table import markdown, rows, totals

_PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
_SHOWN_MAX = 20

_TEXT = """\
# Faults

`make faults` runs whole installations with real processes on loopback, submits mails over HTTP and
SMTP, and meanwhile makes faults of one family at random moments, from a seed:

- **kills**: `SIGKILL` for every role and PostgreSQL, {kills} times each; half of PostgreSQL's kills
  meet a backend, half the postmaster;
- **frozen**: `SIGSTOP` and `SIGCONT` for every role, a sender's beyond its lease, while a second
  sender and a second clock work on;
- **lines**: connections to the provider and to the database are reset, cut before, within and after
  what is asked and answered, and carry 1 byte/s;
- **provider**: every error status with and without `Retry-After`, calls taken and answered with an
  error, no answer, and half-answers; and **batches**: the same from a provider that answers with a
  result for each recipient;
- **notices**: a fifth of the webhooks is lost; others come before the answer of the call or when
  their window has long passed, tell of unknown mails, or are forged;
- **clients**: SMTP clients drop in DATA, after the dot and without QUIT, crawl, and sit idle;
- **disk**: PostgreSQL, and then the web role too, can write no file (`RLIMIT_FSIZE`); both doors
  must say 503 and 451 before there is room again;
- **changes**: all roles restart one by one, `postroom migrate` runs and a table is locked, backends
  are ended, no connection is left, two clocks run.

Calls to the simulated provider take 150 to 600 ms, among lost notices up to 2 s, and hold
{batch} recipients at most.
Its webhooks come late, repeated (with the same and with new event ids), shuffled, broken off, and
among forgeries. Clients submit a mail again until it is acknowledged. The windows of silence are
scaled from days to seconds. `make test` runs the kills in short, `make faults ARGS=--short` runs
all of it in short, and `make faults ARGS="--only lines --seed 13"` repeats one run.

Afterwards, from the clients' notes, the ledger, and the provider's own log
(`tests/faults/checks.py`):

- every acknowledged mail is in the ledger, byte by byte, and in it once;
- recipients as submitted, as counted at acceptance, as deliveries and as reported agree, and every
  delivery is in one final state;
- nobody got two copies;
- only calls in flight at a fault ended in doubt, and each was settled or is `unconfirmed`;
- the ledger says of each recipient what the provider's log says; where webhooks were lost, what the
  others say, and else `unconfirmed`;
- nobody saw another's address or another's fields;
- `postroom verify` found nothing, no role's log has a traceback without an alarm, no log tells a
  key, an address or a word of a mail, and no client saw an answer that a fault does not explain;
- nothing that is due has waited for more than a minute in the end, without a person's help (but for
  an account that the provider refused with 401: it is restarted by hand).

The tables are those of one run of all families, on {on}.

## By fault

A hand-over counts in each row whose faults it met. *In mid call*: the faults with a call in flight.
*Lost*: mails acknowledged and not in the ledger. *Doubled*: hand-overs of people who got more than
one copy. *In doubt*: hand-overs whose call ended without a known result. *Open*: those of them of
which nothing was ever heard, and which are `unconfirmed` for ever.

{by_fault}

## By run

*Tries*: how often clients submitted these mails. *In flight*: recipients that the calls in flight
at the faults may have held; no more than these may be in doubt.

{by_run}
"""


def main() -> int:
    """Runs what the arguments say."""
    arguments = _parser().parse_args()
    occasions = SHORT if arguments.short else LONG
    chosen = [one for one in occasions if not arguments.only or one.name in arguments.only]
    # One after the other: installations that starve one another have fewer calls in flight.
    runs = {
        f"{one.name}, {seed}": _run(one, seed, arguments.keep)
        for one in chosen
        for seed in arguments.seed or one.seeds
    }
    page = _TEXT.format(
        kills=KILLS.scale.times,
        batch=BATCH_MAX,
        on=f"{datetime.now(UTC):%-d %B %Y}",
        by_fault=markdown(rows(runs.values())),
        by_run=markdown(totals(runs)),
    )
    print(page[page.index("## By fault") :], flush=True)
    if chosen == list(LONG) and not arguments.seed:
        _PAGE.write_text(page, encoding="utf-8")
    return int(any(violations(evidence) for evidence in runs.values()))


def _run(occasion: Occasion, seed: int, keep: Path | None) -> Evidence:
    print(f"{occasion.name}, seed {seed}: {occasion.scale}", flush=True)
    evidence = run(occasion, seed, keep and keep / f"{occasion.name}-{seed}")
    _say_violations(evidence)
    return evidence


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", action="append", help="these faults instead of all")
    parser.add_argument("--seed", type=int, action="append", help="instead of the usual ones")
    parser.add_argument("--short", action="store_true", help="all of it in some two minutes")
    parser.add_argument("--keep", type=Path, help="where to keep the logs of every run")
    return parser


def _say_violations(evidence: Evidence) -> None:
    for check, sentences in violations(evidence).items():
        shown = "".join(f"\n  {sentence}" for sentence in sentences[:_SHOWN_MAX])
        print(f"VIOLATED {check}: {len(sentences)} times{shown}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
