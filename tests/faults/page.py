"""What a run of the suite is told as: a page that says of itself only what was run."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.faults.checks import CHECKS, MEMORY_MB_MAX
from tests.faults.evidence import Evidence
from tests.faults.occasions import Occasion
from tests.faults.scale import BATCH_MAX
from tests.faults.table import markdown, memory, rows, totals

_TEXT = """\
# Faults

`make faults` runs whole installations with real processes on loopback, two at a time, submits mails
over HTTP and SMTP, and meanwhile makes faults of one family at random moments, from a seed. This
page was written by one such run, on {on}; it took {minutes} minutes. Its families, each
with its own installations:

{families}

Calls to the simulated provider take 150 to 600 ms where the family does not say otherwise, and hold
{batch} recipients at most. Its webhooks come late, repeated (with the same and with new event ids),
shuffled, broken off, and among forgeries. Clients submit a mail again until it is acknowledged. The
windows of silence are scaled from days to seconds. `make test` runs the faults in short,
`make faults ARGS=--short` the same with its tables, and `make faults ARGS="--only lines --seed 13"`
repeats one run.

Afterwards the clients' notes, the ledger, and the provider's own log are compared
(`tests/faults/checks.py`):

{checks}

An account that the provider refused with 401 is restarted by hand, as an operator does; nothing
else is done for anybody.

## By fault

A hand-over counts in each row whose faults it met. *In mid call*: the faults with a call in flight.
*Lost*: mails acknowledged and not in the ledger. *Doubled*: hand-overs of people who got more than
one copy. *In doubt*: hand-overs whose call ended without a known result. *Open*: those of them of
which nothing was ever heard, and which are `unconfirmed` for ever.

{by_fault}

## By run

*Tries*: how often clients submitted these mails. *In flight*: recipients that the calls in flight
at the faults may have held; no more than these may be in doubt. *Told early*: hand-overs of which
the provider told before it had answered the call. *Stopped*: mails that waited when a person
suppressed their address, and did not go.

{by_run}

## Memory

The most that one process of a role had in memory (`VmHWM`) in any of these runs; a run fails above
{mb_max} MB.

{memory}
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """One run, and what is known of it."""

    occasion: Occasion
    seed: int
    evidence: Evidence


def page(ran: Sequence[Ran], took: timedelta) -> str:
    """The whole page."""
    named = {f"{one.occasion.name}, {one.seed}": one.evidence for one in ran}
    return _TEXT.format(
        on=f"{datetime.now(UTC):%-d %B %Y}",
        minutes=round(took / timedelta(minutes=1)),
        families=_families(ran),
        batch=BATCH_MAX,
        checks="\n".join(f"- {check.__doc__}" for check in CHECKS),
        by_fault=markdown(rows(named.values())),
        by_run=markdown(totals(named)),
        mb_max=MEMORY_MB_MAX,
        memory=markdown(memory(named.values())),
    )


def _families(ran: Iterable[Ran]) -> str:
    seeds: dict[str, list[str]] = {}
    occasions: dict[str, Occasion] = {}
    for one in ran:
        occasions[one.occasion.name] = one.occasion
        seeds.setdefault(one.occasion.name, []).append(str(one.seed))
    return "\n".join(_family(occasions[name], seeds[name]) for name in occasions)


def _family(occasion: Occasion, seeds: Sequence[str]) -> str:
    scale = occasion.scale
    size = f"{scale.messages} mails to {scale.recipients} people in {scale.lasts_s:.0f} s"
    word = "seed" if len(seeds) == 1 else "seeds"
    return f"- **{occasion.name}** ({size}; {word} {', '.join(seeds)}): {occasion.says}"
