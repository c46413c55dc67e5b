"""Trouble with a provider costs no mail, sends none twice, and is never called a success."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from postroom.domain import retry
from postroom.domain.lane import Lane
from postroom.sending import backoff
from tests.conformance.house import House, Mailing
from tests.conformance.mails import PLAIN
from tests.helpers import eventually
from tests.sending.posting import PACE, sending

Submit = Callable[[House, str], Mailing]

LATE_MS = (300, 300)
"""Events wait for longer than a mail that is to be tried again."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is to be tried later is tried at once, whatever the provider asks for."""
    for module in (retry, backoff):
        monkeypatch.setattr(module, "ASKED_S_MAX", 0.1)
    patience = retry.PATIENCE[Lane.NORMAL]
    monkeypatch.setitem(retry.PATIENCE, Lane.NORMAL, replace(patience, first_s=0.1))


def by_http(house: House, why: str) -> Mailing:
    """A mail to an address of this test's own."""
    return house.post([f"delivered@{why.replace('_', '-')}.http.sim.example"])


def by_smtp(house: House, why: str) -> Mailing:
    """The same by the other door."""
    return house.hand_in([f"delivered@{why.replace('_', '-')}.smtp.sim.example"], PLAIN)


by_each_door = pytest.mark.parametrize("submit", [by_http, by_smtp])


def taken(mailing: Mailing) -> int:
    """How many copies the provider took."""
    return sum(map(len, mailing.copies().values()))


def is_held(mailing: Mailing) -> bool:
    """Whether the provider has no road for this mail, which then meets no trouble at all."""
    return {one.reason for one in mailing.deliveries().values()} == {"needs_raw_carrier"}


@by_each_door
def test_a_throttled_mail_is_sent_again_and_arrives_once(house: House, submit: Submit) -> None:
    house.running.make_mischief(too_many=1.0)
    mailing = submit(house, "throttled")
    with sending():
        eventually(lambda: mailing.has_outcome("not_taken") or is_held(mailing))
        house.running.make_mischief()
        mailing.wait_until("delivered", "held")
    assert taken(mailing) == (not is_held(mailing))


@by_each_door
@pytest.mark.parametrize("status", [500, 503])
def test_after_an_error_of_the_service_a_mail_arrives_once_or_its_fate_is_not_known(
    house: House, submit: Submit, status: int
) -> None:
    house.running.make_mischief(error_status=status, error_before=1.0)
    mailing = submit(house, f"error-{status}")
    with sending():
        eventually(lambda: mailing.has_outcome() or is_held(mailing))
        house.running.make_mischief()
        mailing.wait_until("delivered", "indeterminate", "held")
    expected = "delivered" if taken(mailing) else "held" if is_held(mailing) else "indeterminate"
    assert taken(mailing) <= 1
    assert set(mailing.states().values()) == {expected}


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_mail_that_was_taken_with_an_error_is_never_sent_twice_and_its_events_settle_it(
    house: House, status: int
) -> None:
    # 503 is no such error: by it the providers say that they have taken nothing.
    house.running.make_mischief(error_status=status, error_after=1.0, webhook_delay_ms=LATE_MS)
    mailing = by_http(house, f"taken-{status}")
    with sending():
        mailing.wait_until("indeterminate", "submitted")
        house.running.make_mischief()
        mailing.wait_until_told()
    assert (taken(mailing), len(mailing.attempts())) == (1, 1)


@by_each_door
@pytest.mark.parametrize("mischief", ["drop_after", "half_answer"])
def test_a_mail_whose_answer_was_lost_is_never_sent_twice_and_its_events_settle_it(
    house: House, submit: Submit, mischief: str
) -> None:
    house.running.make_mischief(**{mischief: 1.0}, webhook_delay_ms=LATE_MS)
    mailing = submit(house, mischief)
    with sending():
        mailing.wait_until("indeterminate", "submitted", "held")
        house.running.make_mischief()
        if not is_held(mailing):
            mailing.wait_until_told()
    times = int(not is_held(mailing))
    assert (taken(mailing), len(mailing.attempts())) == (times, times)


@by_each_door
def test_a_mail_whose_events_come_before_its_answer_times_out_is_never_sent_twice(
    house: House, submit: Submit
) -> None:
    house.running.make_mischief(hang_after=1.0)
    mailing = submit(house, "hang-after")
    with sending(replace(PACE, call_timeout_s=0.6)):
        eventually(lambda: mailing.has_outcome() or is_held(mailing))
        house.running.make_mischief()
        if not is_held(mailing):
            mailing.wait_until_told()
    times = int(not is_held(mailing))
    assert (taken(mailing), len(mailing.attempts())) == (times, times)


@pytest.mark.parametrize("mischief", ["drop_before", "hang_before"])
def test_a_mail_that_was_lost_on_the_way_to_the_provider_is_never_called_sent(
    house: House, mischief: str
) -> None:
    house.running.make_mischief(**{mischief: 1.0})
    mailing = by_http(house, mischief)
    with sending(replace(PACE, call_timeout_s=0.6)):
        mailing.wait_until("indeterminate")
    assert taken(mailing) == 0


def test_the_refusal_of_one_recipient_of_a_batch_is_that_ones_alone(house: House) -> None:
    people = [f"delivered+{number}@refusal.sim.example" for number in range(5)]
    refused = "refuse@refusal.sim.example"
    mailing = house.post([*people[:2], refused, *people[2:]])
    # SparkPost takes the others and says not whom it refused.
    fate = "indeterminate" if house.provider == "sparkpost" else "rejected"
    with sending():
        eventually(lambda: mailing.states() == dict.fromkeys(people, "delivered") | {refused: fate})
    copies = mailing.copies()
    assert {one: len(copies[one]) for one in people} == dict.fromkeys(people, 1)
    assert copies[refused] == []


def test_the_refusal_of_one_recipient_of_a_mail_from_the_smtp_door_is_that_ones_alone(
    house: House,
) -> None:
    people = [f"delivered+{number}@refused.sim.example" for number in range(3)]
    refused = "refuse@refused.sim.example"
    mailing = house.hand_in([people[0], refused, *people[1:]], PLAIN)
    with sending():
        mailing.wait_until("delivered", "rejected", "held")
    if is_held(mailing):
        return
    states = mailing.states()
    assert states == dict.fromkeys(people, "delivered") | {refused: "rejected"}
    assert mailing.deliveries()[refused].reason in ("address_syntax", "address_unknown")
    assert taken(mailing) == len(people)


def test_wrong_credentials_stop_the_account_and_cost_no_mail(house: House) -> None:
    mailing = house.post(["delivered@credentials.sim.example"])
    with house.other_credentials(), sending():
        eventually(house.is_stopped)
    assert mailing.states() == {"delivered@credentials.sim.example": "queued"}
    with sending():
        mailing.wait_until_told()
    assert taken(mailing) == 1
