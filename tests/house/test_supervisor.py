"""`postroom up`: everything runs, comes back when it dies, and ends in order."""

import json
import os
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from postroom.management import embedded
from postroom.management.probes import listens
from postroom.management.roles import ROLES
from tests.helpers import eventually
from tests.installation import Installation, installed


@pytest.fixture(scope="module")
def lasting() -> Iterator[Installation]:
    """An installation that the tests of this file share: they leave it running."""
    with installed() as one:
        yield one


def test_all_roles_run_and_the_doors_are_open(lasting: Installation) -> None:
    assert all(lasting.role_pid(role) is not None for role in ROLES)
    assert _is_open(lasting.http_port)


def test_the_key_of_the_sandbox_is_printed_on_the_first_start_only(
    installation: Installation,
) -> None:
    assert "postroom_test_" in installation.log
    installation.stop()
    installation.start()
    assert "postroom_test_" not in installation.log


@pytest.mark.parametrize("role", ["web", "smtp", "simulator"])
def test_a_killed_role_comes_back_and_its_port_with_it(lasting: Installation, role: str) -> None:
    killed = lasting.role_pid(role)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: lasting.role_pid(role) not in (None, killed))
    eventually(lambda: _is_open(lasting.http_port), within_s=30)
    assert f"{role} ended (SIGKILL); it starts again" in lasting.log


def test_a_killed_database_comes_back_and_the_roles_live_on(lasting: Installation) -> None:
    eventually(lambda: _is_open(lasting.http_port) and _listen(lasting), within_s=30)
    processes = {role: lasting.role_pid(role) for role in ROLES}
    os.kill(embedded.server_pid(lasting.data), signal.SIGKILL)
    eventually(lambda: lasting.call("GET", "/v1/communications")[0] == 200, within_s=30)
    assert processes == {role: lasting.role_pid(role) for role in ROLES}


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


def test_two_installations_run_side_by_side_each_with_its_own_settings(
    lasting: Installation,
) -> None:
    with installed(simulator={"seed": 7, "time_scale": 0.5}) as other:
        assert _is_open(lasting.http_port)
        assert _is_open(other.http_port)
        assert _simulator(lasting)["seed"] == 1
        assert _simulator(other) | {"seed": 7, "time_scale": 0.5} == _simulator(other)
        assert _simulator(other)["http_port"] == other.simulator_port


def _simulator(one: Installation) -> dict[str, object]:
    written: dict[str, object] = json.loads((one.data / "simulator.json").read_text())
    return written


def _listen(one: Installation) -> bool:
    """Whether the roles that earlier tests killed have come up again."""
    return all(listens("127.0.0.1", port) for port in (one.smtp_port, one.simulator_port))


def _is_open(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/openapi.json") as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _is_alive(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
