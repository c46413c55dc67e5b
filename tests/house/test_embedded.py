"""The embedded PostgreSQL: there when it is used, back when it dies, gone when nobody needs it."""

import os
import signal
import stat
import subprocess
import sys
from functools import partial
from pathlib import Path

import psycopg
import pytest

from postroom.management import cluster, embedded, keeper
from postroom.management.environment import ConfigurationError
from tests.directories import remove
from tests.helpers import eventually


def answer(data: Path) -> object:
    """Asks the server something."""
    with psycopg.connect(embedded.dsn(data)) as connection:
        row = connection.execute("SELECT current_setting('server_version_num')::int / 10000")
        return row.fetchone()


def test_the_server_is_up_inside_and_gone_after(data: Path) -> None:
    with embedded.running(data):
        assert answer(data) == (18,)
    assert embedded.wait_until_stopped(data, within_s=30)
    with pytest.raises(psycopg.OperationalError):
        answer(data)


def test_what_was_committed_is_there_on_the_next_start(data: Path) -> None:
    with embedded.running(data), psycopg.connect(embedded.dsn(data)) as connection:
        connection.execute("CREATE TABLE note AS SELECT 'kept' AS word")
    assert embedded.wait_until_stopped(data, within_s=30)
    with embedded.running(data), psycopg.connect(embedded.dsn(data)) as connection:
        assert connection.execute("SELECT word FROM note").fetchone() == ("kept",)


def test_a_killed_server_comes_back_by_itself(data: Path) -> None:
    with embedded.running(data):
        for _ in range(3):
            killed = embedded.server_pid(data)
            os.kill(killed, signal.SIGKILL)
            eventually(partial(_other_server_answers, data, killed), within_s=30)


def test_a_killed_keeper_is_replaced(data: Path) -> None:
    with embedded.running(data):
        os.kill(_keeper_pid(data), signal.SIGKILL)
        eventually(lambda: not embedded.has_keeper(data))
        eventually(lambda: _is_gone(data), within_s=30)
        embedded.ensure(data)
        assert answer(data) == (18,)
        assert embedded.has_keeper(data)


def test_the_server_goes_on_while_another_uses_it(data: Path) -> None:
    with embedded.running(data):
        server = embedded.server_pid(data)
        with embedded.running(data):
            assert embedded.server_pid(data) == server
        assert not embedded.wait_until_stopped(data, within_s=0.5)
        assert answer(data) == (18,)


def test_the_server_stops_when_its_only_user_is_killed(data: Path) -> None:
    user = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(data)], stdout=subprocess.PIPE, text=True
    )
    assert user.stdout is not None
    with user.stdout:
        assert user.stdout.readline() == "up\n"
    user.kill()
    user.wait()
    assert embedded.wait_until_stopped(data, within_s=30)


_HOLDS = """
import pathlib, sys, threading
from postroom.management import embedded
with embedded.running(pathlib.Path(sys.argv[1])):
    print("up", flush=True)
    threading.Event().wait()
"""


def test_many_that_start_at_once_get_one_server(data: Path) -> None:
    users = [
        subprocess.Popen(
            [sys.executable, "-c", _ASKS, str(data)], stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    answers = [user.communicate(timeout=60)[0] for user in users]
    assert set(answers) == {"18\n"}


_ASKS = """
import pathlib, psycopg, sys
from postroom.management import embedded
data = pathlib.Path(sys.argv[1])
with embedded.running(data), psycopg.connect(embedded.dsn(data)) as connection:
    print(connection.info.server_version // 10000)
"""


def test_a_long_path_gets_a_short_socket(data: Path) -> None:
    deep = data / ("d" * 60) / ("e" * 60)
    deep.parent.mkdir()
    with embedded.running(deep):
        assert answer(deep) == (18,)
    assert embedded.wait_until_stopped(deep, within_s=30)
    remove(deep)


def test_only_the_password_opens_the_database(data: Path) -> None:
    with embedded.running(data):
        right = embedded.dsn(data)
        for wrong in (right.replace("password=", "password=x"), right + " user=postgres"):
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(wrong)


def test_secrets_and_cluster_are_for_their_owner_alone(data: Path) -> None:
    with embedded.running(data):
        for private in (data / "database-password", cluster.home(data), cluster.cluster(data)):
            assert stat.S_IMODE(private.stat().st_mode) & 0o077 == 0, private
        assert cluster.SETTINGS["listen_addresses"] == ""


def test_a_cut_off_first_start_is_begun_anew(data: Path) -> None:
    cluster.make_places(data)
    (cluster.home(data) / "draft").mkdir()
    (cluster.home(data) / "draft" / "PG_VERSION").write_text("18")
    with embedded.running(data):
        assert answer(data) == (18,)


def test_a_cluster_of_another_release_is_refused_in_one_sentence(data: Path) -> None:
    cluster.make_places(data)
    cluster.cluster(data).mkdir()
    (cluster.cluster(data) / "PG_VERSION").write_text("17\n")
    with (
        pytest.raises(ConfigurationError, match="was made by PostgreSQL 17"),
        embedded.running(data),
    ):
        pass


def test_a_reused_process_number_does_not_keep_the_server_down(data: Path) -> None:
    pid_file = data / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n")
    keeper.forget_dead_server(pid_file)
    assert not pid_file.exists()


def _other_server_answers(data: Path, killed: int) -> bool:
    try:
        return answer(data) == (18,) and embedded.server_pid(data) != killed
    except (psycopg.OperationalError, OSError):
        return False


def _is_gone(data: Path) -> bool:
    return not (cluster.cluster(data) / "postmaster.pid").exists()


def _keeper_pid(data: Path) -> int:
    """The parent of the server."""
    status = Path(f"/proc/{embedded.server_pid(data)}/stat").read_text()
    return int(status.rsplit(")")[-1].split()[1])
