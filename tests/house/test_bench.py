"""The measurements themselves run; what they come to is no matter of tests."""

import os
import subprocess
import sys


def test_a_row_of_the_bench_is_measured_in_small() -> None:
    environment = {"PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-m", "bench", "--scale", "0.01", "notifications"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "| webhook events to verdicts |" in done.stdout
