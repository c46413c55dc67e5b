"""A reason that one receiving domain suddenly gives often is told once, with what it says."""

import logging
from uuid import uuid4

import pytest

from postroom.domain.delivery import EventType
from postroom.ledger import said, spikes
from postroom.ledger.db import connection, transaction
from postroom.ledger.events import record
from postroom.management import spike_watch
from tests.ledger import making
from tests.reports.reading import reader

pytestmark = pytest.mark.usefixtures("ledger")

TEXT = "550 5.7.1 [192.0.2.{number}] p{number}@blocked.example: our block list"


def refused(count: int, domain: str = "blocked.example", start: int = 0) -> None:
    """So many mails that the domain refuses for our reputation."""
    numbers = range(start, start + count)
    recipients = [f"p{number}@{domain}" for number in numbers]
    making.accept(making.new_message(making.application(), recipients))
    attempt = making.begin(making.claim())
    making.settle(attempt)
    with transaction() as conn:
        events = [
            making.event(
                uuid4(),
                handover.id,
                EventType.BOUNCED,
                reason="reputation_block",
                diagnostic=TEXT.format(number=number),
            )
            for number, handover in zip(numbers, attempt.handovers, strict=True)
        ]
        record(conn, events)


def test_it_is_told_once_with_reason_advice_and_whose_mail(
    caplog: pytest.LogCaptureFixture,
) -> None:
    refused(19)
    assert spike_watch.look() == 0
    refused(1, start=19)
    assert spike_watch.look() == 1
    assert spike_watch.look() == 0
    (alarm,) = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    assert "blocked.example: reputation_block for 20 of 20 mails of shop since" in alarm
    assert "p19@" not in alarm


def test_its_texts_are_grouped_by_their_wording() -> None:
    refused(25)
    (group,) = said.texts(True, "blocked.example", "reputation_block")
    assert (group.text, group.count) == ("# # # : our block list", 25)


def test_it_ends_when_the_reason_is_rare_again(caplog: pytest.LogCaptureFixture) -> None:
    refused(20)
    spike_watch.look()
    with connection() as conn:
        conn.execute("UPDATE guard_count SET slot_at = slot_at - interval '2 hours'")
    assert spike_watch.look() == 1
    assert spikes.standing() == []
    assert "reputation_block is rare again" in caplog.text


def test_a_domain_that_always_says_so_is_no_news() -> None:
    refused(50)
    with connection() as conn:
        conn.execute("UPDATE guard_count SET slot_at = slot_at - interval '3 days'")
    refused(20, start=50)
    assert spike_watch.look() == 1, "all of them, more than half of what there can be"
    refused(20, domain="other.example")
    assert spike_watch.look() == 1


def test_an_application_reads_of_those_that_concern_its_mail() -> None:
    refused(20)
    spike_watch.look()
    (item,) = reader("shop").get("/v1/incidents")["items"]
    assert (item["domain"], item["reason"], item["ended_at"]) == (
        "blocked.example",
        "reputation_block",
        None,
    )
    assert item["texts"][0]["count"] == 20
    assert item["advice"]
    assert reader("other").get("/v1/incidents")["items"] == []
    reader("shop", "send").refused("/v1/incidents", 403)


def test_wordings_that_are_not_heard_any_more_are_forgotten() -> None:
    refused(1)
    with connection() as conn:
        conn.execute("UPDATE said SET last_at = last_at - interval '8 days'")
    assert said.forget_old(10) == 1
