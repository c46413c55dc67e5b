"""An account that fails is left for another, nothing twice, and comes back by and by."""

import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.test import override_settings

from postroom.domain.lane import Lane
from postroom.ledger import accounts
from tests.fake_provider import TAKEN, Answer, Asked, Says, fake_provider
from tests.helpers import eventually
from tests.sending.posting import PACE, people, post_http, rows, sending, stages
from tests.sending.roads import add, healths, make_sound, route

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def short_rest() -> Iterator[None]:
    """An account that failed rests two seconds."""
    with override_settings(POSTROOM_FAILOVER_REST_S=2.0):
        yield


class Breakable:
    """A provider's answers, that can be made bad ones."""

    def __init__(self, bad: Says) -> None:
        self.bad, self.is_bad = bad, False

    def __call__(self, _asked: Asked) -> Says:
        return self.bad if self.is_bad else TAKEN


def post(count: int, lane: Lane = Lane.URGENT, prefix: str = "p") -> list[str]:
    """So many messages, each to one."""
    addresses = [f"{prefix}{number}@example.org" for number in range(count)]
    for address in addresses:
        post_http([address], {"lane": lane})
    return addresses


def test_what_an_account_fails_to_take_goes_by_the_next_within_seconds_and_never_twice(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = Breakable(Says(503))
    with fake_provider(answer) as first, fake_provider() as second:
        add("first", first)
        add("second", second)
        make_sound()
        with sending(), caplog.at_level(logging.INFO):
            before = post(5, prefix="before")
            eventually(lambda: stages() == {"submitted": 5})
            answer.is_bad = True
            after = post(30)
            eventually(lambda: stages() == {"submitted": 35}, within_s=30)
            more = post(5, prefix="more")
            eventually(lambda: stages() == {"submitted": 40})
    assert healths() == {"first": "open", "second": "sound"}
    assert (sorted(first.taken), sorted(second.taken)) == (sorted(before), sorted(after + more))
    opened = [one.getMessage() for one in caplog.records if "is open" in one.getMessage()]
    assert len(opened) == 1
    assert opened[0].startswith("ALARM account first was sound and is open: errors: ")


def test_an_account_that_refuses_us_is_left_on_its_first_answer() -> None:
    with fake_provider(lambda _: Says(401)) as first, fake_provider() as second:
        add("first", first)
        add("second", second)
        make_sound()
        with sending():
            post_http(people(3), {"lane": Lane.URGENT})
            eventually(lambda: stages() == {"submitted": 3})
            eventually(lambda: healths() == {"first": "open", "second": "sound"})
    assert len(first.asked) == 1
    assert sorted(second.taken) == people(3)


@pytest.mark.usefixtures("short_rest")
def test_an_account_comes_back_when_it_has_rested() -> None:
    answer = Breakable(Says(503))
    answer.is_bad = True
    with fake_provider(answer) as first, fake_provider() as second:
        add("first", first)
        add("second", second)
        make_sound()
        with sending():
            post(20)
            eventually(lambda: stages() == {"submitted": 20}, within_s=30)
            answer.is_bad = False
            eventually(lambda: healths()["first"] == "sound")
            eventually(lambda: post(1) and first.taken)
            eventually(lambda: set(stages()) == {"submitted"})
    taken = rows(
        "SELECT delivery_id FROM handover JOIN attempt ON attempt.id = attempt_id"
        " WHERE attempt.outcome = 'taken'"
    )
    assert max(Counter(taken).values()) == 1


@pytest.mark.usefixtures("short_rest")
def test_an_account_that_is_used_again_returns() -> None:
    with fake_provider() as first, fake_provider() as second:
        id = add("first", first)
        add("second", second)
        make_sound()
        accounts.stop(id, "asked")
        with sending():
            eventually(lambda: healths()["first"] == "open")
            accounts.restart(id)
            eventually(lambda: healths()["first"] == "returning")
            eventually(lambda: healths()["first"] == "sound")


def test_an_account_that_hangs_is_left_before_its_calls_have_ended() -> None:
    with fake_provider(lambda _: Says(after_s=14)) as first, fake_provider() as second:
        add("first", first)
        add("second", second)
        make_sound()
        with sending(replace(PACE, calls_max=24)):
            stuck = post(6)
            eventually(lambda: len(first.asked) == len(stuck))
            eventually(lambda: healths()["first"] == "open", within_s=20)
            post(3, prefix="later")
            eventually(lambda: len(second.taken) == 3)
            eventually(lambda: stages() == {"submitted": 9}, within_s=20)
    assert sorted(first.taken) == stuck


def test_an_account_that_is_to_wait_for_long_is_left_for_another() -> None:
    with (
        fake_provider(lambda _: Says(429, headers={"Retry-After": "3600"})) as first,
        fake_provider() as second,
    ):
        add("first", first)
        add("second", second)
        make_sound()
        with sending():
            post(6)
            eventually(lambda: stages() == {"submitted": 6}, within_s=20)
    assert healths() == {"first": "open", "second": "sound"}
    assert len(second.taken) == 6


def test_an_account_whose_day_is_full_leaves_the_rest_to_another() -> None:
    with fake_provider() as first, fake_provider() as second:
        add("first", first, recipients_per_day="3")
        add("second", second)
        make_sound()
        with sending():
            post(8)
            eventually(lambda: stages() == {"submitted": 8}, within_s=20)
    assert 0 < len(first.taken) <= 3
    assert len(first.taken) + len(second.taken) == 8
    assert healths() == {"first": "sound", "second": "sound"}


def test_without_another_the_only_account_is_tried_however_it_does() -> None:
    answer = Breakable(Says(503))
    answer.is_bad = True
    with fake_provider(answer) as only:
        add("only", only)
        make_sound()
        with sending():
            post(8)
            eventually(lambda: healths() == {"only": "open"}, within_s=20)
            answer.is_bad = False
            eventually(lambda: stages() == {"submitted": 8}, within_s=30)


def test_a_call_of_unknown_end_is_not_made_again_elsewhere() -> None:
    with fake_provider(lambda _: Says(None)) as first, fake_provider() as second:
        add("first", first)
        add("second", second)
        make_sound()
        with sending():
            post(6)
            eventually(lambda: stages() == {"indeterminate": 6})
            eventually(lambda: healths()["first"] == "open")
            post(3, prefix="later")
            eventually(lambda: stages() == {"indeterminate": 6, "submitted": 3})
    assert len(first.taken) == 6
    assert len(second.taken) == 3


@pytest.mark.parametrize("state", ["strained", "returning"])
def test_urgent_mail_leaves_a_weak_account_first(state: str) -> None:
    with fake_provider() as first, fake_provider() as second:
        add("first", first)
        add("second", second)
        make_sound()
        rows(
            "UPDATE account_health SET state = %s, since = now() - interval '5 min'"
            " WHERE account_id = 1 RETURNING 1",
            state,
        )
        route("first", "second", weights=(1, 1))
        with sending():
            post_http(people(60), {"lane": Lane.URGENT})
            eventually(lambda: stages() == {"submitted": 60})
            assert (len(first.taken), len(second.taken)) == (0, 60)
            post_http(people(400), {"lane": Lane.BULK})
            eventually(lambda: stages() == {"submitted": 460})
    share = {"strained": 0.25 / 1.25, "returning": 0.525 / 1.525}[state]
    assert len(first.taken) / 400 == pytest.approx(share, abs=0.08)


def test_all_senders_judge_by_what_all_have_met_with() -> None:
    refusing: Answer = lambda _: Says(503)  # noqa: E731
    with fake_provider(refusing) as first, fake_provider() as second:
        add("first", first)
        add("second", second)
        make_sound()
        with sending(), sending():
            post(10, Lane.NORMAL)
            eventually(lambda: stages() == {"submitted": 10}, within_s=40)
    ((calls, errors),) = rows(
        "SELECT sum(calls), sum(errors) FROM account_pulse WHERE account_id = 1"
    )
    assert calls == errors >= 5
    assert healths()["first"] == "open"


def test_calls_that_hang_keep_no_place_from_the_mail_of_another_account() -> None:
    with fake_provider(lambda _: Says(after_s=25)) as first, fake_provider() as second:
        add("first", first)
        add("second", second)
        make_sound()
        with sending(replace(PACE, calls_max=8)):
            post(20, Lane.BULK, prefix="bulk")
            post(8, prefix="urgent")
            eventually(lambda: stages().get("submitted", 0) > 0, within_s=20)
            post(4, prefix="later")
            eventually(lambda: sum("later" in to for to in second.taken) == 4)
        assert not any("later" in to for asked in first.asked for to in asked.recipients)
