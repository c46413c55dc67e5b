"""`make bench`: runs the measurements and prints one table; `make bench ROW=http` one of them."""

import argparse
import os
import sys
from collections.abc import Callable

from bench import broadcast, cpu, notifications, single_accepts, whole_way
from bench.rig import Rig, rig
from bench.table import Row, rendered

ROWS: dict[str, Callable[[Rig, float], list[Row]]] = {
    "http": single_accepts.http,
    "smtp-new": single_accepts.smtp_new,
    "smtp-kept": single_accepts.smtp_kept,
    "broadcast": broadcast.one_call,
    "notifications": notifications.interpreted,
    "whole-way": whole_way.known,
}


def main(words: list[str]) -> int:
    """0 once everything asked for was measured, whether or not the targets are met."""
    parser = argparse.ArgumentParser("python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of mails")
    asked = parser.parse_args(words)
    unknown = set(asked.rows) - ROWS.keys()
    if unknown:
        parser.error(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    busy = f"{cpu.busy_cores():.1f} of {os.cpu_count()} cores were busy before the first run"
    measured: list[Row] = []
    with rig() as one:
        for name in asked.rows or ROWS:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            measured += ROWS[name](one, asked.scale)
    print(rendered(measured))
    print(f"- The machine: {busy}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
