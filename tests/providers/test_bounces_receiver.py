"""Mail at a return path: it speaks of the one hand-over that the path names, and of no other."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from postroom.domain.delivery import EventType
from postroom.domain.reason import Suppress, read
from postroom.providers.base import Account, Heard, NotAuthentic, Unreadable
from postroom.providers.bounces import HANDOVER, RECIPIENT, BounceReceiver

ID = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")
NOTES = {HANDOVER: str(ID), RECIPIENT: "jo@example.com"}


def bounce(text: str, *headers: str) -> bytes:
    head = ["From: MAILER-DAEMON@mx.example.net", "Subject: failure notice", *headers]
    return "\n".join([*head, "", text]).encode()


def heard(body: bytes) -> list[Heard]:
    return list(BounceReceiver().parse(NOTES, body))


def only(body: bytes) -> Heard:
    (one,) = heard(body)
    return one


def test_without_the_doors_notes_nothing_is_read() -> None:
    for headers in ({}, {HANDOVER: str(ID)}, {HANDOVER: "x", RECIPIENT: "jo@example.com"}):
        with pytest.raises(Unreadable):
            list(BounceReceiver().parse(headers, bounce("<jo@example.com>: 550 5.1.1 unknown")))


def test_no_webhook_can_speak_for_a_relay() -> None:
    account = Account(1, "relay", "smtp", False, {})
    with pytest.raises(NotAuthentic):
        BounceReceiver().verify(account, NOTES, b"", datetime.now(UTC))


def test_a_failure_of_the_recipient_names_the_hand_over() -> None:
    one = only(bounce("<jo@example.com>:\n550 5.1.1 User unknown"))
    assert (one.type, one.recipient, one.handover_id) == (EventType.BOUNCED, "jo@example.com", ID)
    assert read(one, "smtp").suppress is Suppress.NOW


def test_of_several_addresses_only_the_recipient_counts() -> None:
    one = only(bounce("<al@example.com>:\n550 5.2.2 full\n\n<jo@example.com>:\n550 5.1.1 unknown"))
    assert one.enhanced_code == "5.1.1"


def test_a_failure_elsewhere_means_that_the_mail_was_delivered_and_forwarded() -> None:
    one = only(bounce("<boss@elsewhere.example>:\n550 5.1.1 User unknown"))
    assert (one.type, one.recipient) == (EventType.DELIVERED, "jo@example.com")
    assert one.provider_type == "forward_failed"
    assert one.diagnostic == "550 5.1.1 User unknown"
    assert read(one, "smtp").suppress is Suppress.NO


def test_prose_that_names_the_recipient_in_passing_is_no_forwarding() -> None:
    said = "<relay-7@hub.example>:\nyour mail for jo@example.com was refused: 550 5.1.1 unknown"
    assert only(bounce(said)).type is EventType.BOUNCED


def test_an_answer_from_another_address_of_the_person_is_theirs() -> None:
    one = only(b"From: jo.smith@example.org\nSubject: Out of office\n\nI am away.")
    assert (one.type, one.recipient) == (EventType.AUTO_REPLIED, "jo@example.com")


def test_a_person_who_answers_has_replied() -> None:
    date = "Tue, 24 Nov 2026 09:00:00 +0000"
    one = only(f"From: jo@example.com\nSubject: Re: News\nDate: {date}\n\nOk".encode())
    assert (one.type, one.provider_type) == (EventType.REPLIED, "reply")
    assert one.occurred_raw == date


@pytest.mark.parametrize("header", ["Precedence: bulk", "Auto-Submitted: auto-generated"])
def test_a_machine_that_answers_has_not(header: str) -> None:
    mail = f"From: jo@example.com\nSubject: Re: News\n{header}\n\nTicket 7".encode()
    assert only(mail).type is EventType.UNKNOWN
