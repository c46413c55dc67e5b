"""`make bench`: runs the measurements and prints one table; `make bench ROW=http` one of them."""

import argparse
import os
import sys
from collections.abc import Callable

from bench import (
    broadcast,
    cpu,
    failover,
    handing_over,
    latency,
    ledger_size,
    limits,
    notifications,
    queue_cycle,
    relay,
    single_accepts,
    soak,
    suppressed,
    tracking,
    urgent,
    whole_way,
)
from bench.peers import teams
from bench.rig import Rig, rig
from bench.table import Row, rendered

ROWS: dict[str, Callable[[Rig, float], list[Row]]] = {
    "http": single_accepts.http,
    "smtp-new": single_accepts.smtp_new,
    "smtp-kept": single_accepts.smtp_kept,
    "broadcast": broadcast.one_call,
    "suppressed": suppressed.checked,
    "notifications": notifications.interpreted,
    "tracking": tracking.addresses,
    "tracked": tracking.composed,
    "queue": queue_cycle.cycled,
    "batches": handing_over.batches,
    "singles": handing_over.singles,
    "teams": teams.singles,
    "latency": latency.kept_busy,
    "senders": latency.senders,
    "urgent": urgent.in_a_backlog,
    "limits": limits.kept,
    "relay": relay.out,
    "failover": failover.survived,
    "ledger-size": ledger_size.flat,
    "whole-way": whole_way.known,
}


BY_NAME = ("senders", "urgent", "limits", "ledger-size", "soak")
"""Rows that take minutes, and are measured only when they are asked for."""


def main(words: list[str]) -> int:
    """0 once everything asked for was measured, whether or not the targets are met."""
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    names = ", ".join([*ROWS, "soak"])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=names)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of mails")
    parser.add_argument("--minutes", type=float, default=3.0, help="that the soak takes")
    asked = parser.parse_args(words)
    rows = ROWS | {"soak": lambda _rig, _scale: soak.steady(asked.minutes)}
    unknown = set(asked.rows) - rows.keys()
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {names}")
    busy = f"{cpu.busy_cores():.1f} of {os.cpu_count()} cores were busy before the first run"
    measured: list[Row] = []
    with rig() as one:
        for name in asked.rows or [row for row in rows if row not in BY_NAME]:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            measured += rows[name](one, asked.scale)
    print(rendered(measured))
    print(f"- The machine: {busy}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
