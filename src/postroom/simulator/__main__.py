"""`python -m postroom.simulator --config FILE`: the simulator alone."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from postroom.simulator.config import Config, ConfigError
from postroom.simulator.server import serve


def main() -> int:
    """The exit status: 0 when asked to stop, 1 when the configuration cannot be used."""
    parser = argparse.ArgumentParser(prog="python -m postroom.simulator", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the simulator.json")
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    try:
        serve(Config.load(parser.parse_args().config), stop)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
