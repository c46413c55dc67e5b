"""A list with dead addresses, mailed three times: they are found once, and then left alone."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.helpers import eventually
from tests.installation import Installation, installed

DEAD = [f"bounce+d{n}@sim.example" for n in range(16)]
PEOPLE = [*DEAD, *(f"delivered+p{n}@sim.example" for n in range(184))]


@pytest.fixture(scope="module")
def one() -> Iterator[Installation]:
    """An installation of this story's own."""
    with installed() as running:
        yield running


def test_a_list_with_dead_addresses_mailed_three_times(one: Installation) -> None:
    first = mailed(one, "first")
    assert (first["suppressed"], outcome(one, "first")) == (0, {"bounced": 16, "delivered": 184})

    second = mailed(one, "second")
    assert second["suppressed"] == 16
    assert outcome(one, "second") == {"suppressed": 16, "delivered": 184}
    [shown] = json.loads(one.cli("suppress", "show", DEAD[0], "--simulated", "--json"))
    assert (shown["reason"], shown["not_sent"]["count"]) == ("address_unknown", 1)

    one.cli("suppress", "lift", DEAD[0], "--simulated", "--why", "says it is mended")
    assert mailed(one, "third")["suppressed"] == 15
    assert outcome(one, "third") == {"suppressed": 15, "bounced": 1, "delivered": 184}
    again, before = json.loads(one.cli("suppress", "show", DEAD[0], "--simulated", "--json"))
    assert (again["state"], before["lifted_by"]) == ("in_force", "person")

    made = one.cli(
        "key", "create", "journey", "--kind=test", "--scope=send", "--scope=critical", "--json"
    )
    recall = mailed(one, "recall", critical=True, key=json.loads(made)["key"])
    assert recall["suppressed"] == 0
    assert outcome(one, "recall") == {"bounced": 16, "delivered": 184}
    assert one.cli("verify")


def mailed(one: Installation, communication: str, **changes: Any) -> dict[str, Any]:
    key = changes.pop("key", one.key)
    mail = {"from": "desk@company.example", "subject": "Prices", "text": "Hello.", "to": PEOPLE}
    body = mail | {"communication": communication} | changes
    bearer = {"Authorization": f"Bearer {key}"}
    status, answer = one.call("POST", "/v1/messages", body, bearer)
    assert status == 202, answer
    found: dict[str, Any] = answer
    return found


def outcome(one: Installation, communication: str) -> dict[str, int]:
    """Its deliveries by state, once all is known."""
    path = f"/v1/communications/{communication}/report"

    def known() -> dict[str, int]:
        answers, states = (one.call("GET", path)[1][name] for name in ("answers", "states"))
        return {} if answers.get("still_trying") else {n: c for n, c in states.items() if c}

    return eventually(known, within_s=60, every_s=0.2)
