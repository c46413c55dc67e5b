"""Bounces without a report: how each mail system says who failed and why, in its own form."""

from pathlib import Path

import pytest

from postroom.domain.delivery import EventType
from postroom.domain.reason import read
from postroom.providers.base import Heard
from postroom.providers.bounces import parse_mail

SAID = Path(__file__).parent / "fixtures" / "bounces"
SYSTEM = "Mail Delivery System <MAILER-DAEMON@mx.example.net>"


def bounce(text: str, *headers: str, sender: str = SYSTEM, kind: str = "text/plain") -> bytes:
    head = [f"From: {sender}", "To: news@corp.example", "Subject: Undelivered mail", *headers]
    return "\n".join([*head, f"Content-Type: {kind}; charset=utf-8", "", text]).encode()


def only(data: bytes) -> Heard:
    (heard,) = parse_mail(data)
    return heard


FORMS: dict[str, tuple[list[str], str]] = {
    "qmail": (["jo@example.com"], "address_unknown"),
    "exim": (["jo@example.com", "al@example.com"], "mailbox_full"),
    "postfix": (["jo@example.com"], "mailbox_full"),
    "sendmail-8": (["jo@example.com"], "address_unknown"),
    "sendmail-5": (["jo@example.com"], "address_unknown"),
    "courier": (["jo@example.com"], "address_unknown"),
    "opensmtpd": (["jo@example.com"], "mailbox_full"),
    "dragonfly": (["jo@example.com"], "address_unknown"),
    "exchange-5-5": (["jo@example.com"], "address_unknown"),
    "domino": (["jo@example.com"], "address_unknown"),
    "notes": (["jo@example.com"], "address_unknown"),
    "groupwise": (["jo@example.com"], "address_unknown"),
    "imail": (["jo@example.com"], "address_unknown"),
    "imail-size": (["jo@example.com"], "mailbox_full"),
    "interscan": (["jo@example.com"], "address_unknown"),
    "mailmarshal": (["jo@example.com"], "address_unknown"),
    "m-filter": (["jo@example.com"], "address_unknown"),
    "active-hunter": (["jo@example.com"], "address_unknown"),
    "yahoo": (["jo@example.com"], "address_unknown"),
    "gmail": (["jo@example.com"], "address_unknown"),
    "zoho": (["jo@example.com"], "address_unknown"),
    "kddi": (["jo@example.com"], "mailbox_full"),
    "ezweb": (["jo@example.com"], "address_unknown"),
    "verizon": (["jo@example.com"], "address_unknown"),
    "mailfoundry": (["jo@example.com"], "address_unknown"),
    "mcafee": (["jo@example.com"], "address_unknown"),
    "surfcontrol": (["jo@example.com"], "address_unknown"),
    "james": (["jo@example.com"], "address_unknown"),
    "messaging-server": (["jo@example.com"], "address_unknown"),
    "mdaemon": (["jo@example.com"], "address_unknown"),
    "mailenable": (["jo@example.com"], "mailbox_full"),
    "1-1": (["jo@example.com"], "message_too_large"),
    "aol": (["jo@mx.example.net"], "policy_refused"),
    "biglobe": (["jo@example.com"], "mailbox_full"),
    "x5-star-list": (["jo@example.com"], "address_unknown"),
    "permanent-errors": (["jo@example.com"], "routing_or_network"),
    "lsmtp": (["jo@example.com"], "address_unknown"),
    "smail": (["jo@example.com"], "address_unknown"),
    "spanish-qmail": (["jo@example.com"], "address_unknown"),
    "german": (["jo@example.com"], "address_unknown"),
}
"""Each file of `fixtures/bounces`: who failed, and why the first of them."""


@pytest.mark.parametrize("form", FORMS)
def test_each_mail_system_is_understood(form: str) -> None:
    recipients, reason = FORMS[form]
    heards = parse_mail(bounce((SAID / f"{form}.txt").read_text(encoding="utf-8")))
    assert [heard.recipient for heard in heards] == recipients
    assert all(heard.type is EventType.BOUNCED for heard in heards)
    assert read(heards[0]).reason == reason


def test_every_form_is_in_the_table() -> None:
    assert {file.stem for file in SAID.iterdir()} == FORMS.keys()


def test_a_page_is_read_without_its_markup() -> None:
    page = (
        "<html><head><style>a@b.example</style></head><body>Your mail could not be delivered to:"
        "<br>&lt;jo@example.com&gt;<p>550 5.1.1 User&nbsp;unknown</p></body></html>"
    )
    heard = only(bounce(page, kind="text/html"))
    assert (heard.recipient, read(heard).reason) == ("jo@example.com", "address_unknown")


@pytest.mark.parametrize("word", ["generated", "expanded"])
def test_what_an_address_was_forwarded_to_fails_alone(word: str) -> None:
    said = (
        f"The following address(es) failed:\n\n  x@else.example\n  ({word} from <jo@example.com>)"
    )
    theirs, ours = parse_mail(bounce(f"{said}\n    550 5.1.1 User unknown\n"))
    assert (theirs.recipient, read(theirs, "dsn").suppress) == ("x@else.example", "no")
    assert (ours.recipient, ours.type) == ("jo@example.com", EventType.DELIVERED)


def test_a_report_melted_into_the_text_is_read_by_its_fields() -> None:
    fields = "Final-Recipient: rfc822; jo@example.com\nAction: failed\nStatus: 5.2.2\n"
    heard = only(bounce(f"Reporting-MTA: dns; mx.example.net\n\n{fields}"))
    assert heard.recipient == "jo@example.com"


def test_the_recipient_of_the_returned_mail_stands_in_for_one_that_is_not_named() -> None:
    returned = "--b\nContent-Type: message/rfc822\n\nTo: jo@example.com\n\nHello\n--b--\n"
    head = f'From: {SYSTEM}\nSubject: Returned mail\nContent-Type: multipart/mixed; boundary="b"\n'
    data = f"{head}\n--b\n\nConnection timed out\n{returned}"
    assert only(data.encode()).recipient == "jo@example.com"


def test_a_report_inside_a_mail_that_a_person_passes_on_is_nobodys_failure() -> None:
    report = (
        "Content-Type: message/rfc822\n\nFrom: MAILER-DAEMON@x.example\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="c"\n\n--c\n'
        "Content-Type: message/delivery-status\n\nReporting-MTA: dns; x.example\n\n"
        "Final-Recipient: rfc822; jo@example.com\nAction: failed\nStatus: 5.1.1\n--c--\n"
    )
    head = 'From: jo@example.com\nSubject: Look\nContent-Type: multipart/mixed; boundary="b"\n\n'
    assert parse_mail(f"{head}--b\n\nSee this.\n--b\n{report}--b--\n".encode()) == []
