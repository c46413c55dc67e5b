"""The demonstration, as a newcomer runs it: a real process, from nothing to the last word."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.helpers import free_ports

_RUN_S_MAX = 120.0


@pytest.fixture
def environment(data: Path) -> Mapping[str, str]:
    """An installation of this test's own, that nobody has started yet."""
    http, smtp, simulator = free_ports(3)
    return {
        "PATH": os.environ["PATH"],
        "POSTROOM_DATA": str(data),
        "POSTROOM_HTTP_PORT": str(http),
        "POSTROOM_SMTP_PORT": str(smtp),
        "POSTROOM_SIMULATOR_PORT": str(simulator),
    }


def test_the_demo_ends_with_a_balanced_report_that_can_be_asked_for_again(
    environment: Mapping[str, str],
) -> None:
    demo = _postroom(environment, "demo", "--exit")
    assert (demo.returncode, demo.stderr) == (0, ""), demo.stdout + demo.stderr
    assert "Balanced: every recipient is in exactly one line." in demo.stdout
    assert re.search(r"Recipients at acceptance +1,005\n", demo.stdout)
    for question in ("Still trying", "Not known yet"):
        assert re.search(rf"{question} +0 +0\.0% +0\n", demo.stdout), question
    assert "says the same of all 1,004 mails that it took" in demo.stdout
    assert re.search(r"Reason +mailbox_full \(552 5\.2\.2\)\n", demo.stdout)
    assert "\x1b" not in demo.stdout, "no terminal is there"

    named = re.search(r"price-change-2026-11-[0-9a-f]{6}", demo.stdout)
    assert named is not None, demo.stdout
    again = _postroom(environment, "report", named[0])
    assert again.returncode == 0, again.stderr
    assert _table(again.stdout) == _table(demo.stdout)
    assert _postroom(environment, "verify").returncode == 0


def test_the_demo_names_the_port_that_another_program_has(
    environment: Mapping[str, str],
) -> None:
    port = int(environment["POSTROOM_SMTP_PORT"])
    with socket.create_server(("127.0.0.1", port)):
        refused = _postroom(environment, "demo", "--exit")
    assert refused.returncode == 1
    assert refused.stderr == (
        f"postroom: Another program listens on port {port}: stop it, or set POSTROOM_SMTP_PORT"
        " to a free port.\n"
    )


def _table(shown: str) -> list[str]:
    """The lines of a report that hold figures, without the instant it was made at."""
    start = shown.index("deliveries  share  people")
    return shown[start : shown.index("Recipients at acceptance")].splitlines()


def _postroom(environment: Mapping[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "postroom.cli", *words],
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=_RUN_S_MAX,
    )
