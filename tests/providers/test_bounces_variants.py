"""Reports as careless systems write them, and the other mails that come back, of many lands."""

import base64
import quopri
from email.header import Header

import pytest

from postroom.domain.delivery import EventType
from postroom.domain.reason import read
from postroom.providers.base import Heard
from postroom.providers.bounces import parse_mail
from postroom.providers.bounces.autoreply import AWAY_ABROAD

JO = "jo@corp.example"
FIELDS = (
    "Reporting-MTA: dns; mx.example\n\n"
    f"Final-Recipient: rfc822; {JO}\nAction: failed\nStatus: 5.1.1\n"
)
COMPLAINT = "Feedback-Type: abuse\nVersion: 1\nUser-Agent: Loop/1.0\n"
RETURNED_HEADERS = f"Content-Type: text/rfc822-headers\n\nFrom: news@sender.example\nTo: {JO}\n"


def report(kind: str, type: str, text: str, *parts: str, prose: str = "Hello.") -> bytes:
    """A multipart/report of this kind whose report part has this type and text."""
    bodies = (f"Content-Type: text/plain\n\n{prose}\n", f"Content-Type: {type}\n{text}", *parts)
    inside = "".join(f"--b\n{body}\n" for body in bodies)
    return (
        "From: postmaster@mx.example\nTo: news@sender.example\nSubject: Report\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"\n\n{inside}--b--\n'
    ).encode()


def encoded(text: str, encoding: str) -> str:
    """A header field that tells the encoding, and the text in it."""
    encode = base64.encodebytes if encoding == "base64" else quopri.encodestring
    return f"Content-Transfer-Encoding: {encoding}\n\n{encode(text.encode()).decode()}"


def only(mail: bytes) -> Heard:
    (heard,) = parse_mail(mail)
    return heard


@pytest.mark.parametrize("encoding", ["base64", "quoted-printable"])
def test_a_report_that_somebody_encoded_is_read(encoding: str) -> None:
    delivery = report("delivery-status", "message/delivery-status", encoded(FIELDS, encoding))
    assert (only(delivery).recipient, only(delivery).enhanced_code) == (JO, "5.1.1")
    named = f"{COMPLAINT}Original-Rcpt-To: {JO}\n"
    abuse = report("feedback-report", "message/feedback-report", encoded(named, encoding))
    assert (only(abuse).type, only(abuse).recipient) == (EventType.COMPLAINED, JO)


def test_a_report_that_only_claims_to_be_encoded_is_read_too() -> None:
    claim = f"Content-Transfer-Encoding: base64\n\n{FIELDS}"
    assert only(report("delivery-status", "message/delivery-status", claim)).recipient == JO


def test_who_complained_stands_in_the_headers_that_came_back() -> None:
    mail = report("feedback-report", "message/feedback-report", f"\n{COMPLAINT}", RETURNED_HEADERS)
    assert (only(mail).type, only(mail).recipient) == (EventType.COMPLAINED, JO)


def test_outlook_names_who_complained_in_a_header_of_the_mail_itself() -> None:
    mail = (
        b"From: staff@hotmail.com\nSubject: complaint about message from 192.0.2.1\n"
        b'Content-Type: multipart/mixed; boundary="b"\n\n'
        b"--b\nContent-Type: message/rfc822\n\n"
        b"X-HmXmrOriginalRecipient: <jo@hotmail.com>\nTo: news-readers@sender.example\n\nHi\n"
        b"--b--\n"
    )
    heard = only(mail)
    assert (heard.type, heard.recipient) == (EventType.COMPLAINED, "jo@hotmail.com")


@pytest.mark.parametrize(
    ("kind", "type", "text"),
    [
        (
            "disposition-notification",
            "message/disposition-notification",
            "Disposition: automatic-action/MDN-sent-automatically; deleted\n",
        ),
        ("tlsrpt", "application/tlsrpt+json", "{}"),
    ],
)
def test_a_report_of_something_else_is_no_failure(kind: str, type: str, text: str) -> None:
    returned = f"Content-Type: message/rfc822\n\nTo: {JO}\n\nHi\n"
    mail = report(kind, type, f"\n{text}", returned, prose=f"Not delivered to {JO}.")
    assert parse_mail(mail) == []


def test_a_refusal_that_dovecot_sends_as_a_report_of_reading_is_a_bounce() -> None:
    text = f"\nFinal-Recipient: rfc822; {JO}\nDisposition: automatic-action; deleted\n"
    kind = "disposition-notification"
    prose = f"Your message to <{JO}> was automatically rejected:\nQuota exceeded"
    heard = only(report(kind, f"message/{kind}", text, prose=prose))
    assert (heard.type, heard.recipient) == (EventType.BOUNCED, JO)
    assert read(heard, "dsn").reason == "mailbox_full"


def test_what_the_store_says_goes_before_what_a_relay_made_of_it() -> None:
    prose = "Your message to <jo> was automatically rejected:\nNot enough disk space"
    heard = only(report("delivery-status", "message/delivery-status", f"\n{FIELDS}", prose=prose))
    reading = read(heard, "dsn")
    assert (reading.reason, reading.suppress) == ("mailbox_full", "on_repeat")


def test_quotation_marks_are_no_part_of_an_address() -> None:
    mail = (
        b"From: MAILER-DAEMON@mx.example\nSubject: Undeliverable mail\n\n"
        b"Failed to deliver to 'jo@corp.example'\nmx.corp.example says: 550 5.1.1 unknown user\n"
    )
    assert only(mail).recipient == JO


@pytest.mark.parametrize("beginning", AWAY_ABROAD)
def test_a_vacation_notice_is_known_in_its_own_language(beginning: str) -> None:
    subject = f"{beginning.capitalize()}: Hello"
    for written in (subject, f"Re: {subject}", Header(subject, "utf-8").encode()):
        mail = f"From: Jo <{JO}>\nTo: news@sender.example\nSubject: {written}\n\nTschüss\n".encode()
        assert (only(mail).type, only(mail).recipient) == (EventType.AUTO_REPLIED, JO)


@pytest.mark.parametrize("subject", ["Auto: Hello", "I'm on parental leave", "I am away"])
def test_a_vacation_notice_is_known_by_its_beginning(subject: str) -> None:
    mail = f"From: Jo <{JO}>\nTo: news@sender.example\nSubject: {subject}\n\nBye\n".encode()
    assert only(mail).type is EventType.AUTO_REPLIED


OLD_SENDMAIL = """From: Mail Delivery Subsystem <MAILER-DAEMON@mx.example>
To: news@sender.example
Subject: Returned mail: Cannot send message for 4 days

   ----- Transcript of session follows -----
421 corp.example (smtp)... Deferred: Connection timed out during user open

   ----- Unsent message follows -----
Received: by mx.sender.example; Tue, 24 Nov 2026 09:00:00 +0100
From: news@sender.example
To: {to}
Subject: Hello
"""


def test_a_bounce_that_names_nobody_speaks_of_the_one_recipient_of_what_it_returns() -> None:
    heard = only(OLD_SENDMAIL.format(to=JO).encode())
    assert (heard.recipient, heard.reply_code) == (JO, 421)
    assert read(heard, "dsn").reason == "gave_up"
    assert parse_mail(OLD_SENDMAIL.format(to=f"{JO}, al@corp.example").encode()) == []


def test_words_of_the_returned_mail_are_no_reason() -> None:
    mail = (
        b"From: postmaster@mx.example\nTo: news@sender.example\nSubject: Undeliverable Mail\n\n"
        b"could not deliver to jo@corp.example\n\nOriginal message follows.\n\n"
        b"From: news@sender.example\nSubject: 550 5.1.1 user unknown, a song\n"
    )
    reading = read(only(mail), "dsn")
    assert (reading.reason, reading.suppress) == ("unclassified", "no")
