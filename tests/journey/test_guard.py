"""A poisoned list is held within its first 1,000 recipients; everything else goes on."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers import eventually
from tests.installation import Installation, installed

POISONED, HEALTHY = 3000, 600


@pytest.fixture(scope="module")
def one() -> Iterator[Installation]:
    """An installation whose account carries 150 recipients a second."""
    with installed() as running:
        running.cli("account", "set", "simulator", "recipients_per_s=150")
        yield running


def test_a_poisoned_list_is_held_and_all_else_goes_on(one: Installation) -> None:
    submit(one, "poisoned", addresses("p", POISONED, dead_each=8), "bulk")
    submit(one, "healthy", addresses("h", HEALTHY, dead_each=50), "bulk")
    (case,) = eventually(lambda: cases(one), within_s=60, every_s=0.3)
    assert (case["application"], case["communication"]) == ("journey", "poisoned")
    assert "the line of" in case["why"]

    submit(one, "alarm", addresses("u", 20, dead_each=20), "urgent")
    eventually(lambda: states(one, "alarm").get("delivered") == 19, within_s=30, every_s=0.2)
    eventually(lambda: not on_its_way(one, "poisoned", "healthy"), within_s=60, every_s=0.5)
    assert "held" not in states(one, "healthy")
    assert POISONED - states(one, "poisoned")["held"] <= 1000
    assert [found["case"] for found in cases(one)] == [case["case"]]

    before = states(one, "poisoned")["held"]
    one.cli("guard", "resume", str(case["case"]), "--why", "cleaned")
    eventually(lambda: states(one, "poisoned").get("held", 0) < before, 30, every_s=0.2)


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


def cases(one: Installation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(one.cli("guard", "list", "--json"))
    return [case for case in found if case["level"] == "pause"]


def states(one: Installation, communication: str) -> dict[str, int]:
    _, report = one.call("GET", f"/v1/communications/{communication}/report")
    counted: dict[str, int] = report["states"]
    return {state: count for state, count in counted.items() if count}


def on_its_way(one: Installation, *communications: str) -> bool:
    """Whether anything of these is neither held nor final."""
    return any(
        states(one, name).keys() & {"queued", "submitting", "submitted", "deferred"}
        for name in communications
    )
