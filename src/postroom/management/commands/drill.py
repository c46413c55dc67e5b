"""`postroom drill`: rehearses a failure in a place of its own; the installation is not touched."""

import os
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from postroom.management import cluster, embedded
from postroom.management.commands.printing import add_json

_REST_S = "5"
"""So that the account comes back while one watches."""
_STOP_S_MAX = 60.0


def arrange(parser: ArgumentParser) -> None:
    """Adds the arguments."""
    actions = parser.add_subparsers(dest="action", required=True)
    failover = actions.add_parser(
        "failover", help="one of two simulated accounts fails; takes about half a minute"
    )
    add_json(failover)


def run(arguments: Namespace) -> int:
    """0 when everybody got their mail once."""
    with _place() as directory:
        done = subprocess.run(
            [sys.executable, "-m", "postroom.management.drill", *["--json"] * arguments.json],
            env=_environment(directory),
            stdin=subprocess.DEVNULL,
            check=False,
        )
        embedded.wait_until_stopped(directory, _STOP_S_MAX)
    return done.returncode


@contextmanager
def _place() -> Iterator[Path]:
    """A directory that the database's user can reach, and that is gone afterwards."""
    directory = Path(tempfile.mkdtemp(prefix="postroom-drill-"))
    directory.chmod(0o711)
    try:
        yield directory
    finally:
        if not cluster.sockets(directory).is_relative_to(directory):
            shutil.rmtree(cluster.sockets(directory), ignore_errors=True)
        shutil.rmtree(directory)


def _environment(directory: Path) -> Mapping[str, str]:
    """Ours without any setting of the installation."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("POSTROOM_", "DATABASE_URL", "DJANGO_"))
    }
    return kept | {"POSTROOM_DATA": str(directory), "POSTROOM_FAILOVER_REST_S": _REST_S}
