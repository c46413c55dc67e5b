"""The files of the embedded PostgreSQL: its places, its making, its settings.

Standard library only, because the keeper, which lives as long as the server, imports nothing else.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from postroom.management import reach
from postroom.management.binaries import program
from postroom.management.environment import ConfigurationError
from postroom.management.secret_file import read_or_make

MAJOR_VERSION = "18"

# sun_path holds 108 bytes with its closing NUL; the file is called `.s.PGSQL.5432`.
_SOCKET_DIRECTORY_BYTES_MAX = 108 - 1 - len("/.s.PGSQL.5432")

_HBA = """\
# One role, one database, by the private socket and with its password. Nobody else, no TCP.
local postroom postroom scram-sha-256
"""

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "fsync": "on",
    "synchronous_commit": "on",  # 202 and 250 mean: on disk
    "wal_compression": "on",
    "max_wal_size": "2GB",  # a broadcast of 100,000 fits between two checkpoints
    "checkpoint_timeout": "15min",
    "max_parallel_workers_per_gather": "0",  # short queries; and /dev/shm is small in containers
    "autovacuum_naptime": "10s",  # queue rows are updated a few times within seconds
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_vacuum_cost_limit": "2000",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_filename": "%a.log",  # one file a weekday, written anew a week later
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    # Statements and details quote values, and values are addresses and content.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
}


def server_user() -> pwd.struct_passwd | None:
    """The system user the server runs as, for it refuses to run as root; None: ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ConfigurationError(
        "PostgreSQL does not run as root, and there is no user `postgres` or `nobody`:"
        " run Postroom as an ordinary user, or set DATABASE_URL."
    )


def home(data: Path) -> Path:
    """The directory that belongs to the server's user: the cluster and its logs."""
    return (data / "postgres").resolve()


def cluster(data: Path) -> Path:
    """The server's data directory; it exists once it is complete."""
    return home(data) / "cluster"


def sockets(data: Path) -> Path:
    """The private directory of the server's socket."""
    return (data / "socket").resolve()


def password(data: Path) -> str:
    """The password of the role `postroom`, made on first use."""
    return read_or_make(data / "database-password")


def make_places(data: Path) -> None:
    """Makes whichever of the server's directories is missing."""
    user = server_user()
    _make_home(data, user)
    _make_sockets(data, user)


def make(data: Path) -> None:
    """Makes whatever is still missing of places and cluster; a cut-off start leaves no harm."""
    make_places(data)
    user = server_user()
    version = cluster(data) / "PG_VERSION"
    if not version.exists():
        _make_cluster(data, user)
    elif version.read_text().strip() != MAJOR_VERSION:
        raise ConfigurationError(
            f"{cluster(data)} was made by PostgreSQL {version.read_text().strip()}, and this is"
            f" {MAJOR_VERSION}: dump it with the old release and load it with the new one."
        )


def server_command(data: Path, user: pwd.struct_passwd | None) -> list[str]:
    """The command line of the server."""
    chosen = SETTINGS | {
        "unix_socket_directories": str(sockets(data)),
        "log_directory": str(home(data) / "log"),
    }
    options = [word for name, value in chosen.items() for word in ("-c", f"{name}={value}")]
    return [str(program("postgres", user)), "-D", str(cluster(data)), *options]


def bare_environment() -> dict[str, str]:
    """What the server's programs see of our environment: no PG variables, no secrets."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _make_home(data: Path, user: pwd.struct_passwd | None) -> None:
    place = data / "postgres"
    if place.is_dir():
        return
    if place.is_symlink():
        raise ConfigurationError(f"The database's directory {place.readlink()} is gone ({place}).")
    if user is None or reach.reaches(user, place):
        place.mkdir(mode=0o700)
        _give(place, user)
        return
    elsewhere = Path(tempfile.mkdtemp(prefix="cluster-", dir=reach.state_directory()))
    _give(elsewhere, user)
    place.symlink_to(elsewhere)


def _make_sockets(data: Path, user: pwd.struct_passwd | None) -> None:
    place = data / "socket"
    if place.is_dir():
        return
    place.unlink(missing_ok=True)  # its goal is gone: temporary, or the data were moved
    if len(os.fsencode(home(data))) <= _SOCKET_DIRECTORY_BYTES_MAX:
        place.symlink_to(home(data))
        return
    short = Path(tempfile.mkdtemp(prefix="postroom-"))
    _give(short, user)
    place.symlink_to(short)


def _make_cluster(data: Path, user: pwd.struct_passwd | None) -> None:
    draft = home(data) / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    _run(
        user,
        [
            str(program("initdb", user)),
            f"--pgdata={draft}",
            "--username=postgres",
            "--auth=reject",  # the superuser never logs in; pg_hba.conf is ours
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--no-instructions",
        ],
    )
    (draft / "pg_hba.conf").write_text(_HBA)
    _make_role(data, draft, user)
    draft.rename(cluster(data))


def _make_role(data: Path, draft: Path, user: pwd.struct_passwd | None) -> None:
    said = _run(
        user,
        [str(program("postgres", user)), "--single", "-D", str(draft), "postgres"],
        f"CREATE ROLE postroom LOGIN PASSWORD '{password(data)}'\n"
        "CREATE DATABASE postroom OWNER postroom\n",
    )
    if "ERROR:" in said:  # a single-user server ends with status 0 all the same
        raise ConfigurationError(f"The embedded database could not be made: {said.strip()}")


def _run(user: pwd.struct_passwd | None, command: Sequence[str], given: str = "") -> str:
    done = subprocess.run(
        command,
        input=given,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        cwd="/",
        env=bare_environment(),
        user=user and user.pw_uid,
        group=user and user.pw_gid,
        extra_groups=[] if user else None,
    )
    if done.returncode != 0:
        raise ConfigurationError(f"{Path(command[0]).name} failed: {done.stdout.strip()}")
    return done.stdout


def _give(place: Path, user: pwd.struct_passwd | None) -> None:
    if user is not None:
        os.chown(place, user.pw_uid, user.pw_gid)
