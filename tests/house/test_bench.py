"""The measurements themselves run; what they come to is no matter of tests."""

import os
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.sink import Call, fullest_second, per_second
from bench.table import Row, rendered


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    """What the bench says when it is asked with these words."""
    return subprocess.run(
        [sys.executable, "-m", "bench", *words],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_rows_of_the_bench_are_measured_in_small() -> None:
    done = bench("--scale", "0.01", "notifications", "queue", "batches", "failover")
    assert done.returncode == 0, done.stderr
    for row in ("webhook events to verdicts", "queue: claim to result", "hand-over, 1,000 in a"):
        assert f"| {row}" in done.stdout
    once = next(line for line in done.stdout.splitlines() if "taken once" in line)
    assert once.endswith("| yes  |")


def test_a_row_that_there_is_not_is_refused_with_the_names_of_all() -> None:
    done = bench("fastest")
    assert done.returncode == 2
    assert "there is no row fastest; there are http, smtp-new," in done.stderr


def calls(instants: list[float]) -> list[Call]:
    return [Call(at, 2, 202, ()) for at in sorted(instants)]


@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=50))
def test_the_fullest_second_is_found_wherever_it_begins(parts: list[int]) -> None:
    instants = [at / 1024 for at in parts]
    expected = max(2 * sum(start <= at < start + 1 for at in instants) for start in instants)
    assert fullest_second(calls(instants)) == expected


def test_a_rate_is_that_of_the_time_between_the_first_call_and_the_last() -> None:
    assert per_second(calls([10.0, 10.5, 12.0])) == 2


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (Row("r", "s", [3, 1, 2], "peer", [4], most=0.5), "yes"),
        (Row("r", "s", [3], "peer", [4], most=0.5), "no"),
        (Row("r", "/s", [3], "peer", [4], least=0.5), "yes"),
        (Row("r", "/s", [3], "no peer here", [], least=0.5), "no"),
        (Row("r", "/s", [3], "peer", [4]), "-"),
    ],
)
def test_a_target_is_met_by_the_ratio_of_medians_and_never_without_a_peer(
    row: Row, told: str
) -> None:
    assert rendered([row]).splitlines()[2].split("|")[-2].strip() == told
