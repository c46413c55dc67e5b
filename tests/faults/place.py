"""Where a run takes place: an installation, further roles beside it, and lines that can be cut."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from psycopg.conninfo import conninfo_to_dict

from postroom.management import cluster, embedded
from postroom.management.supervisor import role_command
from tests.directories import data_directory
from tests.faults.carrier import carried_by
from tests.faults.proxy import Proxy
from tests.faults.scale import MISCHIEF, SETTINGS
from tests.faults.small_disk import small_disk
from tests.installation import Installation, installed

_STOP_S_MAX = 30.0
_LIMIT = "POSTROOM_ACCOUNT_SIMULATOR_CALLS_PER_S"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a place is to be like."""

    mischief: Mapping[str, object] = field(default_factory=lambda: MISCHIEF)
    """The simulator's, from the beginning."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Other than the usual ones."""
    more_roles: tuple[str, ...] = ()
    """Roles of which a second process runs, beside the supervised one."""
    provider: str | None = None
    """Through which all mail goes; None: SendGrid."""
    has_lines: bool = False
    """Whether all talk with the provider and the database through lines that can be cut."""
    has_small_disk: bool = False
    """Whether the installation is alone on a file system that can be filled, if one can be had."""
    calls_per_s: int | None = None
    """The limit of the account; None: there is none."""

    @property
    def environment(self) -> dict[str, str]:
        """Settings of all processes."""
        limit = {} if self.calls_per_s is None else {_LIMIT: str(self.calls_per_s)}
        return {**SETTINGS, **self.settings, **limit}

    @property
    def arrives_before_s(self) -> float:
        """Seconds that a call has been with the provider, at least, when its mail is taken."""
        least, _ = cast("tuple[float, float]", self.mischief["latency_ms"])
        return least / 2 / 1000


@dataclass
class Place:
    """A running installation and what stands around it."""

    installation: Installation
    truth: Path
    """The simulator's truth log."""
    provider: Proxy | None = None
    """What stands between the senders and the simulator; None: nothing."""
    database: Proxy | None = None
    """What stands between everybody and PostgreSQL; None: nothing."""
    disk: Path | None = None
    """The file system on which the installation is alone; None: it has none."""
    more: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    """Second processes of some roles."""

    def role_pids(self, role: str) -> list[int]:
        """The processes of one role, without its workers."""
        supervised, further = self.installation.role_pid(role), self.more.get(role)
        pids = [supervised, further.pid if further and further.poll() is None else None]
        return [pid for pid in pids if pid is not None]


@contextmanager
def prepared(ground: Ground, seed: int) -> Iterator[Place]:
    """A place that runs inside."""
    settings = ground.environment
    with ExitStack() as stack:
        # What is written there can be written even when the disk of the installation is full.
        elsewhere = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="postroom-logs-")))
        truth = elsewhere / "truth.jsonl"
        simulator = {
            "seed": seed,
            "mischief": {**ground.mischief, "seed": seed},
            "truth_log": str(truth),
        }
        if ground.has_lines:
            place = _with_lines(stack, truth, simulator, settings)
        else:
            disk = stack.enter_context(small_disk()) if ground.has_small_disk else None
            installation = stack.enter_context(
                installed(simulator, disk, elsewhere / "up.log", **settings)
            )
            place = Place(installation, truth, disk=disk)
        if ground.provider is not None:
            carried_by(place.installation, ground.provider)
        for role in ground.more_roles:
            place.more[role] = stack.enter_context(_one_more(place.installation, role))
        yield place


def _with_lines(
    stack: ExitStack, truth: Path, simulator: Mapping[str, object], settings: Mapping[str, str]
) -> Place:
    provider, smtp, database = (stack.enter_context(Proxy().running()) for _ in range(3))
    lines = _through(provider, smtp, stack.enter_context(_database_behind(database)))
    installation = stack.enter_context(installed(simulator, None, None, **settings, **lines))
    _lead(installation, provider, smtp)
    return Place(installation, truth, provider, database)


def _through(provider: Proxy, smtp: Proxy, database_url: str) -> dict[str, str]:
    return {
        "DATABASE_URL": database_url,
        "POSTROOM_ACCOUNT_SIMULATOR_ENDPOINT": f"http://127.0.0.1:{provider.port}",
        "POSTROOM_ACCOUNT_SIMULATOR_SMTP_PORT": str(smtp.port),
    }


def _lead(installation: Installation, provider: Proxy, smtp: Proxy) -> None:
    config = json.loads((installation.data / "simulator.json").read_text())
    provider.to = ("127.0.0.1", config["http_port"])
    smtp.to = ("127.0.0.1", config["smtp_port"])


@contextmanager
def _database_behind(line: Proxy) -> Iterator[str]:
    """The URL of a migrated database of its own, which is reached by that line."""
    with data_directory() as data, embedded.running(data):
        line.to = cluster.sockets(data) / ".s.PGSQL.5432"
        password = conninfo_to_dict(embedded.dsn(data))["password"]
        url = f"postgresql://postroom:{password}@127.0.0.1:{line.port}/postroom"
        environment = {"PATH": os.environ["PATH"], "POSTROOM_DATA": str(data), "DATABASE_URL": url}
        command = [sys.executable, "-m", "postroom.cli", "migrate"]
        subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
        yield url


@contextmanager
def _one_more(installation: Installation, role: str) -> Iterator["subprocess.Popen[bytes]"]:
    with installation.log_file.open("ab") as log:
        process = subprocess.Popen(
            role_command(role),
            env=installation.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_STOP_S_MAX)
