"""A PostgreSQL that still recovers is waited for, with patience that ends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.pq import PGconn, Ping

from postroom.management import cluster, embedded
from postroom.management.keeper import Keeper
from postroom.management.workplace import wait_for_recovery
from tests.directories import data_directory
from tests.helpers import eventually


@pytest.fixture
def recovering(data: Path) -> Iterator[Path]:
    """The data of a server that lets nobody in before `end_recovery`."""
    cluster.make(data)
    (cluster.cluster(data) / "standby.signal").touch()
    with (cluster.cluster(data) / "postgresql.conf").open("a") as settings:
        settings.write("hot_standby = off\n")
    keeper = Keeper(data)
    keeper.look()
    try:
        eventually(lambda: PGconn.ping(embedded.dsn(data).encode()) == Ping.REJECT, within_s=30)
        yield data
    finally:
        keeper.stop()


def end_recovery(data: Path) -> None:
    """What `pg_ctl promote` does, which refuses to run as root."""
    (cluster.cluster(data) / "promote").touch()
    os.kill(embedded.server_pid(data), signal.SIGUSR1)


def test_a_command_waits_for_a_server_that_recovers(recovering: Path) -> None:
    with data_directory() as own, _migrating(own, embedded.dsn(recovering)) as command:
        assert command.stderr is not None
        assert command.stderr.readline() == (
            "postroom: PostgreSQL starts or recovers; waiting for it.\n"
        )
        end_recovery(recovering)
        said, trouble = command.communicate(timeout=60)
        assert (command.returncode, trouble) == (0, "")
        assert said.endswith("migrations were applied.\n")


def _migrating(own: Path, dsn: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "postroom.cli", "migrate"],
        env={"PATH": os.environ["PATH"], "POSTROOM_DATA": str(own), "DATABASE_URL": dsn},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_patience_with_a_server_that_recovers_ends(recovering: Path) -> None:
    dsn = embedded.dsn(recovering)
    wait_for_recovery(dsn, within_s=0.1)
    with pytest.raises(psycopg.OperationalError, match="not accepting connections"):
        psycopg.connect(dsn)


def test_a_server_that_does_not_answer_is_not_waited_for() -> None:
    began = time.monotonic()
    wait_for_recovery("postgresql://nobody@127.0.0.1:1/none", within_s=30)
    assert time.monotonic() - began < 10
