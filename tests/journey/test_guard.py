"""A poisoned list is held within its first 1,000 recipients; everything else goes on."""

import json
import re
import time
import urllib.request
from collections.abc import Iterator

import pytest

from tests.helpers import eventually
from tests.installation import Installation, installed

POISONED, HEALTHY = 3000, 300


@pytest.fixture(scope="module")
def one() -> Iterator[Installation]:
    """An installation whose account is slow beside what it hears back, on a busy machine too."""
    with installed() as running:
        running.cli("account", "set", "simulator", "recipients_per_s=100")
        # Senders read accounts each second; until then a whole list would leave at once.
        until = time.monotonic() + 5
        eventually(lambda: time.monotonic() > until)
        yield running


def test_a_poisoned_list_is_held_and_all_else_goes_on(one: Installation) -> None:
    submit(one, "poisoned", addresses("p", POISONED, dead_each=8), "bulk")
    submit(one, "healthy", addresses("h", HEALTHY, dead_each=50), "bulk")
    eventually(lambda: paused(one) == 1, within_s=60, every_s=0.2)
    submit(one, "alarm", addresses("u", 20, dead_each=20), "urgent")
    eventually(lambda: states(one, "alarm").get("delivered") == 19, within_s=30, every_s=0.2)
    eventually(lambda: is_over(one, "healthy") and is_over(one, "poisoned"), 60, every_s=0.3)

    cases = json.loads(one.cli("guard", "list", "--json"))
    (case,) = [found for found in cases if found["level"] == "pause"]
    assert (case["application"], case["communication"]) == ("journey", "poisoned")
    assert "held" not in states(one, "healthy")
    held = states(one, "poisoned")["held"]
    assert POISONED - held <= 1000

    one.cli("guard", "resume", str(case["case"]), "--why", "cleaned")
    eventually(lambda: states(one, "poisoned").get("held", 0) < held, within_s=30, every_s=0.2)


def addresses(label: str, count: int, dead_each: int) -> list[str]:
    """Addresses of which every so-many-th is dead."""
    return [
        f"{'delivered' if number % dead_each else 'bounce'}+{label}{number}@sim.example"
        for number in range(1, count + 1)
    ]


def submit(one: Installation, communication: str, to: list[str], lane: str) -> None:
    mail = {"from": "desk@company.example", "subject": "Prices", "text": "Hello."}
    answer = one.call(
        "POST",
        "/v1/messages",
        mail | {"to": to, "communication": communication, "lane": lane},
    )
    assert answer[0] == 202, answer


def paused(one: Installation) -> int:
    """How much is held, as the metric says."""
    with urllib.request.urlopen(f"http://127.0.0.1:{one.http_port}/metrics", timeout=10) as answer:
        found = re.search(r'postroom_guard_cases{level="pause"} (\d+)', answer.read().decode())
    assert found is not None
    return int(found[1])


def states(one: Installation, communication: str) -> dict[str, int]:
    _, report = one.call("GET", f"/v1/communications/{communication}/report")
    counted: dict[str, int] = report["states"]
    return {state: count for state, count in counted.items() if count}


def is_over(one: Installation, communication: str) -> bool:
    """Whether all of it is held or final."""
    waiting = {"queued", "submitting", "submitted", "deferred"}
    return not states(one, communication).keys() & waiting
