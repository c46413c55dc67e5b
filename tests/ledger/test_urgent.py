"""The daily quota of urgent recipients: a counter that acceptance keeps, exact under a race."""

from dataclasses import replace
from typing import Any

import pytest
from django.test import override_settings

from postroom.domain.delivery import Stage
from postroom.domain.lane import Lane
from postroom.ledger import overview
from postroom.ledger.acceptance import Acceptance, Idempotency, NewDelivery, NewMessage
from postroom.ledger.db import connection, transaction
from postroom.ledger.idempotency import accepted_before
from postroom.ledger.messages import write_messages
from postroom.ledger.urgent import UrgentUse, used_today
from postroom.ledger.writer import accept_message
from tests.helpers import eventually
from tests.ledger.making import accept, application, new_message, now, row, scalar

pytestmark = pytest.mark.usefixtures("ledger")


@pytest.fixture
def app() -> int:
    """An application with 10 urgent recipients a day."""
    id = application("shop")
    with connection() as conn:
        conn.execute("UPDATE application SET urgent_per_day = 10 WHERE id = %s", (id,))
    return id


def urgent(app: int, count: int, **changes: Any) -> NewMessage:
    people = [f"p{number}@example.com" for number in range(count)]
    wanted = {"lane": Lane.URGENT, "simulated": False, "on_doubt": None} | changes
    return new_message(app, people, **wanted)


def lanes(*accepted: Acceptance) -> list[Lane]:
    return [one.lane for one in accepted]


def used() -> int:
    (one,) = used_today()
    return one.used


def test_what_exceeds_the_quota_goes_as_normal_and_the_answer_says_so(app: int) -> None:
    within, beyond, still_within = (accept(urgent(app, count)) for count in (6, 5, 4))
    assert lanes(within, beyond, still_within) == [Lane.URGENT, Lane.NORMAL, Lane.URGENT]
    assert within.notes == []
    (note,) = beyond.notes
    assert note.startswith("asked for urgent, goes as normal: ")
    assert used_today() == [UrgentUse("shop", 10, 10)]


def test_a_message_is_urgent_as_a_whole_or_not_at_all(app: int) -> None:
    beyond = accept(urgent(app, 11))
    assert {row(id, "lane") for id, _, _ in beyond.deliveries} == {(Lane.NORMAL,)}
    assert used() == 0, "what goes as normal uses nothing up"


def test_the_message_tells_later_what_the_answer_told(app: int) -> None:
    accepted = accept(urgent(app, 11))
    found = overview.message(accepted.message_id)
    assert found is not None
    assert (found.lane, found.notes) == (Lane.NORMAL, accepted.notes)


def test_on_doubt_follows_the_lane_in_which_the_message_goes(app: int) -> None:
    for count, on_doubt in ((1, "resend"), (11, "hold")):
        id = accept(urgent(app, count)).message_id
        assert scalar("SELECT on_doubt FROM message WHERE id = %s", id) == on_doubt
    asked = accept(urgent(app, 11, on_doubt="resend")).message_id
    assert scalar("SELECT on_doubt FROM message WHERE id = %s", asked) == "resend"


def test_only_those_count_who_may_get_something(app: int) -> None:
    people = urgent(app, 10).deliveries
    refused = [
        NewDelivery(f"{n}", f"{n}", stage=Stage.REJECTED, reason="address_syntax")
        for n in range(20)
    ]
    assert lanes(accept(urgent(app, 0, deliveries=[*refused, *people]))) == [Lane.URGENT]
    assert used() == 10


def test_simulated_mail_uses_nothing_up_and_is_never_moved(app: int) -> None:
    assert lanes(accept(urgent(app, 50, simulated=True))) == [Lane.URGENT]
    assert used() == 0


def test_a_repeat_gets_the_same_answer_and_uses_nothing_up(app: int) -> None:
    for count in (7, 7):
        claim = Idempotency(f"k{used()}", b"digest")
        new = replace(urgent(app, count), idempotency=claim)
        first, again = accept(new), accept(new)
        assert again == replace(first, replayed=True)
        assert accepted_before(app, claim, Lane.URGENT) == again
    assert again.lane is Lane.NORMAL
    assert again.notes
    assert used() == 7


def test_repeats_in_one_commit_get_the_same_answer(app: int) -> None:
    new = replace(urgent(app, 11), idempotency=Idempotency("k", b"digest"))
    answers = [future.result(10) for future in [accept_message(new) for _ in range(10)]]
    assert {(one.message_id, one.lane, one.asked_lane) for one in answers} == {
        (answers[0].message_id, Lane.NORMAL, Lane.URGENT)
    }


def test_an_answer_from_before_lanes_were_kept_is_the_lane_of_the_same_body(app: int) -> None:
    new = replace(urgent(app, 1), idempotency=Idempotency("k", b"digest"))
    first = accept(new)
    with connection() as conn:
        conn.execute("UPDATE idempotency SET answer = answer - 'lane' - 'asked_lane'")
    assert accept(new) == replace(first, replayed=True)


def test_a_new_day_has_its_own_quota_and_the_day_never_turns_back(app: int) -> None:
    accept(urgent(app, 10))
    with connection() as conn:
        conn.execute("UPDATE urgent_use SET day = day - 1")
    assert used() == 0
    assert lanes(accept(urgent(app, 10))) == [Lane.URGENT]
    with connection() as conn:
        conn.execute("UPDATE urgent_use SET day = day + 1")
    assert lanes(accept(urgent(app, 1))) == [Lane.NORMAL], "who began yesterday counts for today"
    assert scalar("SELECT day > (now() AT TIME ZONE 'UTC')::date FROM urgent_use")


@override_settings(POSTROOM_URGENT_PER_DAY=3)
def test_an_application_without_a_quota_of_its_own_has_the_one_of_the_settings() -> None:
    app = application("other")
    assert lanes(accept(urgent(app, 3)), accept(urgent(app, 1))) == [Lane.URGENT, Lane.NORMAL]
    assert used_today() == [UrgentUse("other", 3, 3)]


def test_applications_have_their_quotas_apart(app: int) -> None:
    accept(urgent(app, 10))
    assert lanes(accept(urgent(application("other"), 10))) == [Lane.URGENT]


def test_of_two_commits_at_once_the_second_sees_what_the_first_has_used(app: int) -> None:
    with transaction() as conn:
        (first,) = write_messages(conn, [urgent(app, 6)], now())
        second = accept_message(urgent(app, 6))
        eventually(waits_for_a_lock)
    assert isinstance(first, Acceptance)
    assert lanes(first, second.result(10)) == [Lane.URGENT, Lane.NORMAL]
    assert used() == 6


def waits_for_a_lock() -> bool:
    return bool(scalar("SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"))
