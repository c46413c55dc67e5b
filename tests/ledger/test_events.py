"""Events find their delivery, count once, move the verdict, and stop mail to dead addresses."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from postroom.domain.delivery import EventType, Outcome
from postroom.ledger import receipts, suppressions, timers
from postroom.ledger.attempts import NewAttempt
from postroom.ledger.db import transaction
from postroom.ledger.events import NewEvent, Recorded, from_json, record, to_json
from postroom.ledger.ids import uuid7_like
from postroom.ledger.intake import NewReceipt
from postroom.ledger.receipts import ReadReceipt, Receipt
from postroom.ledger.settlements import Then
from postroom.ledger.verify import verify
from postroom.ledger.writer import store_receipt
from tests.ledger import making
from tests.ledger.making import accept, account, application, claim, new_message, now, row, scalar

pytestmark = pytest.mark.usefixtures("ledger")


def handed_over(recipient: str = "ann@example.com") -> NewAttempt:
    accept(new_message(application(), [recipient]))
    attempt = making.begin(claim())
    making.settle(attempt)
    return attempt


def hear(*events: NewEvent) -> Recorded:
    with transaction() as conn:
        return record(conn, events)


def event(attempt: NewAttempt, type: EventType, **changes: object) -> NewEvent:
    described = {"handover_id": attempt.handovers[0].id} | changes
    return making.event(uuid4(), type=type, **described)


def verdict(attempt: NewAttempt) -> str:
    (found,) = row(attempt.handovers[0].delivery_id, "verdict")
    return str(found)


def test_an_event_moves_the_verdict_of_its_delivery() -> None:
    attempt = handed_over()
    assert hear(event(attempt, EventType.DELIVERED)).new == 1
    assert verdict(attempt) == "delivered"


def test_a_second_hearing_adds_its_receipt_and_counts_nothing() -> None:
    attempt = handed_over()
    first = event(attempt, EventType.DELIVERED)
    again = event(attempt, EventType.DELIVERED, provider_event_id="another")
    assert hear(first).new == 1
    assert hear(again) == Recorded(new=0, repeated=1, orphans=[], changes={})
    assert scalar("SELECT count(*) FROM event") == 1
    assert scalar("SELECT receipt_id FROM hearing") == again.receipt_id


def test_one_fact_twice_in_one_batch_counts_once() -> None:
    attempt = handed_over()
    both = [event(attempt, EventType.DELIVERED) for _ in range(2)]
    assert hear(*both) == Recorded(new=1, repeated=1, orphans=[], changes={})


def test_facts_that_differ_in_the_provider_s_class_alone_are_two() -> None:
    attempt = handed_over()
    same = {"provider_type": "bounce", "occurred_raw": "1790000000", "diagnostic": "450 4.2.0"}
    put_off = event(attempt, EventType.DEFERRED, provider_class="greylisted", **same)
    given_up = event(attempt, EventType.BOUNCED, provider_class="connection issue", **same)
    assert hear(put_off, given_up).new == 2
    assert verdict(attempt) == "bounced"


def test_the_earliest_hearing_gives_the_time_whatever_the_order() -> None:
    attempt = handed_over()
    late = event(attempt, EventType.DEFERRED)
    early = event(attempt, EventType.DEFERRED, received_at=now() - timedelta(minutes=5))
    hear(late)
    hear(early)
    assert scalar("SELECT received_at FROM event") == early.received_at


def test_an_event_before_our_own_record_of_the_answer_is_not_lost() -> None:
    accept(new_message(application()))
    attempt = making.begin(claim())
    hear(event(attempt, EventType.DELIVERED))
    assert verdict(attempt) == "delivered"
    making.settle(attempt)
    assert row(attempt.handovers[0].delivery_id, "stage", "verdict") == ("handed", "delivered")


def test_an_acceptance_told_before_it_was_answered_leaves_what_the_facts_say() -> None:
    accept(new_message(application()))
    attempt = making.begin(claim())
    hear(event(attempt, EventType.ACCEPTED))
    making.settle(attempt)
    assert verdict(attempt) == "submitted"
    assert verify().discrepancies == []


def test_an_event_of_a_doubtful_attempt_takes_its_copy_out_of_the_queue() -> None:
    accept(new_message(application(), on_doubt="resend"))
    attempt = making.begin(claim())
    making.settle(attempt, Outcome.UNKNOWN)
    assert timers.resend_doubtful(0, 10) == 1
    hear(event(attempt, EventType.ACCEPTED))
    assert row(attempt.handovers[0].delivery_id, "stage", "verdict") == ("handed", "submitted")
    assert claim() == []


def test_a_handover_proved_not_taken_goes_back_to_the_queue() -> None:
    accept(new_message(application()))
    attempt = making.begin(claim())
    making.settle(attempt, Outcome.UNKNOWN)
    hear(event(attempt, EventType.NOT_TAKEN))
    assert len(claim()) == 1


def test_an_event_is_found_by_the_providers_id_and_the_recipient() -> None:
    attempt = handed_over()
    told = event(
        attempt,
        EventType.DELIVERED,
        handover_id=None,
        provider_message_ids=(f"id-{attempt.id}.filter0001", f"id-{attempt.id}"),
        address_key="ann@example.com",
    )
    assert hear(told).orphans == []
    assert verdict(attempt) == "delivered"
    assert scalar("SELECT basis FROM event") == "provider_id"


def test_an_event_without_any_id_is_tied_to_its_address_only_when_one_delivery_fits() -> None:
    def nameless() -> NewEvent:
        return making.event(uuid4(), None, EventType.DEFERRED, address_key="ann@example.com")

    handed_over()
    assert hear(nameless()).new == 1
    handed_over()
    assert len(hear(nameless()).orphans) == 1


def test_another_accounts_event_is_an_orphan() -> None:
    attempt = handed_over()
    foreign = event(attempt, EventType.BOUNCED, account_id=account("foreign"))
    assert hear(foreign).orphans == [foreign]
    assert verdict(attempt) == "submitted"


def test_an_event_of_a_handover_nobody_knows_is_an_orphan() -> None:
    attempt = handed_over()
    unknown = event(attempt, EventType.BOUNCED, handover_id=uuid7_like(attempt.handovers[0].id))
    assert hear(unknown).orphans == [unknown]


def test_a_condemned_address_is_suppressed_with_a_link_to_the_event() -> None:
    attempt = handed_over("Ann@Example.com")
    bounced = event(attempt, EventType.BOUNCED, suppression_reason="address_unknown")
    hear(bounced)
    [standing] = suppressions.standing(True, ["ann@example.com"]).values()
    assert standing.reason == "address_unknown"
    assert standing.delivery_id == attempt.handovers[0].delivery_id
    assert standing.receipt_id == bounced.receipt_id
    assert standing.event_digest == scalar("SELECT digest FROM event")
    assert suppressions.standing(False, ["ann@example.com"]) == {}


def test_a_repeated_condemnation_does_not_undo_a_lift() -> None:
    attempt = handed_over()
    hear(event(attempt, EventType.BOUNCED, suppression_reason="address_unknown"))
    [standing] = suppressions.standing(True, ["ann@example.com"]).values()
    suppressions.lift(standing.id, "mended")
    hear(event(attempt, EventType.BOUNCED, suppression_reason="address_unknown"))
    assert suppressions.standing(True, ["ann@example.com"]) == {}


def test_engagement_is_another_axis_and_keeps_its_first_time() -> None:
    attempt = handed_over()
    early, late = now() - timedelta(hours=1), now()
    hear(event(attempt, EventType.DELIVERED))
    hear(event(attempt, EventType.OPENED, received_at=late, occurred_raw="2"))
    hear(event(attempt, EventType.OPENED, received_at=early, occurred_raw="1"))
    assert row(attempt.handovers[0].delivery_id, "verdict", "opened_at") == ("delivered", early)


def test_an_event_survives_the_form_in_which_orphans_are_kept() -> None:
    attempt = handed_over()
    told = event(attempt, EventType.BOUNCED, provider_message_ids=("a", "b"), machine=True)
    assert from_json(to_json(told)) == told


def stored(body: bytes = b"[]") -> UUID:
    return store_receipt(NewReceipt(account(), now(), {"a": "b"}, body)).result(10)


def test_a_receipt_is_stored_byte_for_byte_and_read_once() -> None:
    body = bytes(range(256)) * 10
    id = stored(body)
    seen: list[Receipt] = []

    def read(receipt: Receipt) -> ReadReceipt:
        seen.append(receipt)
        return ReadReceipt(receipt)

    assert receipts.interpret_new(10, read) == 1
    assert receipts.interpret_new(10, read) == 0
    assert [(one.id, one.body, one.provider) for one in seen] == [(id, body, "sendgrid")]
    assert scalar("SELECT stage FROM receipt") == "read"


def test_an_unreadable_receipt_is_kept_and_says_why() -> None:
    stored()
    receipts.interpret_new(10, lambda receipt: ReadReceipt(receipt, error="no JSON"))
    assert scalar("SELECT (stage, error)::text FROM receipt") == '(unreadable,"no JSON")'


def test_a_receipt_whose_events_the_ledger_refuses_is_marked_and_the_others_are_read() -> None:
    attempt = handed_over()
    first, second = stored(b"poison"), stored(b"good")

    def read(receipt: Receipt) -> ReadReceipt:
        told = event(attempt, EventType.DELIVERED)
        beyond_smallint = 10**6 if receipt.body == b"poison" else None
        told = replace(told, receipt_id=receipt.id, reply_code=beyond_smallint)
        return ReadReceipt(receipt, events=[told])

    while receipts.interpret_new(10, read):
        continue
    assert verdict(attempt) == "delivered"
    assert scalar("SELECT stage FROM receipt WHERE id = %s", first) == "unreadable"
    assert "NumericValueOutOfRange" in scalar("SELECT error FROM receipt WHERE id = %s", first)
    assert scalar("SELECT stage FROM receipt WHERE id = %s", second) == "read"


def test_an_orphan_is_kept_tried_again_and_joined_when_its_delivery_is_known() -> None:
    attempt = handed_over()
    told = event(attempt, EventType.DELIVERED, handover_id=None, provider_message_ids=("later",),
                 address_key="ann@example.com")  # fmt: skip
    id = stored()
    one = ReadReceipt
    receipts.interpret_new(10, lambda receipt: one(receipt, (making.from_receipt(told, id),)))
    assert scalar("SELECT count(*) FROM orphan") == 1
    with transaction() as conn:
        conn.execute("UPDATE orphan SET next_try_at = now()")
    assert receipts.retry_orphans(10) == 0
    assert scalar("SELECT tries FROM orphan") == 1
    with transaction() as conn:
        conn.execute("UPDATE attempt SET provider_message_id = 'later'")
        conn.execute("UPDATE orphan SET next_try_at = now()")
    assert receipts.retry_orphans(10) == 1
    assert scalar("SELECT count(*) FROM orphan") == 0
    assert verdict(attempt) == "delivered"


def test_an_orphan_that_the_ledger_refuses_stays_and_the_others_are_joined() -> None:
    attempt = handed_over()
    good = event(attempt, EventType.DELIVERED, handover_id=None, provider_message_ids=("later",),
                 address_key="ann@example.com")  # fmt: skip
    events = [
        replace(good, receipt_start=number, occurred_raw=str(number), reply_code=code)
        for number, code in enumerate((None, 10**6, None))
    ]
    id = stored()
    told = [making.from_receipt(one, id) for one in events]
    receipts.interpret_new(10, lambda receipt: ReadReceipt(receipt, told))
    with transaction() as conn:
        conn.execute("UPDATE attempt SET provider_message_id = 'later'")
        conn.execute("UPDATE orphan SET next_try_at = now()")
    assert receipts.retry_orphans(10) == 2
    assert scalar("SELECT array_agg(tries) FROM orphan") == [1]
    assert verdict(attempt) == "delivered"


def test_an_orphan_that_condemns_an_address_suppresses_it_at_once() -> None:
    id = stored()
    told = making.event(
        id, None, EventType.BOUNCED, address_key="x@example.com",
        suppression_reason="address_unknown",
    )  # fmt: skip
    receipts.interpret_new(10, lambda receipt: ReadReceipt(receipt, (told,)))
    assert "x@example.com" in suppressions.standing(True, ["x@example.com"])


def test_an_unsigned_orphan_condemns_nobody() -> None:
    id = stored()
    told = making.event(
        id, None, EventType.BOUNCED, address_key="x@example.com",
        suppression_reason="address_unknown", signed=False,
    )  # fmt: skip
    receipts.interpret_new(10, lambda receipt: ReadReceipt(receipt, (told,)))
    assert suppressions.standing(True, ["x@example.com"]) == {}


def test_reading_receipts_again_rewrites_our_reading_and_not_the_facts() -> None:
    attempt = handed_over()
    id = stored()
    told = making.event(id, attempt.handovers[0].id, EventType.BOUNCED, reason="unclassified")
    receipts.interpret_new(10, lambda receipt: ReadReceipt(receipt, (told,)))
    recorded_at = scalar("SELECT recorded_at FROM event")
    better = making.event(
        id, attempt.handovers[0].id, EventType.BOUNCED, reason="mailbox_full",
        occurred_at=told.occurred_at, rules=2,
    )  # fmt: skip
    reread = receipts.reinterpret(UUID(int=0), 10, lambda one: ReadReceipt(one, (better,)))
    assert reread is not None
    assert (reread.last, reread.receipts, reread.new) == (id, 1, 0)
    assert sum(reread.changes.values()) == 1
    assert row(attempt.handovers[0].delivery_id, "verdict", "reason") == ("bounced", "mailbox_full")
    assert scalar("SELECT recorded_at FROM event") == recorded_at


def test_a_retry_later_keeps_what_an_earlier_doubtful_attempt_may_still_tell() -> None:
    accept(new_message(application(), on_doubt="resend"))
    first = making.begin(claim())
    making.settle(first, Outcome.UNKNOWN)
    assert timers.resend_doubtful(0, 10) == 1
    second = making.begin(claim())
    making.settle(second, Outcome.NOT_TAKEN, Then.QUEUED)
    assert row(first.handovers[0].delivery_id, "stage", "verdict") == ("queued", "indeterminate")
    hear(event(first, EventType.DELIVERED))
    assert row(first.handovers[0].delivery_id, "stage", "verdict") == ("handed", "delivered")
