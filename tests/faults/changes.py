"""What operators do to a running installation, and what others do to its database."""

import json
import os
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

import psycopg
from psycopg.sql import SQL, Identifier

from tests.faults.killer import ROLES
from tests.faults.release import NextRelease
from tests.faults.scene import Scene
from tests.helpers import eventually

_RESTARTED_S_MAX = 30.0
_MIGRATED_S_MAX = 60.0
_LOCK_S = (1.0, 7.0)
"""As a migration holds it: shorter and longer than we wait for a lock."""


def rolling_restart(scene: Scene) -> None:
    """Every role is told to end, one after the other, and comes again, as when a release rolls."""
    for _ in scene.moments("rolling restart", scene.seldom):
        for role in ROLES:
            if scene.closing.is_set():
                return
            with scene.fault(f"{role} restarted", breaks_calls=role == "simulator"):
                _restart(scene, role)
                if role == "simulator":
                    eventually(lambda: _answers(scene), _RESTARTED_S_MAX)


def _restart(scene: Scene, role: str) -> None:
    old = scene.installation.role_pid(role)
    if old is not None:
        eventually(lambda: _is_replaced(scene, role, old), _RESTARTED_S_MAX, every_s=1.0)


def _answers(scene: Scene) -> bool:
    """Whether the provider is there again: a line to one that is not takes a call and drops it."""
    config = json.loads((scene.installation.data / "simulator.json").read_text())
    try:
        for port in (config["http_port"], config["smtp_port"]):
            socket.create_connection(("127.0.0.1", port), 5).close()
    except OSError:
        return False
    return True


def _is_replaced(scene: Scene, role: str, old: int) -> bool:
    """Asks it to end, again and again: a signal that comes while it is frozen can get lost."""
    if scene.installation.role_pid(role) not in (None, old):
        return True
    with suppress(ProcessLookupError):  # it has ended, or somebody else ended it
        os.kill(old, signal.SIGTERM)
    return False


def migrations(scene: Scene) -> None:
    """The next release migrates beside all else, and a table is locked as a migration locks it."""
    with tempfile.TemporaryDirectory(prefix="postroom-next-") as where:
        release = NextRelease(Path(where))
        for number, dice in enumerate(scene.moments("migrations", scene.seldom)):
            release.add_migration(f"next_{number}")
            with scene.fault("a migration"):
                eventually(partial(_is_migrated, scene, release), _MIGRATED_S_MAX, every_s=1.0)
            _demand_column(scene, f"next_{number}")
            with scene.fault("a table locked", breaks_calls=True), _connected(scene) as connection:
                connection.execute("LOCK TABLE delivery IN ACCESS EXCLUSIVE MODE")
                scene.pause(dice.uniform(*_LOCK_S))


def _is_migrated(scene: Scene, release: NextRelease) -> bool:
    """Whether it went well this time; where the database is away, one sentence says so."""
    done = release.migrate(scene.installation)
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode == 0


def _demand_column(scene: Scene, name: str) -> None:
    """Raises where the migration was said to be applied and is not."""
    with _connected(scene) as connection:
        connection.execute(SQL("SELECT {} FROM delivery LIMIT 0").format(Identifier(name)))


def backends_ended(scene: Scene) -> None:
    """pg_terminate_backend for some of our connections, in the middle of whatever they do."""
    for dice in scene.moments("backends ended"):
        with scene.fault("pg_terminate_backend", breaks_calls=True), _connected(scene) as conn:
            conn.execute(_END_SOME, (dice.randint(1, 5),))


_END_SOME = """
SELECT pg_terminate_backend(pid)
  FROM pg_stat_activity
 WHERE usename = current_user AND pid <> pg_backend_pid()
 ORDER BY random()
 LIMIT %s
"""


def connections_used_up(scene: Scene) -> None:
    """The server has no connection left: somebody else holds all that it gives."""
    for dice in scene.moments("connections used up"):
        with scene.fault("no connection left", breaks_calls=True), ExitStack() as taken:
            for connection in _all_connections(scene):
                taken.callback(connection.close)
            scene.pause(dice.uniform(2, 5))


def _all_connections(scene: Scene) -> Iterator[psycopg.Connection]:
    with suppress(psycopg.OperationalError):
        while True:
            yield psycopg.connect(scene.installation.dsn)


@contextmanager
def _connected(scene: Scene) -> Iterator[psycopg.Connection]:
    """A connection of somebody else, who does not give up when he cannot have it at once."""
    connection = eventually(lambda: _try_to_connect(scene), 60, every_s=0.2)
    assert connection is not None
    try:
        with connection:
            yield connection
    except psycopg.OperationalError:
        return  # another fault ended it


def _try_to_connect(scene: Scene) -> psycopg.Connection | None:
    try:
        return psycopg.connect(scene.installation.dsn)
    except psycopg.OperationalError:
        return None
