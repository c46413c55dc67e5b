"""The sender with SMTP roads: a generic relay, and a provider's SMTP interface."""

import re
from collections import Counter
from email import message_from_bytes
from email.policy import default

import pytest

from postroom.ledger import accounts
from tests.fake_provider import fake_provider
from tests.fake_smtp import DROP, FakeSmtp, Taken, fake_smtp
from tests.helpers import eventually
from tests.sending.posting import (
    add_account,
    attempts,
    people,
    post_http,
    post_smtp,
    reasons,
    rows,
    sending,
    stages,
)

pytestmark = pytest.mark.usefixtures("ledger")

HEADER = (
    b"From: Boss <boss@example.com>\r\n"
    b"To: all@example.com,\r\n kim@example.org\r\n"
    b"Cc: lee@example.org\r\n"
    b"Subject: =?utf-8?q?caf=C3=A9?=\r\n"
    b"Message-ID: <mine@example.com>\r\n"
)
PRIVATE = (
    b"Bcc: secret@example.com,\r\n\tsecret2@example.com\r\n"
    b"X-Postroom-Communication: price-change\r\n"
    b"Return-Path: <x@example.com>\r\n"
)
BODY = b"\r\n" + b"a" * 2_000 + b"\r\ncaf\xe9\r\n.\r\n..\r\nFrom here\r\n \t \r\n"


def refusing(*bad: str, answer: str) -> FakeSmtp:
    """A server that gives this answer to these recipients."""
    return FakeSmtp(
        answer=lambda verb, argument: (
            answer if verb == "RCPT" and any(one in argument for one in bad) else None
        )
    )


_OURS = re.compile(
    rb"X-Postroom-Handover: [0-9a-f-]{36}\r\n"
    rb"Received: by \[127\.0\.0\.1\] \(Postroom\) with ESMTP id [0-9a-f-]{36};\r\n"
    rb"\t\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000\r\n"
)


def without_ours(mail: Taken) -> bytes:
    """What was taken, without the fields that we put on top: the hand-over id and the trace."""
    found = _OURS.match(mail.data)
    assert found is not None, mail.data[:300]
    return mail.data[found.end() :]


def test_a_mail_born_by_smtp_leaves_with_its_bytes_and_without_its_private_headers() -> None:
    with fake_smtp() as server:
        add_account(server=server)
        post_smtp(people(3), PRIVATE + HEADER + BODY)
        with sending():
            eventually(lambda: stages() == {"submitted": 3})
    assert Counter(server.recipients()) == Counter(people(3))
    for mail in server.taken:
        assert without_ours(mail) == HEADER + BODY
        assert mail.mail_from.startswith("FROM:<app@example.com>")


def test_the_header_on_top_is_the_hand_over_id_of_that_recipient() -> None:
    with fake_smtp() as server:
        add_account(server=server)
        post_smtp(people(2), HEADER + BODY)
        with sending():
            eventually(lambda: stages() == {"submitted": 2})
    ids = dict(
        rows(
            "SELECT recipient, handover.id FROM handover"
            "  JOIN delivery ON delivery.id = handover.delivery_id"
        )
    )
    for mail in server.taken:
        expected = f"X-Postroom-Handover: {ids[mail.recipient]}\r\n".encode()
        assert mail.data.startswith(expected)


def test_the_stored_request_is_the_mail_that_was_taken() -> None:
    from postroom.ledger import blobs
    from postroom.ledger.db import connection

    with fake_smtp() as server:
        add_account(server=server)
        message_id = post_smtp(people(1), PRIVATE + HEADER + BODY)
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
    ((packed, changes),) = rows("SELECT request_segments, changes FROM attempt")
    segments = blobs.unpack_segments(bytes(packed))
    digests = [segment.digest for segment in segments if not isinstance(segment, bytes)]
    with connection() as conn:
        kept = blobs.load(conn, message_id, digests)
    rebuilt = b"".join(
        one if isinstance(one, bytes) else kept[one.digest][one.start : one.start + one.length]
        for one in segments
    )
    assert rebuilt == server.taken[0].data
    assert changes == [
        "removed bcc",
        "removed x-postroom-communication",
        "removed return-path",
        "added X-Postroom-Handover",
    ]
    assert rows("SELECT count(*) FROM blob") == [(1,)]


def test_the_null_sender_leaves_as_the_null_sender() -> None:
    with fake_smtp() as server:
        add_account(server=server)
        post_smtp(people(1), HEADER + BODY, mail_from="")
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
    assert server.taken[0].mail_from.startswith("FROM:<>")


def test_one_account_takes_each_mail_by_the_road_that_carries_it() -> None:
    with fake_provider() as provider, fake_smtp() as server:
        add_account(provider, server)
        post_http(["plain@example.org"])
        post_http(["copied@example.org"], cc=["boss@example.com"])
        post_http(["shown@example.org"], display_to=["board@example.com"])
        post_smtp(["raw@example.org"], b"X-SMTPAPI: {}\r\n" + HEADER + BODY)
        with sending():
            eventually(lambda: stages() == {"submitted": 4})
    assert provider.taken == ["plain@example.org"]
    assert set(server.recipients()) == {
        "copied@example.org",
        "shown@example.org",
        "raw@example.org",
    }
    assert {road for road, *_ in attempts()} == {"sendgrid", "sendgrid_smtp"}
    for mail in server.taken:
        assert mail.data.lower().count(b"x-smtpapi") == 1
        assert b"postroom_handover" in mail.data


def test_http_mail_with_copies_is_built_with_the_values_of_each_recipient() -> None:
    with fake_smtp() as server:
        add_account(server=server)
        post_http(people(2), cc=["Boss <boss@example.com>"], text="Dear {{ name }}")
        with sending():
            eventually(lambda: stages() == {"submitted": 2})
    for mail in server.taken:
        message = message_from_bytes(mail.data, policy=default)
        assert message["Cc"] == "Boss <boss@example.com>"
        assert message["To"] == mail.recipient
        assert message.get_content().strip() == f"Dear {mail.recipient.partition('@')[0]}"
        assert mail.mail_from.startswith("FROM:<news@example.com>")


def test_a_refused_recipient_is_rejected_and_the_others_are_sent() -> None:
    guilty = people(4)[2]
    with fake_smtp(refusing(guilty, answer="550 5.1.1 no such mailbox here")) as server:
        add_account(server=server)
        post_smtp(people(4), HEADER + BODY)
        with sending():
            eventually(lambda: stages() == {"submitted": 3, "rejected": 1})
    assert reasons() == {guilty: "address_unknown"}
    ((text,),) = rows("SELECT reason_text FROM handover WHERE reason IS NOT NULL")
    assert text == "5.1.1 no such mailbox here"


def test_a_recipient_told_later_waits_and_does_not_hold_up_the_others() -> None:
    slow = people(4)[0]
    with fake_smtp(refusing(slow, answer="450 4.2.0 greylisted")) as server:
        add_account(server=server)
        post_smtp(people(4), HEADER + BODY)
        with sending():
            eventually(lambda: stages() == {"submitted": 3, "queued": 1})
    assert rows("SELECT due_at > now() FROM delivery WHERE stage = 'queued'") == [(True,)]


def test_a_connection_lost_after_the_dot_is_unknown_and_not_sent_again() -> None:
    dropping = FakeSmtp(answer=lambda verb, _argument: DROP if verb == "DOT" else None)
    with fake_smtp(dropping) as server:
        add_account(server=server)
        post_smtp(people(1), HEADER + BODY)
        with sending():
            eventually(lambda: stages() == {"indeterminate": 1})
    assert len(server.taken) == 1


def test_wrong_credentials_stop_the_account_and_its_mail_stays_queued() -> None:
    closed = FakeSmtp(answer=lambda verb, _a: "535 5.7.8 no" if verb == "AUTH" else None)
    with fake_smtp(closed) as server:
        add_account(server=server, smtp_user="apikey", smtp_password="wrong")
        post_smtp(people(2), HEADER + BODY)
        with sending():
            eventually(lambda: not accounts.usable(True))
            eventually(lambda: stages() == {"queued": 2})


def test_a_mail_that_no_header_can_stand_on_is_held() -> None:
    with fake_smtp() as server:
        add_account(server=server)
        post_smtp(people(1), b" begins with a fold\r\n\r\nHi\r\n")
        with sending():
            eventually(lambda: stages() == {"held": 1})
    assert list(reasons().values()) == ["needs_raw_carrier"]
    assert server.taken == []


def test_a_relay_is_given_mail_by_which_gmail_groups_complaints() -> None:
    with fake_smtp() as server:
        add_account(server=server)
        post_http(people(1), {"communication": "price-change"})
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
    (taken,) = server.taken
    mail = message_from_bytes(taken.data, policy=default)
    assert mail.get_all("Feedback-ID") == ["shop.price-change::app-shop:postroom"]


def test_a_feedback_id_of_the_application_is_left_alone() -> None:
    with fake_smtp() as server:
        add_account(server=server)
        post_http(people(1), headers={"Feedback-ID": "a:b:c:their-own"})
        with sending():
            eventually(lambda: stages() == {"submitted": 1})
    (taken,) = server.taken
    mail = message_from_bytes(taken.data, policy=default)
    assert mail.get_all("Feedback-ID") == ["a:b:c:their-own"]
