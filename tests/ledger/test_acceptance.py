"""The group-commit writer: what is acknowledged is stored, once, whole, and alone responsible."""

import threading
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from postroom.domain.delivery import Stage
from postroom.domain.lane import Lane
from postroom.ledger import blobs, keys, suppressions
from postroom.ledger.acceptance import (
    Idempotency,
    IdempotencyConflict,
    KeyRevoked,
    NewDelivery,
)
from postroom.ledger.db import LedgerUnavailable, connection
from postroom.ledger.idempotency import accepted_before
from postroom.ledger.partitions import PARENTS
from postroom.ledger.retrying import again_on_deadlock
from postroom.ledger.suppressions import NewSuppression
from postroom.ledger.writer import accept_message
from tests.ledger.making import accept, application, new_message, now, row, scalar

pytestmark = pytest.mark.usefixtures("ledger")


def test_an_accepted_message_is_stored_with_its_bytes_and_every_recipient() -> None:
    submission = "täglich\n\t\\x00".encode() * 1000
    accepted = accept(
        new_message(application(), ["ann@example.com", "bob@example.com"], submission=submission)
    )
    assert [state for _, _, state in accepted.deliveries] == ["queued", "queued"]
    assert blobs.load_submission(accepted.message_id).submission == submission
    assert scalar("SELECT count(*) FROM delivery") == accepted.recipients == 2


def test_text_with_every_awkward_character_comes_back_as_it_was() -> None:
    awkward = "a\\b\tc\rd\ne\\N \\. Ω😀'\""
    accepted = accept(
        new_message(
            application(),
            deliveries=[
                NewDelivery(
                    recipient="ann@example.com",
                    recipient_key="ann@example.com",
                    recipient_name=awkward,
                    ref=awkward,
                    vars={awkward: awkward},
                    metadata={awkward: awkward},
                )
            ],
            subject=awkward,
            metadata={awkward: awkward},
            tags=[awkward],
        )
    )
    (id, _, _) = accepted.deliveries[0]
    assert row(id, "recipient_name", "ref", "vars", "metadata") == (
        awkward,
        awkward,
        {awkward: awkward},
        {awkward: awkward},
    )
    assert scalar("SELECT subject FROM message") == awkward
    assert scalar("SELECT tags FROM message") == [awkward]


def test_the_same_idempotency_key_and_body_give_the_same_answer_and_store_nothing_new() -> None:
    new = replace(new_message(application()), idempotency=Idempotency("k", b"digest"))
    first, second = accept(new), accept(new)
    assert not first.replayed
    assert second == replace(first, replayed=True)
    assert scalar("SELECT count(*) FROM message") == 1


def test_the_same_idempotency_key_with_another_body_is_a_conflict() -> None:
    new = replace(new_message(application()), idempotency=Idempotency("k", b"digest"))
    accept(new)
    with pytest.raises(IdempotencyConflict):
        accept(replace(new, idempotency=Idempotency("k", b"other")))
    assert scalar("SELECT count(*) FROM message") == 1


def test_an_idempotency_key_belongs_to_one_application() -> None:
    for name in ("shop", "payroll"):
        new = replace(new_message(application(name)), idempotency=Idempotency("k", b"digest"))
        assert not accept(new).replayed


def test_an_idempotency_key_may_be_used_again_after_its_lifetime() -> None:
    app = application()
    new = replace(new_message(app), idempotency=Idempotency("k", b"digest", lifetime_s=-1))
    assert accept(new).message_id != accept(new).message_id


def test_what_a_key_was_answered_is_found_until_its_lifetime_is_past() -> None:
    app = application()
    for key, lifetime_s in (("lasting", None), ("long", 60), ("past", -1)):
        claim = Idempotency(key, b"digest", lifetime_s=lifetime_s)
        first = accept(replace(new_message(app), idempotency=claim))
        found = replace(first, replayed=True) if key != "past" else None
        assert accepted_before(app, claim, Lane.NORMAL) == found
    with pytest.raises(IdempotencyConflict):
        accepted_before(app, Idempotency("long", b"other"), Lane.NORMAL)
    assert accepted_before(app, Idempotency("past", b"other"), Lane.NORMAL) is None


def test_of_many_threads_with_one_idempotency_key_exactly_one_stores() -> None:
    new = replace(new_message(application()), idempotency=Idempotency("k", b"digest"))
    futures: list[Future[Any]] = []
    threads = [
        threading.Thread(target=lambda: futures.append(accept_message(new))) for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    answers = [future.result(10) for future in futures]
    assert len({answer.message_id for answer in answers}) == 1
    assert sum(not answer.replayed for answer in answers) == 1


def test_a_bad_item_never_sinks_its_companions() -> None:
    app = application()
    bad = new_message(app, communication="NOT A NAME")
    futures = [accept_message(item) for item in (new_message(app), bad, new_message(app))]
    with pytest.raises(LedgerUnavailable):
        futures[1].result(10)
    assert futures[0].result(10).recipients == futures[2].result(10).recipients == 1
    assert scalar("SELECT count(*) FROM message") == 2


def test_a_waiter_that_goes_away_stops_nobody() -> None:
    app = application()
    gone = accept_message(new_message(app))
    gone.cancel()
    assert accept(new_message(app)).recipients == 1
    assert gone.result(10).recipients == 1


def test_a_deadlock_is_told_apart_from_an_absent_ledger() -> None:
    tries = []

    @again_on_deadlock
    def write() -> int:
        tries.append(1)
        with connection() as conn:
            if len(tries) == 1:
                conn.execute("DO $$ BEGIN RAISE deadlock_detected; END $$")
        return len(tries)

    assert write() == 2


def test_a_key_revoked_after_authentication_is_refused_at_the_commit() -> None:
    key = keys.create_key("shop", "test", ["send"])
    app = application()
    assert accept(new_message(app, key_id=key.id)).recipients == 1
    keys.revoke_key(key.id)
    with pytest.raises(KeyRevoked):
        accept(new_message(app, key_id=key.id))


def test_a_suppressed_recipient_is_recorded_and_the_others_go() -> None:
    standing = suppressions.add(
        NewSuppression(True, "ann@example.com", "address_unknown", "person", note="left")
    )
    accepted = accept(new_message(application(), ["Ann@Example.com", "bob@example.com"]))
    assert accepted.suppressed == 1
    (id, _, state) = accepted.deliveries[0]
    assert state == "suppressed"
    assert row(id, "reason", "suppression_id") == ("suppressed_by_us", standing.id)
    assert scalar("SELECT type FROM event WHERE delivery_id = %s", id) == "suppressed"


def test_live_mail_does_not_read_simulated_suppressions() -> None:
    suppressions.add(NewSuppression(True, "ann@example.com", "address_unknown", "person"))
    assert accept(new_message(application(), simulated=False)).suppressed == 0


def test_a_lifted_suppression_suppresses_no_more() -> None:
    standing = suppressions.add(NewSuppression(True, "ann@example.com", "x", "person"))
    assert suppressions.lift(standing.id, "the person asked")
    assert not suppressions.lift(standing.id, "again")
    assert accept(new_message(application())).suppressed == 0


def test_a_rejected_recipient_keeps_its_reason_and_is_an_event() -> None:
    refused = NewDelivery(
        recipient="ann@",
        recipient_key="ann@",
        stage=Stage.REJECTED,
        reason="address_syntax",
        reason_text="no domain",
    )
    accepted = accept(new_message(application(), deliveries=[refused]))
    (id, _, _) = accepted.deliveries[0]
    assert row(id, "stage", "reason", "reason_text") == ("rejected", "address_syntax", "no domain")
    assert scalar("SELECT diagnostic FROM event WHERE delivery_id = %s", id) == "no domain"


def test_messages_of_one_communication_share_it_and_another_application_has_its_own() -> None:
    shop, payroll = application("shop"), application("payroll")
    for app in (shop, shop, payroll):
        accept(new_message(app, communication="price-change"))
    assert scalar("SELECT count(*) FROM communication") == 2


def test_partitions_that_are_missing_are_made_at_once() -> None:
    app = application()
    with connection() as conn:
        for parent in PARENTS:
            conn.execute(f"DROP TABLE {parent}_{now():%Y_%m}")
    assert accept(new_message(app)).recipients == 1
