"""A command whose output nobody reads any more, as in `postroom ask ... | head -1`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from postroom import cli


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("count", [1, 10_000])
def test_output_that_nobody_reads_ends_the_command_quietly(
    count: int, unbuffered: str, data: Path
) -> None:
    events = [
        {"event": "delivered", "email": "a@example.com", "sg_message_id": f"m.{number}"}
        for number in range(count)
    ]
    (data / "events").write_text(json.dumps(events))
    assert _cut_off("decode", "sendgrid", str(data / "events"), unbuffered=unbuffered) == (141, "")


def test_help_that_nobody_reads_ends_quietly() -> None:
    assert _cut_off("--help", unbuffered="") == (141, "")


def _cut_off(*words: str, unbuffered: str) -> tuple[int, str]:
    """Exit status and standard error of a command whose output nobody reads."""
    nobody, output = os.pipe()
    os.close(nobody)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "postroom.cli", *words],
            env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(output)
    return done.returncode, done.stderr


def test_a_pipe_that_breaks_elsewhere_stays_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_arguments: object) -> int:
        raise BrokenPipeError

    with Path(os.devnull).open("w") as output:
        monkeypatch.setattr(sys, "stdout", output)
        monkeypatch.setattr("postroom.management.commands.dsn.run", broken)
        with pytest.raises(BrokenPipeError):
            cli.main(["dsn"])
