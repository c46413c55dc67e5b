"""Each address is judged by all that is known of it, whatever the order in which it was heard."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest

from postroom.domain.delivery import EventType
from postroom.ledger import suppressions
from postroom.ledger.events import NewEvent
from postroom.ledger.suppressions import NewSuppression
from postroom.ledger.verify import verify
from tests.emptying import empty
from tests.ledger.making import now, scalar
from tests.ledger.telling import delivered, failed, handed_over, said, states, tell

pytestmark = pytest.mark.usefixtures("ledger")

ANN = "ann@example.com"


def mail_to_ann(days_ago: float, **message: object) -> UUID:
    return handed_over([ANN], now() - timedelta(days=days_ago), **message)[ANN]


def test_a_full_mailbox_stops_mail_when_it_was_full_on_three_days() -> None:
    for days_ago, stands in ((5, 0), (5, 0), (3, 0), (1, 1)):
        tell(failed(mail_to_ann(days_ago), "mailbox_full"))
        assert len(states(ANN)) == stands
    [one] = suppressions.standing(True, [ANN]).values()
    assert one.reason == "mailbox_full"
    assert one.rules == 1
    assert timedelta(days=29) < (one.expires_at or now()) - now() <= timedelta(days=30)
    assert one.event_digest == scalar("SELECT digest FROM event ORDER BY log_seq DESC LIMIT 1")
    assert verify().discrepancies == []


def test_one_failure_told_three_times_is_one() -> None:
    first = mail_to_ann(5)
    for words in ("full", "over quota", "no space"):
        tell(failed(first, "mailbox_full", diagnostic=words, occurred_raw=words))
    assert states(ANN) == []


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (0, 2, 3, 1), (1, 3, 0, 2)])
def test_the_order_of_telling_changes_nothing(order: tuple[int, ...]) -> None:
    """Full, arrived, full, full: the first says nothing any more."""
    handovers = [mail_to_ann(days_ago) for days_ago in (8, 6, 4, 2)]
    events: list[NewEvent] = [failed(one, "mailbox_full") for one in handovers]
    events[1] = delivered(handovers[1])
    for number in order:
        tell(events[number])
    assert suppressions.standing(True, [ANN]) == {}


def test_a_later_mail_that_arrives_lifts_what_a_failure_led_to_with_itself_as_proof() -> None:
    earlier, later = mail_to_ann(2), mail_to_ann(1)
    tell(failed(earlier))
    assert suppressions.standing(True, [ANN])
    tell(delivered(later))
    assert states(ANN) == [("address_unknown", False, "proof")]
    assert scalar("SELECT lifting_delivery_id FROM suppression") == scalar(
        "SELECT delivery_id FROM handover WHERE id = %s", later
    )


def test_an_earlier_mail_that_arrived_proves_nothing() -> None:
    earlier, later = mail_to_ann(2), mail_to_ann(1)
    tell(failed(later))
    tell(delivered(earlier))
    assert states(ANN) == [("address_unknown", False, None)]


def test_a_failure_that_is_heard_late_stands_back_behind_a_later_arrival() -> None:
    earlier, later = mail_to_ann(2), mail_to_ann(1)
    tell(delivered(later))
    tell(failed(earlier))
    assert states(ANN) == []


def test_a_mail_that_arrived_and_came_back_proves_nothing() -> None:
    earlier, later = mail_to_ann(2), mail_to_ann(1)
    tell(failed(earlier))
    tell(failed(later), delivered(later))
    assert states(ANN) == [("address_unknown", False, None)]


@pytest.mark.parametrize(("machine", "by"), [(False, "proof"), (True, None), (None, None)])
def test_only_the_click_of_a_person_proves_a_mailbox(machine: bool | None, by: str | None) -> None:
    read, refused = mail_to_ann(3), mail_to_ann(1)
    tell(delivered(read))
    tell(failed(refused))
    tell(said(read, EventType.CLICKED, machine=machine, grade=-1, verdict=None))
    assert states(ANN) == [("address_unknown", False, by)]


def test_what_a_person_lifted_is_not_led_to_again_by_mail_from_before() -> None:
    first, second = mail_to_ann(2), mail_to_ann(1)
    tell(failed(first))
    [one] = suppressions.standing(True, [ANN]).values()
    suppressions.lift(one.id, "mended")
    tell(failed(second))
    assert suppressions.standing(True, [ANN]) == {}
    assert suppressions.by_id(one.id).lifted_by == "person"  # type: ignore[union-attr]


def test_a_complaint_stands_beside_a_failure_and_outlives_it() -> None:
    tell(failed(mail_to_ann(3)))
    arrived = mail_to_ann_in_spite()
    tell(complaint(arrived))
    tell(delivered(arrived))
    assert states(ANN) == [
        ("address_unknown", False, "proof"),
        ("complained_before", False, None),
    ]


def mail_to_ann_in_spite() -> UUID:
    return mail_to_ann(1, critical=True)


def complaint(handover: UUID) -> NewEvent:
    return said(
        handover,
        EventType.COMPLAINED,
        reason="complained_before",
        suppress="now",
        suppression_reason="complained_before",
    )


@pytest.mark.parametrize("kind", ["transactional", "marketing"])
def test_an_unsubscribe_stays_in_its_kind_and_is_taken_back_there(kind: str) -> None:
    mail = mail_to_ann(1, kind=kind)
    out = said(mail, EventType.UNSUBSCRIBED, suppression_reason="unsubscribed")
    tell(out)
    [one] = suppressions.standing(True, [ANN]).values()
    assert (one.reason, one.kind, one.application_id) == ("unsubscribed", kind, None)
    tell(said(mail, EventType.RESUBSCRIBED))
    assert states(ANN) == [("unsubscribed", False, "recipient")]


def test_two_interpreters_at_once_miss_no_repeat() -> None:
    for _ in range(5):
        handovers = [mail_to_ann(days_ago) for days_ago in (3, 1)]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(tell, [failed(one, "mailbox_disabled") for one in handovers]))
        assert states(ANN) == [("mailbox_disabled", False, None)]
        empty()


def test_what_a_person_asked_for_is_no_matter_of_proof() -> None:
    suppressions.add(NewSuppression(True, ANN, "asked", "person"))
    tell(delivered(mail_to_ann_in_spite()))
    assert states(ANN) == [("asked", False, None)]
