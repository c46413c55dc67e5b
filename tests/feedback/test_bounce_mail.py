"""Bounces on their way: a mail leaves with a return path, and what comes to it is understood."""

import smtplib
from collections.abc import Iterator
from email import message_from_bytes
from uuid import UUID

import pytest
from django.conf import settings
from django.test import override_settings

from postroom.domain.return_path import address, handover_of, key_of
from postroom.feedback.interpreter import replay
from postroom.feedback.reading import read_receipt
from postroom.ledger import receipts
from postroom.ledger.blobs import decompress
from postroom.ledger.keys import create_key
from postroom.management.returns import ReturnedMail
from postroom.submission.smtp_listener import Listener
from postroom.submission.smtp_returns import RETURNED_BYTES_MAX
from tests.fake_smtp import FakeSmtp, fake_smtp
from tests.helpers import eventually
from tests.sending.posting import add_account, post_http, post_smtp, rows, sending, stages
from tests.submission.door import Door, serving

pytestmark = pytest.mark.usefixtures("ledger")

DOMAIN = "bounce.corp.example"
WRITTEN = (
    b"From: news@corp.example\r\nReply-To: desk@corp.example\r\nSubject: News\r\n\r\nHello\r\n"
)


@pytest.fixture
def server() -> Iterator[FakeSmtp]:
    """The relay of an account with return paths."""
    with fake_smtp() as taking:
        add_account(server=taking, return_path_domain=DOMAIN)
        yield taking


@pytest.fixture
def door() -> Iterator[Door]:
    """A submission listener as the role opens it."""
    with serving(Listener("mail.corp.example", relays=False, returns=ReturnedMail())) as opened:
        yield opened


@pytest.fixture
def path(server: FakeSmtp) -> str:
    """The return path under which a mail to jo@example.org left."""
    post_smtp(["jo@example.org"], WRITTEN, mail_from="app@corp.example")
    send_all()
    return envelope_sender(server)


def send_all() -> None:
    with sending():
        eventually(lambda: set(stages()) == {"submitted"})


def envelope_sender(server: FakeSmtp) -> str:
    return server.taken[-1].mail_from.removeprefix("FROM:<").partition(">")[0]


def come_back(door: Door, to: str, data: bytes, mail_from: str = "") -> None:
    with door.smtp() as client:
        client.sendmail(mail_from, [to], data)


def interpret() -> int:
    return receipts.interpret_new(100, read_receipt)


def outcome() -> tuple[object, ...]:
    [found] = rows("SELECT verdict, reason, after_acceptance FROM delivery WHERE verdict <> ''")
    return found


def suppressed() -> list[object]:
    return [key for (key,) in rows("SELECT address_key FROM suppression")]


def report(
    action: str = "failed", status: str = "5.1.1", to: str = "jo@example.org", text: str = ""
) -> bytes:
    said = text or f"550 {status} User unknown"
    return (
        "From: MAILER-DAEMON@mx.example.org\r\nTo: x\r\nSubject: Undelivered\r\n"
        f"Date: Tue, 24 Nov 2026 09:00:0{len(action)} +0000\r\n"
        "MIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\n\r\nYour mail came back.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; {to}\r\n"
        f"Action: {action}\r\nStatus: {status}\r\nDiagnostic-Code: smtp; {said}\r\n\r\n--b--\r\n"
    ).encode()


def person(subject: str = "Re: News", *headers: str) -> bytes:
    head = ["From: Jo <jo@example.org>", f"Subject: {subject}", *headers]
    return "\r\n".join([*head, "Date: Tue, 24 Nov 2026 10:00:00 +0000", "", "Thanks!\r\n"]).encode()


def test_the_envelope_sender_names_the_hand_over_and_the_message_keeps_its_own(path: str) -> None:
    [(handover_id,)] = rows("SELECT id FROM handover")
    local, _, domain = path.partition("@")
    assert domain == DOMAIN
    assert handover_of(local, [key_of(settings.POSTROOM_SECRET_KEY)]) == handover_id
    assert rows("SELECT mail_from FROM message") == [("app@corp.example",)]
    assert "replaced the envelope sender" in str(rows("SELECT changes FROM attempt"))


def test_the_null_sender_stays_null(server: FakeSmtp) -> None:
    post_smtp(["jo@example.org"], WRITTEN, mail_from="")
    send_all()
    assert envelope_sender(server) == ""


def test_a_bounce_after_acceptance_is_the_verdict_and_suppresses_with_its_evidence(
    door: Door, path: str
) -> None:
    assert outcome() == ("submitted", None, False)
    come_back(door, path, report())
    assert interpret() == 1
    assert outcome() == ("bounced", "address_unknown", True)
    assert suppressed() == ["jo@example.org"]
    [(receipt_id, evidence)] = rows(
        "SELECT receipt.id, suppression.receipt_id FROM receipt, suppression"
    )
    assert receipt_id == evidence


def test_the_receipt_holds_the_mail_as_it_came(door: Door, path: str) -> None:
    come_back(door, path, report())
    [(kept,)] = rows("SELECT zlib FROM receipt")
    assert decompress(bytes(kept)) == report()


def test_a_bounce_that_comes_twice_counts_once(door: Door, path: str) -> None:
    for _ in range(2):
        come_back(door, path, report())
    interpret()
    assert rows("SELECT count(*) FROM event WHERE type = 'bounced'") == [(1,)]


@pytest.mark.parametrize(
    ("action", "status", "verdict"),
    [
        ("delayed", "4.4.1", "deferred"),
        ("relayed", "2.0.0", "delivered"),
        ("expanded", "2.0.0", "delivered"),
        ("delivered", "2.0.0", "delivered"),
    ],
)
def test_what_is_no_failure_suppresses_nobody(
    door: Door, path: str, action: str, status: str, verdict: str
) -> None:
    come_back(door, path, report(action, status))
    interpret()
    assert outcome()[0] == verdict
    assert suppressed() == []


def test_a_forwarders_report_leaves_the_mail_delivered_with_a_note(door: Door, path: str) -> None:
    come_back(door, path, report(to="someone@elsewhere.example"))
    interpret()
    assert outcome()[0] == "delivered"
    assert rows("SELECT provider_type FROM event WHERE receipt_id IS NOT NULL") == [
        ("forward_failed",)
    ]
    assert suppressed() == []


def test_a_return_path_that_nobody_gave_out_is_refused_and_changes_nothing(
    door: Door, path: str
) -> None:
    foreign = address(UUID(int=7), DOMAIN, key_of("another secret"))
    unknown = address(UUID(int=7), DOMAIN, key_of(settings.POSTROOM_SECRET_KEY))
    for forged in (foreign, unknown, f"b-x@{DOMAIN}", f"jo@{DOMAIN}"):
        with door.smtp() as client, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            client.sendmail("", [forged], report())
        assert refused.value.recipients[forged] == (550, b"5.1.1 There is no such address")
    assert rows("SELECT count(*) FROM receipt") == [(0,)]
    assert outcome() == ("submitted", None, False)


def test_who_guesses_return_paths_is_shown_the_door(door: Door, path: str) -> None:
    with door.talk() as talk:
        talk.say("EHLO c", "MAIL FROM:<>")
        replies = [talk.say(f"RCPT TO:<b-{number}@{DOMAIN}>") for number in range(5)]
    assert [reply[:3] for reply in replies] == ["550"] * 4 + ["421"]


def test_an_id_that_the_mail_itself_claims_is_not_believed(door: Door, path: str) -> None:
    other = UUID(int=9)
    forged = report().replace(b"\r\n\r\n--b--", b"\r\nX-Postroom-Handover: %s\r\n\r\n--b--")
    come_back(door, path, forged.replace(b"%s", str(other).encode()))
    interpret()
    [(handover_id,)] = rows("SELECT handover_id FROM event WHERE type = 'bounced'")
    assert handover_id == rows("SELECT id FROM handover")[0][0]


def test_paths_given_out_under_an_earlier_secret_are_still_known(door: Door, path: str) -> None:
    earlier = settings.POSTROOM_SECRET_KEY
    known = {"POSTROOM_SECRET_KEY": "rotated", "POSTROOM_SECRET_KEY_PREVIOUS": earlier}
    with override_settings(**known):
        come_back(door, path.upper(), report())
    interpret()
    assert outcome()[0] == "bounced"


def test_strangers_may_send_to_return_paths_only(door: Door, path: str) -> None:
    with door.smtp() as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            client.sendmail("x@example.net", ["ann@sim.example"], report())
        assert refused.value.recipients["ann@sim.example"][0] == 530
        assert client.mail("")[0] == 250
        assert client.rcpt(path)[0] == 250
        assert client.rcpt("ann@sim.example")[0] == 452


def test_the_relay_listener_takes_them_too(path: str) -> None:
    listener = Listener("mail.corp.example", relays=True, returns=ReturnedMail())
    with serving(listener) as relay:
        come_back(relay, path, report())
    interpret()
    assert outcome()[0] == "bounced"


def test_a_mail_too_large_to_be_a_bounce_is_refused(door: Door, path: str) -> None:
    with door.smtp() as client, pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail("", [path], b"a" * 70 + b"\r\n" + b"b\r\n" * (RETURNED_BYTES_MAX // 3))
    assert refused.value.smtp_code == 552


def test_a_vacation_notice_means_that_the_mail_arrived(door: Door, path: str) -> None:
    come_back(door, path, person("Out of office", "Auto-Submitted: auto-replied"))
    interpret()
    assert outcome() == ("delivered", "auto_reply", False)
    assert rows("SELECT count(*) FROM message") == [(1,)]


def test_a_reply_means_that_the_mail_arrived_and_goes_on_to_reply_to(
    door: Door, path: str, server: FakeSmtp
) -> None:
    come_back(door, path, person(), mail_from="jo@example.org")
    interpret()
    assert outcome()[0] == "delivered"
    assert rows("SELECT type FROM event WHERE receipt_id IS NOT NULL") == [("replied",)]
    send_all_again(server)
    passed_on = message_from_bytes(server.taken[-1].data)
    assert "desk@corp.example" in server.recipients()[-1]
    assert passed_on["Reply-To"] == "jo@example.org"
    assert person() in server.taken[-1].data


def send_all_again(server: FakeSmtp) -> None:
    with sending():
        eventually(lambda: len(server.taken) == 2)


def test_a_reply_to_a_mail_born_by_http_goes_to_its_reply_to(door: Door, server: FakeSmtp) -> None:
    post_http(["jo@example.org"], reply_to=["desk@corp.example"])
    send_all()
    come_back(door, envelope_sender(server), person(), mail_from="jo@example.org")
    assert ("desk@corp.example",) in rows("SELECT recipient FROM delivery")


def test_a_reply_that_comes_twice_goes_on_once(door: Door, path: str) -> None:
    for _ in range(2):
        come_back(door, path, person(), mail_from="jo@example.org")
    assert rows("SELECT count(*) FROM message") == [(2,)]


def complaint(*told: bytes) -> bytes:
    return (
        b"From: fbl@example.org\r\nSubject: complaint\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        b"--b\r\n\r\nA report.\r\n--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        b"Feedback-Type: abuse\r\nUser-Agent: Loop/1\r\nVersion: 1\r\n"
        + b"".join(told)
        + b"\r\n--b--\r\n"
    )


def test_a_complaint_at_abuse_is_known_by_the_return_path_that_it_reports(
    door: Door, path: str
) -> None:
    said = complaint(b"Original-Mail-From: <%s>\r\n" % path.encode())
    with override_settings(POSTROOM_POSTMASTER="ops@corp.example"):
        come_back(door, f"abuse@{DOMAIN}", said, mail_from="fbl@example.org")
    interpret()
    assert suppressed() == ["jo@example.org"]


def test_a_complaint_with_a_return_path_of_nobody_changes_nothing(door: Door, path: str) -> None:
    forged = address(UUID(int=7), DOMAIN, key_of("another secret"))
    said = complaint(b"Original-Mail-From: <%s>\r\n" % forged.encode())
    with override_settings(POSTROOM_POSTMASTER="ops@corp.example"):
        come_back(door, f"abuse@{DOMAIN}", said, mail_from="fbl@example.org")
    assert interpret() == 0


def test_a_complaint_at_the_return_path_suppresses(door: Door, path: str) -> None:
    come_back(door, path, complaint())
    interpret()
    assert outcome()[0] == "delivered"
    assert suppressed() == ["jo@example.org"]


@pytest.mark.parametrize("user", ["postmaster", "abuse", "PostMaster"])
def test_the_postmaster_of_every_domain_of_ours_has_a_mailbox(
    door: Door, path: str, user: str
) -> None:
    create_key("field", "live", ["send"], from_domains=["corp.example"])
    with override_settings(POSTROOM_POSTMASTER="ops@corp.example"):
        for domain in (DOMAIN, "corp.example"):
            come_back(door, f"{user}@{domain}", person(f"At {domain}"), mail_from="jo@example.org")
    assert rows("SELECT recipient, count(*) FROM delivery GROUP BY 1 ORDER BY 2 DESC")[0] == (
        "ops@corp.example",
        2,
    )


@pytest.mark.parametrize("user", ["postmaster", "Postmaster"])
def test_the_postmaster_without_a_domain_has_the_mailbox_too(door: Door, user: str) -> None:
    with override_settings(POSTROOM_POSTMASTER="ops@corp.example"), door.talk() as talk:
        reply = talk.say("EHLO c", "MAIL FROM:<jo@example.org>", f"RCPT TO:<{user}>", "DATA")
        assert reply.startswith("354 ")
        talk.send(person("Help") + b".\r\n")
        assert talk.reply().startswith("250 2.0.0")
    assert rows("SELECT recipient FROM delivery") == [("ops@corp.example",)]


def test_without_a_mailbox_for_it_the_postmaster_is_no_address(door: Door, path: str) -> None:
    with door.smtp() as client, pytest.raises(smtplib.SMTPRecipientsRefused):
        client.sendmail("", [f"postmaster@{DOMAIN}"], report())


def test_a_mail_that_says_nothing_is_kept_and_decides_nothing(door: Door, path: str) -> None:
    come_back(door, path, b"From: MAILER-DAEMON@x.example\r\nSubject: Hm\r\n\r\nHm.\r\n")
    interpret()
    assert rows("SELECT type FROM event WHERE receipt_id IS NOT NULL") == [("unknown",)]
    assert outcome()[0] == "submitted"


def test_stored_bounces_are_read_again_by_a_replay(door: Door, path: str) -> None:
    come_back(door, path, report())
    interpret()
    assert replay().receipts == 1
    assert outcome()[0] == "bounced"
