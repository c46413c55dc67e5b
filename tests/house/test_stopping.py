"""A process that is to end is asked more than once, and ended only when that does not help."""

import signal
import sys
from pathlib import Path

import pytest

from postroom.management import supervisor
from postroom.management.supervisor import Child
from tests.helpers import eventually

_MISSES = """
import pathlib, signal, sys
missed = int(sys.argv[2])
asked = 0
def ask(*_):
    global asked
    asked += 1
    if asked > missed:
        sys.exit(0)
signal.signal(signal.SIGTERM, ask)
pathlib.Path(sys.argv[1]).touch()
while True:
    signal.pause()
"""
"""Misses the first signals, and ends at the next one."""


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "_ASK_AGAIN_S", 0.05)


def running(directory: Path, missed: int) -> Child:
    ready = directory / "ready"
    child = Child("sleeper", [sys.executable, "-c", _MISSES, str(ready), str(missed)])
    child.look()
    eventually(ready.exists)
    return child


def test_one_that_misses_a_signal_is_asked_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    child = running(tmp_path, 2)
    process = child.process
    assert process is not None
    child.stop(30)
    assert process.returncode == 0
    assert capsys.readouterr().out == ""


def test_one_that_does_not_listen_is_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    child = running(tmp_path, 1_000_000)
    process = child.process
    assert process is not None
    child.stop(0.2)
    assert process.returncode == -signal.SIGKILL
    assert "sleeper did not stop within 0 s and is ended." in capsys.readouterr().out
