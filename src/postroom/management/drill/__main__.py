"""The process of a rehearsal, in a data directory of its own: see `postroom drill`."""

import logging
import sys
from dataclasses import asdict

from django.conf import settings

from postroom.management.commands.printing import print_json
from postroom.management.drill.failover import DrillFailed, rehearse
from postroom.management.supervisor import say
from postroom.management.workplace import ledger_open


def main() -> int:
    """0 when everybody got their mail once."""
    as_json = "--json" in sys.argv[1:]
    with ledger_open():
        # What is made to fail on purpose is told by the rehearsal itself.
        logging.getLogger("postroom").setLevel(logging.CRITICAL)
        try:
            outcome = rehearse(settings.POSTROOM_DATA, (lambda _: None) if as_json else say)
        except DrillFailed as failure:
            print(f"postroom: {failure}", file=sys.stderr)
            return 1
    if as_json:
        print_json(asdict(outcome) | {"passed": outcome.passed})
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
