"""What a delivery waits for is told with it."""

import pytest

from postroom.ledger import receivers
from postroom.ledger.clock import utc_now
from tests.ledger.making import accept, application, claim, new_message
from tests.reports.reading import reader

pytestmark = pytest.mark.usefixtures("ledger")


def waits_for(recipient: str) -> str | None:
    made = accept(new_message(application(), [recipient]))
    claim()
    answer = reader().get(f"/v1/deliveries/{made.deliveries[0][0]}")
    told = answer["waits_for"]
    assert told is None or isinstance(told, str)
    return told


def test_a_delivery_names_the_receiver_that_asked_for_less() -> None:
    receivers.asked_for_less(True, ["ann@gmail.com"], utc_now())
    assert waits_for("kim@googlemail.com") == "gmail"


def test_a_delivery_that_goes_waits_for_nobody() -> None:
    receivers.asked_for_less(True, ["ann@gmail.com"], utc_now())
    assert waits_for("kim@example.com") is None
