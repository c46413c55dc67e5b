"""`postroom drill failover`, as an operator runs it."""

import json
import os
import subprocess
import sys
from pathlib import Path

_RUN_S_MAX = 180.0


def drill(*words: str, temporary: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "postroom.cli", "drill", "failover", *words],
        env={
            "PATH": os.environ["PATH"],
            "TMPDIR": str(temporary),
            # None of these is heeded: a drill never touches the installation.
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "POSTROOM_HTTP_PORT": "none",
        },
        capture_output=True,
        text=True,
        timeout=_RUN_S_MAX,
        check=False,
    )


def test_a_rehearsed_failover_sends_nothing_twice_and_comes_back(data: Path) -> None:
    done = drill("--json", temporary=data)
    assert (done.returncode, done.stderr) == (0, "")
    outcome = json.loads(done.stdout)
    assert outcome["passed"]
    assert (outcome["twice"], outcome["lost"]) == (0, 0)
    assert outcome["mails"] == outcome["by_first"] + outcome["by_second"]
    assert outcome["by_second"] > 0
    assert outcome["taken_over_after_s"] < 30
    assert list(data.iterdir()) == [], "nothing is left behind"
