"""`make bench`: runs the measurements and prints one table; `make bench ROW=http` one of them."""

import sys
from collections.abc import Callable

from bench import broadcast, notifications, single_accepts, whole_way
from bench.rig import Rig, rig
from bench.table import Row, rendered

ROWS: dict[str, Callable[[Rig], list[Row]]] = {
    "http": single_accepts.http,
    "smtp-new": single_accepts.smtp_new,
    "smtp-kept": single_accepts.smtp_kept,
    "broadcast": broadcast.one_call,
    "notifications": notifications.interpreted,
    "whole-way": whole_way.known,
}


def main(names: list[str]) -> int:
    """0 once everything asked for was measured, whether or not the targets are met."""
    unknown = set(names) - ROWS.keys()
    if unknown:
        print(f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
        return 2
    measured: list[Row] = []
    with rig() as one:
        for name in names or ROWS:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            measured += ROWS[name](one)
    print(rendered(measured))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
