"""`verify` finds nothing wrong in a ledger that its own functions made, and each thing that is."""

import pytest

from postroom.ledger.db import transaction
from postroom.ledger.verify import Discrepancy, verify
from tests.ledger.busy import busy_ledger


def wrong() -> set[tuple[str, str]]:
    """Table and column, or relation, of all that is found."""
    return {(one.table, one.what) for one in verify().discrepancies}


def test_a_ledger_in_which_everything_has_happened_is_right(ledger: None) -> None:
    made = busy_ledger()
    verified = verify()
    assert [str(one) for one in verified.discrepancies] == []
    assert verified.deliveries == len(made.deliveries)
    assert verified.messages > 1


def test_an_empty_ledger_is_right(ledger: None) -> None:
    verified = verify()
    assert (verified.deliveries, verified.messages, verified.discrepancies) == (0, 0, [])


OF = "WHERE recipient = '{}@example.com'"
NOBODY = "'00000000-0000-7000-8000-000000000000'"

CORRUPTIONS = [
    (f"UPDATE delivery SET verdict = 'delivered' {OF.format('bounced')}", "delivery", "state"),
    (f"UPDATE delivery SET verdict = 'bounced' {OF.format('delivered')}", "delivery", "state"),
    (f"UPDATE delivery SET verdict = NULL {OF.format('taken')}", "delivery", "state"),
    (f"UPDATE delivery SET verdict = NULL {OF.format('taken')}", "delivery", "stage"),
    (f"UPDATE delivery SET stage = 'queued' {OF.format('bounced')}", "delivery", "stage"),
    (f"UPDATE delivery SET stage = 'cancelled' {OF.format('queued')}", "delivery", "state"),
    (f"UPDATE delivery SET stage = 'queued' {OF.format('held')}", "delivery", "state"),
    (f"UPDATE delivery SET reason = 'gave_up' {OF.format('bounced')}", "delivery", "reason"),
    (f"UPDATE delivery SET reason = NULL {OF.format('raw')}", "delivery", "reason"),
    (f"UPDATE delivery SET decided_by = 'x' {OF.format('bounced')}", "delivery", "decided_by"),
    (
        f"UPDATE delivery SET decided_handover = id {OF.format('bounced')}",
        "delivery",
        "decided_handover",
    ),
    (
        f"UPDATE delivery SET after_acceptance = false {OF.format('late')}",
        "delivery",
        "after_acceptance",
    ),
    (
        f"UPDATE delivery SET conflicting_evidence = false {OF.format('contradicted')}",
        "delivery",
        "conflicting_evidence",
    ),
    (f"UPDATE delivery SET opened_at = NULL {OF.format('opened')}", "delivery", "opened_at"),
    (f"UPDATE delivery SET clicked_at = now() {OF.format('opened')}", "delivery", "clicked_at"),
    (
        f"UPDATE delivery SET complained_at = NULL {OF.format('complained')}",
        "delivery",
        "complained_at",
    ),
    (
        f"UPDATE delivery SET unsubscribed_at = now() {OF.format('opened')}",
        "delivery",
        "unsubscribed_at",
    ),
    (f"UPDATE delivery SET local_events = 7 {OF.format('held')}", "delivery", "local_events"),
    (f"UPDATE delivery SET message_id = {NOBODY} {OF.format('taken')}", "delivery", "message"),
    (f"UPDATE delivery SET simulated = false {OF.format('taken')}", "delivery", "message"),
    (f"UPDATE delivery SET suppression_id = 99 {OF.format('stopped')}", "delivery", "suppression"),
    (f"DELETE FROM delivery {OF.format('queued')}", "message", "recipients"),
    ("UPDATE message SET recipients = recipients + 1", "message", "recipients"),
    (f"DELETE FROM delivery {OF.format('bounced')}", "event", "delivery"),
    (f"DELETE FROM delivery {OF.format('bounced')}", "hand-over", "delivery and attempt"),
    ("DELETE FROM handover", "event", "hand-over"),
    ("DELETE FROM handover", "attempt", "recipients"),
    ("DELETE FROM attempt", "hand-over", "delivery and attempt"),
    ("UPDATE attempt SET recipients = 1000", "attempt", "recipients"),
    ("DELETE FROM event WHERE type = 'bounced'", "delivery", "state"),
    ("DELETE FROM event WHERE type = 'bounced'", "suppression", "evidence"),
    ("DELETE FROM event WHERE type = 'held'", "delivery", "local_events"),
    (
        "UPDATE event SET grade = 3, verdict = 'submitted' WHERE type = 'delivered'",
        "event",
        "reading of delivered",
    ),
    ("UPDATE event SET verdict = 'delivered' WHERE type = 'bounced'", "delivery", "state"),
    ("UPDATE handover SET outcome = 'taken' WHERE outcome = 'refused'", "delivery", "state"),
    (
        "UPDATE suppression SET event_digest = 'x' WHERE source = 'event'",
        "suppression",
        "evidence",
    ),
]


@pytest.mark.parametrize(("statement", "table", "what"), CORRUPTIONS)
def test_a_planted_corruption_is_found(ledger: None, statement: str, table: str, what: str) -> None:
    busy_ledger()
    with transaction() as conn:
        assert conn.execute(statement).rowcount > 0
    assert (table, what) in wrong()


def test_a_discrepancy_says_what_is_kept_and_what_the_facts_say() -> None:
    found = Discrepancy("delivery", "1", "state", "delivered", "bounced")
    assert str(found) == "delivery 1: state is delivered, should be bounced"
