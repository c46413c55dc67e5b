"""Reports of delivery, abuse and absence: what each says of whom, and silence for the rest."""

import time
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.delivery import EventType
from postroom.domain.reason import Suppress, read
from postroom.providers.base import Heard, Unreadable
from postroom.providers.bounces import parse_mail

HANDOVER = UUID("019ab3c0-7d10-7abc-8def-0123456789ab")


def report(*groups: str, prose: str = "Your mail was not delivered.") -> bytes:
    """A delivery status notification as RFC 3464 has it, with the headers of the returned mail."""
    return (
        "From: Mail Delivery System <MAILER-DAEMON@mx.example.net>\n"
        "Date: Tue, 24 Nov 2026 09:00:00 +0100\n"
        "Subject: Undelivered Mail Returned to Sender\n"
        "MIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n'
        f"\n--b\nContent-Type: text/plain\n\n{prose}\n"
        "--b\nContent-Type: message/delivery-status\n\n"
        "Reporting-MTA: dns; mx.example.net\n\n" + "\n".join(groups) + "\n"
        f"--b\nContent-Type: text/rfc822-headers\n\nX-Postroom-Handover: {HANDOVER}\n"
        "To: jo@example.com\n--b--\n"
    ).encode()


def failed(recipient: str, status: str, diagnostic: str | None, action: str = "failed") -> str:
    said = f"Diagnostic-Code: smtp; {diagnostic}\n" if diagnostic else ""
    return f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n{said}"


def prose(text: str, *headers: str, sender: str = "MAILER-DAEMON@mx.example.net") -> bytes:
    lines = [f"From: {sender}", "Subject: failure notice", *headers, "", text]
    return "\n".join(lines).encode()


def only(data: bytes) -> Heard:
    (heard,) = parse_mail(data)
    return heard


def test_a_failed_recipient_is_a_bounce_with_its_evidence() -> None:
    heard = only(report(failed("jo@example.com", "5.1.1", "550 5.1.1 User unknown")))
    assert (heard.type, heard.recipient) == (EventType.BOUNCED, "jo@example.com")
    assert (heard.reply_code, heard.enhanced_code) == (550, "5.1.1")
    assert heard.handover_id == HANDOVER
    assert heard.asynchronous
    assert heard.occurred_at is not None
    assert read(heard).reason == "address_unknown"


@pytest.mark.parametrize(
    ("action", "type"),
    [
        ("failed", EventType.BOUNCED),
        ("delayed", EventType.DEFERRED),
        ("delivered", EventType.DELIVERED),
        ("relayed", EventType.DELIVERED),
        ("expanded", EventType.DELIVERED),
    ],
)
def test_each_action_has_its_type(action: str, type: EventType) -> None:
    assert only(report(failed("jo@example.com", "4.4.1", None, action))).type is type


def test_a_temporary_status_that_failed_was_given_up_and_does_not_suppress() -> None:
    heard = only(report(failed("jo@example.com", "4.1.1", "450 4.1.1 User unknown")))
    assert heard.given_up
    assert read(heard).reason == "gave_up"
    assert read(heard).suppress is not Suppress.NOW


def test_every_recipient_is_an_event_of_its_own_and_a_repeat_is_none() -> None:
    first = failed("jo@example.com", "5.1.1", "550 5.1.1 User unknown")
    second = failed("al@example.com", "5.2.2", "552 5.2.2 Mailbox full")
    heards = parse_mail(report(first, second, first))
    assert [heard.recipient for heard in heards] == ["jo@example.com", "al@example.com"]
    assert [read(heard).reason for heard in heards] == ["address_unknown", "mailbox_full"]


def test_a_forwarding_that_failed_leaves_our_delivery_delivered_and_suppresses_nobody() -> None:
    group = "Original-Recipient: rfc822;jo@example.com\n" + failed("x@elsewhere.net", "5.1.1", None)
    theirs, ours = parse_mail(report(group))
    assert (ours.type, ours.recipient) == (EventType.DELIVERED, "jo@example.com")
    assert (theirs.type, theirs.recipient) == (EventType.BOUNCED, "x@elsewhere.net")
    assert {read(heard, "dsn").suppress for heard in (theirs, ours)} == {Suppress.NO}


@pytest.mark.parametrize("inside", ["jo@store", "JO@example.com", "jo@mail.example.com"])
def test_a_name_that_the_host_gives_its_own_mailbox_is_no_forwarding(inside: str) -> None:
    group = "Original-Recipient: rfc822;jo@example.com\n" + failed(inside, "5.1.1", None)
    assert only(report(group)).recipient == "jo@example.com"


def test_the_prose_speaks_where_the_report_does_not() -> None:
    said = "<jo@example.com>: the mailbox is full"
    heard = only(report(failed("jo@example.com", "5.0.0", None), prose=said))
    assert read(heard).reason == "mailbox_full"


@pytest.mark.parametrize(
    ("text", "recipient", "reason"),
    [
        (
            (
                "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I failed.\n\n"
                "<jo@example.com>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n"
                "--- Below this line is a copy of the message.\n\nTo: <al@example.com>"
            ),
            "jo@example.com",
            "address_unknown",
        ),
        (
            (
                "A message that you sent could not be delivered.\n"
                "The following address(es) failed:\n\n  jo@example.com\n"
                "    host mx.example.com [192.0.2.1]\n    550 5.2.1 mailbox disabled\n\n"
                "------ This is a copy of the message, including all the headers. ------\n"
            ),
            "jo@example.com",
            "mailbox_disabled",
        ),
        (
            "Your message could not be delivered.\n\nUnknown user: jo@example.com\n",
            "jo@example.com",
            "address_unknown",
        ),
    ],
)
def test_servers_that_write_prose_are_understood(text: str, recipient: str, reason: str) -> None:
    heard = only(prose(text))
    assert (heard.recipient, read(heard).reason) == (recipient, reason)


def test_a_header_that_names_the_failed_ones_goes_before_the_prose() -> None:
    mail = prose("Something went wrong.", "X-Failed-Recipients: jo@example.com, al@example.com")
    assert [heard.recipient for heard in parse_mail(mail)] == ["jo@example.com", "al@example.com"]


def test_a_warning_is_a_deferral() -> None:
    text = "THIS IS A WARNING MESSAGE ONLY.\n\n  jo@example.com\n\nWill be retried for 2 days."
    assert only(prose(text)).type is EventType.DEFERRED


def feedback(kind: str, recipient: str = "jo@example.com") -> bytes:
    return (
        "From: fbl@example.net\nSubject: complaint\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n'
        "\n--b\nContent-Type: text/plain\n\nAn abuse report.\n"
        "--b\nContent-Type: message/feedback-report\n\n"
        f"Feedback-Type: {kind}\nUser-Agent: Loop/1\nOriginal-Rcpt-To: <{recipient}>\n\n"
        "--b\nContent-Type: message/rfc822\n\nSubject: News\n\nHello\n--b--\n"
    ).encode()


@pytest.mark.parametrize(
    ("kind", "type"),
    [
        ("abuse", EventType.COMPLAINED),
        ("fraud", EventType.COMPLAINED),
        ("opt-out", EventType.UNSUBSCRIBED),
        ("not-spam", EventType.RESUBSCRIBED),
    ],
)
def test_a_feedback_report_says_what_the_recipient_wants(kind: str, type: EventType) -> None:
    heard = only(feedback(kind))
    assert (heard.type, heard.recipient) == (type, "jo@example.com")


def test_a_redacted_complaint_names_nobody() -> None:
    assert only(feedback("abuse", "redacted@example.com")).recipient is None


def test_an_authentication_report_says_nothing_of_a_recipient() -> None:
    assert parse_mail(feedback("auth-failure")) == []


def test_a_report_that_a_mail_was_read_is_no_failure() -> None:
    read_report = report(failed("jo@example.com", "5.1.1", None)).replace(
        b"report-type=delivery-status", b"report-type=disposition-notification"
    )
    kept = read_report.replace(b"message/delivery-status", b"message/disposition-notification")
    person = kept.replace(b"MAILER-DAEMON@mx.example.net", b"jo@example.com")
    assert parse_mail(person.replace(b"Undelivered Mail Returned to Sender", b"Read: News")) == []


def test_a_mail_nested_without_end_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        parse_mail(b"From: MAILER-DAEMON@x.example\n" + b"Content-Type: message/rfc822\n\n" * 5_000)


@pytest.mark.parametrize("piece", ["a", "a@", "to ", "- ", "jo@example.com\n", " "])
def test_megabytes_of_prose_are_read_at_once(piece: str) -> None:
    begun = time.process_time()
    parse_mail(prose(piece * (3_000_000 // len(piece))))
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("header", ["Auto-Submitted: auto-replied (vacation)", "X-Autoreply: yes"])
def test_an_automatic_answer_is_no_failure(header: str) -> None:
    mail = f"From: Jo <jo@example.com>\nSubject: Away\n{header}\n\nI am away.".encode()
    heard = only(mail)
    assert (heard.type, heard.recipient) == (EventType.AUTO_REPLIED, "jo@example.com")
    assert read(heard).permanence is None


@pytest.mark.parametrize(
    "mail",
    [b"", b"\n", b"From: jo@example.com\nSubject: Lunch?\n\nMy mailbox was full.", b"\xff\x00\xfe"],
)
def test_a_mail_from_a_person_says_nothing(mail: bytes) -> None:
    assert parse_mail(mail) == []


@given(st.binary(max_size=400), st.integers(0, 600), st.integers(0, 600))
def test_broken_mails_never_raise(noise: bytes, start: int, length: int) -> None:
    whole = report(failed("jo@example.com", "5.1.1", "550 5.1.1 User unknown"))
    for mail in (noise, whole[:start] + noise + whole[start + length :]):
        for heard in parse_mail(mail):
            read(heard)


@pytest.mark.parametrize(
    "said",
    [
        "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)",
        "550 5.7.1 This server does not accept mail from you",
        "550 5.2.1 The user is receiving mail at a rate that prevents further messages",
        "554 5.3.2 System not accepting network messages",
        "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; not authenticated",
    ],
)
def test_what_is_no_word_about_the_mailbox_suppresses_nobody(said: str) -> None:
    heard = only(report(failed("jo@example.com", "5.0.0", said)))
    assert read(heard, "smtp").suppress is Suppress.NO
