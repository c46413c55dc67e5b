"""What a suppression stops, of which application and kind; what goes in spite of it; its trial."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from postroom.domain.delivery import EventType, Stage
from postroom.domain.mail_kind import MailKind
from postroom.ledger import queue, suppressions
from postroom.ledger.acceptance import Acceptance, NewDelivery
from postroom.ledger.db import connection
from postroom.ledger.suppressions import NewSuppression
from postroom.ledger.verify import verify
from tests.ledger import making
from tests.ledger.making import accept, application, claim, new_message, now, row, scalar
from tests.ledger.telling import delivered, failed, said, states, tell

pytestmark = pytest.mark.usefixtures("ledger")

ANN = "ann@example.com"


def stop(**changes: object) -> int:
    described = {"reason": "mailbox_full", "source": "import"} | changes
    return suppressions.add(NewSuppression(True, ANN, **described)).id  # type: ignore[arg-type]


def submit(application_name: str = "shop", **changes: object) -> Acceptance:
    return accept(new_message(application(application_name), [ANN], **changes))


@pytest.mark.parametrize(
    ("scope", "mail", "stopped"),
    [
        ({}, {}, True),
        ({"kind": "marketing"}, {"kind": MailKind.MARKETING}, True),
        ({"kind": "marketing"}, {}, False),
        ({"kind": "transactional"}, {}, True),
        ({}, {"critical": True}, False),
        ({}, {"simulated": False}, False),
    ],
)
def test_a_suppression_stops_mail_of_its_scope_at_the_door_and_at_the_claim(
    scope: dict[str, str], mail: dict[str, Any], stopped: bool
) -> None:
    before = submit(**mail)
    stop(**scope)
    assert submit(**mail).suppressed == stopped
    going = {one.delivery_id for one in queue.claim([True, False], 10, 60)}
    assert (before.deliveries[0][0] in going) is not stopped


def test_a_suppression_of_one_application_lets_the_others_write() -> None:
    stop(application_id=application("shop"), reason="asked")
    assert submit("shop").suppressed == 1
    assert submit("payroll").suppressed == 0
    assert [one.recipient for one in claim()] == [ANN]


def test_critical_mail_names_the_suppression_that_it_went_in_spite_of_once() -> None:
    number = stop(reason="complained_before")
    [(id, _, state)] = submit(critical=True).deliveries
    assert state == Stage.QUEUED
    queue.give_back(claim(), 0)
    assert len(claim()) == 1
    assert row(id, "suppression_id") == (number,)
    assert scalar("SELECT diagnostic FROM event WHERE type = 'exempted'") == (
        f"Suppression {number} (complained_before) lets it go: the mail is critical."
    )
    assert verify().discrepancies == []


def over(number: int) -> None:
    """Its time is over: it goes on probation."""
    with connection() as conn:
        conn.execute(
            "UPDATE suppression SET expires_at = now() - interval '1 s' WHERE id = %s", (number,)
        )


def tried() -> UUID:
    """The hand-over of the one trial."""
    [one] = claim()
    attempt = making.begin([one])
    making.settle(attempt)
    return attempt.handovers[0].id


def test_after_its_time_one_mail_is_the_trial_and_others_wait_for_what_comes_of_it() -> None:
    number = stop()
    over(number)
    first, second = submit(), submit()
    assert first.suppressed == second.suppressed == 0
    [one] = claim()
    assert submit().suppressed == 1
    stages = {row(id, "stage") for accepted in (first, second) for id, *_ in accepted.deliveries}
    assert stages == {("submitting",), ("suppressed",)}
    assert scalar("SELECT trial_delivery_id FROM suppression") == one.delivery_id


def test_a_trial_that_is_given_back_is_claimed_again() -> None:
    over(stop())
    submit()
    queue.give_back(claim(), 0)
    assert len(claim()) == 1


def test_a_trial_that_arrives_lifts_the_suppression() -> None:
    over(stop())
    submit()
    tell(delivered(tried()))
    assert states(ANN) == [("mailbox_full", False, "trial")]
    assert submit().suppressed == 0


@pytest.mark.parametrize("heard", [["bounced"], ["delivered", "bounced"], ["bounced", "delivered"]])
def test_a_trial_that_fails_puts_it_back_at_once_with_new_evidence(heard: list[str]) -> None:
    over(stop())
    submit()
    handover = tried()
    for one in heard:
        tell(failed(handover, "mailbox_full") if one == "bounced" else delivered(handover))
    [stands] = suppressions.standing(True, [ANN]).values()
    assert stands.event_digest == scalar("SELECT digest FROM event WHERE type = 'bounced'")
    assert stands.expires_at is not None
    assert stands.expires_at > now() + timedelta(days=29)
    assert submit().suppressed == 1
    suppressions.lift(stands.id, "mended")
    tell(failed(handover, "mailbox_full", occurred_raw="told once more"))
    assert suppressions.standing(True, [ANN]) == {}


def test_a_trial_that_fails_for_our_own_fault_was_none() -> None:
    over(stop())
    submit()
    tell(said(tried(), EventType.BOUNCED, reason="reputation_block", suppress="no"))
    assert submit().suppressed == 0
    assert len(claim()) == 1


def test_a_trial_of_which_nothing_is_heard_is_forgotten_after_days() -> None:
    over(stop())
    submit()
    tried()
    assert submit().suppressed == 1
    with connection() as conn:
        conn.execute("UPDATE suppression SET trial_at = now() - interval '5 days'")
    assert submit().suppressed == 0


def test_what_stands_for_good_leaves_no_room_for_the_trial_of_another() -> None:
    over(stop())
    number = stop(reason="asked", source="person")
    queued = NewDelivery("bo@example.com", "bo@example.com")
    accepted = accept(new_message(application(), deliveries=[queued]))
    assert accepted.suppressed == 0
    [(id, _, state)] = submit().deliveries
    assert state == Stage.SUPPRESSED
    assert row(id, "suppression_id") == (number,)
