"""`postroom up`: everything runs, comes back when it dies, and ends in order."""

import os
import signal
import urllib.request
from pathlib import Path

from postroom.management import embedded
from postroom.management.roles import ROLES
from tests.helpers import eventually
from tests.installation import Installation, installed


def test_all_roles_run_and_the_doors_are_open(installation: Installation) -> None:
    assert all(installation.role_pid(role) is not None for role in ROLES)
    assert _is_open(installation.http_port)


def test_the_key_of_the_sandbox_is_printed_on_the_first_start_only(
    installation: Installation,
) -> None:
    assert "postroom_test_" in installation.log
    installation.stop()
    installation.start()
    assert "postroom_test_" not in installation.log


def test_a_killed_role_comes_back_and_its_port_with_it(installation: Installation) -> None:
    for role in ("web", "smtp", "simulator"):
        killed = installation.role_pid(role)
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: installation.role_pid(role) not in (None, killed))  # noqa: B023
    eventually(lambda: _is_open(installation.http_port))
    assert "web ended (SIGKILL); it starts again at once." in installation.log


def test_sigterm_ends_everything_with_status_0(installation: Installation) -> None:
    processes = {role: installation.role_pid(role) for role in ROLES}
    assert installation.stop() == 0
    assert not any(pid and _is_alive(pid) for pid in processes.values())
    assert not embedded.has_keeper(installation.data)


def test_a_killed_supervisor_leaves_nothing_behind(installation: Installation) -> None:
    processes = {role: installation.role_pid(role) for role in ROLES}
    installation.kill()
    eventually(lambda: not any(pid and _is_alive(pid) for pid in processes.values()), within_s=30)
    assert embedded.wait_until_stopped(installation.data, within_s=30)


def test_two_installations_run_side_by_side() -> None:
    with installed() as one, installed() as other:
        assert _is_open(one.http_port)
        assert _is_open(other.http_port)
        assert one.key != other.key


def test_entries_of_the_simulators_file_stay_as_they_were_written() -> None:
    with installed(simulator={"seed": 7, "time_scale": 0.5}) as one:
        written = (one.data / "simulator.json").read_text()
        assert '"seed": 7' in written
        assert f'"http_port": {one.simulator_port}' in written


def _is_open(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/openapi.json") as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def _is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
