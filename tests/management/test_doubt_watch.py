"""Whoever owns mail in doubt is told at once, by application, and not by mail."""

import logging
from datetime import timedelta

import pytest
from django.conf import settings

from postroom.domain.delivery import Outcome
from postroom.ledger import in_doubt, queue
from postroom.ledger.db import connection
from postroom.management import clock, doubt_watch
from postroom.management.commands import top
from tests.ledger import making

pytestmark = pytest.mark.usefixtures("ledger")


def doubtful(application: str, count: int, **changes: object) -> None:
    """So many live deliveries of one message, whose call ended without a known result."""
    people = [f"p{number}@{application}.example" for number in range(count)]
    told = {"simulated": False} | changes
    making.accept(making.new_message(making.application(application), people, **told))
    attempt = making.begin(queue.claim([False, True], 100, 60))
    making.settle(attempt, Outcome.UNKNOWN)


def alarms(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was told since the last look."""
    told = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    caplog.clear()
    return told


def let_the_window_pass() -> None:
    window = timedelta(seconds=settings.POSTROOM_DOUBT_WINDOW_S)
    with connection() as conn:
        conn.execute("UPDATE doubt_told SET told_at = told_at - %s", (window,))


def test_each_application_is_told_once_of_all_its_mail(caplog: pytest.LogCaptureFixture) -> None:
    doubtful("shop", 3, communication="prices")
    doubtful("desk", 2, on_doubt="resend")
    assert doubt_watch.tell() == 2
    desk, shop = alarms(caplog)
    assert desk.startswith("ALARM application desk: of 2 deliveries in 0 communications")
    assert "2 are sent again and 0 wait" in desk
    assert shop.startswith("ALARM application shop: of 3 deliveries in 1 communications")
    assert "0 are sent again and 3 wait" in shop
    assert (doubt_watch.tell(), alarms(caplog)) == (0, [])


def test_what_is_told_is_not_told_again_and_more_only_after_the_window(
    caplog: pytest.LogCaptureFixture,
) -> None:
    doubtful("shop", 1)
    assert doubt_watch.tell() == 1
    let_the_window_pass()
    assert doubt_watch.tell() == 0, "nothing is new"
    doubtful("shop", 1)
    assert doubt_watch.tell() == 1
    doubtful("shop", 1)
    assert doubt_watch.tell() == 0, "it was told in this window"
    let_the_window_pass()
    caplog.clear()
    assert doubt_watch.tell() == 1
    assert "of 3 deliveries" in alarms(caplog)[0]


def test_simulated_mail_alarms_nobody_and_is_shown() -> None:
    doubtful("shop", 1, simulated=True)
    assert doubt_watch.tell() == 0
    assert [(one.application, one.simulated) for one in in_doubt.in_doubt()] == [("shop", True)]


def test_the_clock_tells() -> None:
    doubtful("shop", 1)
    told = {task.name: task.step for task in clock.tasks()}["applications told of doubt"]
    assert (told(), told()) == (1, 0)


def test_top_shows_what_is_in_doubt() -> None:
    doubtful("shop", 2, communication="prices", on_doubt="resend")
    seen = top.look(making.now())
    (one,) = seen["in_doubt"]
    assert (one["application"], one["communication"], one["count"], one["sent_again"]) == (
        "shop", "prices", 2, 2,
    )  # fmt: skip
    assert any("shop/prices" in line and "2" in line for line in top.as_text(seen))
