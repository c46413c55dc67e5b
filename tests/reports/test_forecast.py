"""The forecast that a report, the API and `postroom top` show."""

from uuid import uuid4

import pytest

from postroom.domain.forecast import LimitedBy
from postroom.domain.in_flight import Need, Share
from postroom.ledger import accounts, call_leases, paces, queue, receivers
from postroom.ledger.clock import utc_now
from postroom.ledger.pauses import pause_communication
from postroom.management.commands import top
from postroom.reports.forecast import of_communication
from tests.ledger.making import (
    accept,
    account,
    application,
    begin,
    claim,
    new_message,
    settle,
)

pytestmark = pytest.mark.usefixtures("ledger")


def post(count: int) -> int:
    """An application with so many deliveries of the communication `news` in its queue."""
    app = application()
    people = [f"p{n}@example.com" for n in range(count)]
    accept(new_message(app, people, communication="news"))
    return app


def test_what_remains_and_the_pace_are_those_of_the_attempts_lately() -> None:
    app = post(50)
    account()
    settle(begin(claim(20)))
    told = of_communication(app, "news", True, utc_now())
    assert told.remaining == 30
    assert 0 < told.per_s <= 20
    assert told.limited_by is LimitedBy.PROVIDER
    assert told.through_at is not None


def test_what_senders_have_in_hand_remains_until_it_is_begun() -> None:
    app = post(50)
    account()
    begin(claim(20))
    claim(10)
    told = of_communication(app, "news", True, utc_now())
    assert told.remaining == 30


def test_a_receiver_that_asked_for_less_is_named() -> None:
    app = post(50)
    account()
    receivers.asked_for_less(True, ["ann@example.com"], utc_now())
    assert claim() == []
    told = of_communication(app, "news", True, utc_now())
    assert (told.remaining, told.limited_by) == (50, LimitedBy.RECEIVER)
    seen = top.look(utc_now())
    assert [one["receiver"] for one in seen["receivers"]] == ["example.com"]
    screen = "\n".join(top.as_text(seen))
    assert "example.com (simulated)" in screen
    assert "receiver" in screen


def test_a_paused_communication_has_no_end_in_sight() -> None:
    app = post(5)
    account()
    pause_communication(app, "news", True)
    told = of_communication(app, "news", True, utc_now())
    assert (told.limited_by, told.through_at) == (LimitedBy.PAUSE, None)


def test_an_account_that_rests_is_named() -> None:
    app = post(5)
    paces.slow(account(), 60, None)
    assert of_communication(app, "news", True, utc_now()).limited_by is LimitedBy.ACCOUNT_RESTS


def test_what_an_account_may_not_carry_today_has_no_end_in_sight() -> None:
    app = post(50)
    account()
    accounts.adjust("simulator", {"recipients_per_day": "45"})
    paces.take(account(), 0, 20, 45)
    settle(begin(claim(20)))
    told = of_communication(app, "news", True, utc_now())
    assert (told.limited_by, told.through_at) == (LimitedBy.ACCOUNT_LIMIT, None)


def test_without_an_account_nothing_goes() -> None:
    assert of_communication(post(5), "news", True, utc_now()).limited_by is LimitedBy.NO_ACCOUNT


def test_nothing_remains_of_what_is_handed_over() -> None:
    app = post(5)
    settle(begin(claim()))
    told = of_communication(app, "news", True, utc_now())
    assert (told.remaining, told.limited_by) == (0, None)


def test_top_shows_lanes_accounts_and_what_waits() -> None:
    post(50)
    account()
    begin(claim(20))
    seen = top.look(utc_now())
    assert [(one["lane"], one["due"]) for one in seen["lanes"]] == [
        ("urgent", 0),
        ("normal", 30),
        ("bulk", 0),
    ]
    assert seen["attempts_open"] == 1
    (waiting,) = seen["communications"]
    assert (waiting["communication"], waiting["remaining"]) == ("news", 30)
    (used,) = seen["accounts"]
    assert used["recipients_per_s"] > 0
    screen = "\n".join(top.as_text(seen))
    assert "shop/news" in screen
    assert "1 calls without an end" in screen


def test_top_tells_what_an_account_uses_of_its_limits() -> None:
    account()
    accounts.adjust("simulator", {"recipients_per_day": "4000", "calls_in_flight": "20"})
    call_leases.lease(account(), uuid4(), 20, Need(Share(), Share(8, 1)))
    paces.take(account(), 0, 1_500, 4_000)
    seen = top.look(utc_now())
    screen = "\n".join(top.as_text(seen))
    assert "1,500 of 4,000 (200 urgent)" in screen
    assert "9 of 20" in screen


def test_top_tells_what_is_held_and_why() -> None:
    app = post(7)
    (one,) = claim(1)
    assert queue.hold(one.message_id, app) == 7
    seen = top.look(utc_now())
    assert [(one["communication"], one["reason"], one["count"]) for one in seen["held"]] == [
        ("news", "asked", 7)
    ]
    assert "shop/news           7  asked" in "\n".join(top.as_text(seen))


def test_top_says_when_nothing_waits() -> None:
    assert "Nothing waits in the queue." in "\n".join(top.as_text(top.look(utc_now())))
