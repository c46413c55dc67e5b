"""The relay: what it refuses at once, and the mails that come back."""

import smtplib
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest

from postroom.simulator.face import SettingsError
from postroom.simulator.faces import new_face_config, open_faces
from postroom.simulator.smtp_asking import split_asked
from postroom.simulator.steps import What
from postroom.simulator.truth import digest_of_mail
from tests.helpers import eventually
from tests.simulator.conftest import Start
from tests.simulator.rig import MailReceiver, Received, Running

LOGIN = {"smtp_user": "relay", "smtp_password": "pw"}
PATH = "b-1@bounce.example.com"
MAIL = (
    b"X-Postroom-Handover: h-7\r\nFrom: desk@example.com\r\nTo: kim@example.org\r\n"
    b"Message-ID: <1@example.com>\r\nX-Note: \xe9\r\nSubject: Prices\r\n\r\nNew prices.\r\n"
)


@pytest.fixture
def door() -> Iterator[MailReceiver]:
    """Where mail comes back to."""
    made = MailReceiver()
    yield made
    made.close()


def _start(start: Start, door: MailReceiver, kind: str = "relay", **more: Any) -> Running:
    entry = new_face_config("relay", door.url, kind=kind, **LOGIN)
    return start(faces={"relay": entry}, time_scale=0.05, **more)


@pytest.fixture
def relay(start: Start, door: MailReceiver) -> Running:
    return _start(start, door)


@pytest.fixture
def receiving(start: Start, door: MailReceiver) -> Running:
    """The recipients' own server."""
    return _start(start, door, "receiver")


def _send(running: Running, local: str, mail_from: str = PATH, *asked: str) -> int:
    """The code of the reply that decided."""
    with smtplib.SMTP("127.0.0.1", running.simulator.smtp_port, "client.example") as smtp:
        smtp.login(LOGIN["smtp_user"], LOGIN["smtp_password"])
        try:
            smtp.sendmail(mail_from, [f"{local}@sim.example"], MAIL, rcpt_options=asked)
        except smtplib.SMTPRecipientsRefused as refused:
            return refused.recipients[f"{local}@sim.example"][0]
        except smtplib.SMTPResponseException as refused:
            return refused.smtp_code
        return 250


def _come_back(running: Running, door: MailReceiver) -> list[Received]:
    eventually(lambda: running.truth.copies and running.is_settled())
    return door.posts


def _read(post: Received) -> tuple[Message, dict[str, str]]:
    """The mail, and the fields of its part for machines."""
    mail = message_from_bytes(post.body)
    return mail, {name: str(value) for part in mail.walk() for name, value in part.items()}


def test_a_mail_is_taken_as_it_is(relay: Running) -> None:
    assert _send(relay, "delivered") == 250
    (taken,) = relay.truth.copies.values()
    assert (taken.copy.sender, taken.copy.handover) == (PATH, "h-7")
    assert taken.copy.digest == digest_of_mail(MAIL)
    assert taken.copy.header_message_id == "<1@example.com>"


def test_of_a_mail_that_went_well_nothing_is_told(relay: Running, door: MailReceiver) -> None:
    _send(relay, "delivered")
    assert _come_back(relay, door) == []
    (taken,) = relay.truth.copies.values()
    assert [fact.what for fact in taken.facts] == [What.ACCEPTED, What.DELIVERED]


def test_a_bounce_comes_back_as_a_report_with_the_returned_head(
    relay: Running, door: MailReceiver
) -> None:
    _send(relay, "bounce")
    (post,) = _come_back(relay, door)
    assert post.headers["rcpt-to"] == PATH
    assert post.headers["mail-from"].startswith("FROM:<>")
    mail, fields = _read(post)
    assert mail.get_content_type() == "multipart/report"
    assert mail.get_param("report-type") == "delivery-status"
    assert mail["Auto-Submitted"] == "auto-replied"
    assert fields["Reporting-MTA"] == "dns; relay.sim.example"
    assert fields["Remote-MTA"] == "dns; mx.sim.example"
    assert fields["Final-Recipient"] == "rfc822;bounce@sim.example"
    assert (fields["Action"], fields["Status"]) == ("failed", "5.1.1")
    assert fields["Diagnostic-Code"].startswith("smtp; 550 5.1.1 <bounce@sim.example>")
    head, _, _ = MAIL.partition(b"\r\n\r\n")
    assert head in post.body


def test_a_bounce_after_acceptance_is_the_recipient_s_own_servers(
    relay: Running, door: MailReceiver
) -> None:
    _send(relay, "late-bounce")
    (post,) = _come_back(relay, door)
    mail, fields = _read(post)
    assert mail["From"] == "Mail delivery <MAILER-DAEMON@mx.sim.example>"
    assert fields["Reporting-MTA"] == "dns; mx.sim.example"
    assert "Remote-MTA" not in fields


def test_a_delay_is_told_once_and_its_end_with_the_last_code(
    relay: Running, door: MailReceiver
) -> None:
    _send(relay, "defer")
    told = [_read(post)[1] for post in _come_back(relay, door)]
    assert [(each["Action"], each["Status"]) for each in told] == [
        ("delayed", "4.2.0"),
        ("failed", "4.2.0"),
    ]
    assert "Will-Retry-Until" in told[0]


def test_a_complaint_comes_back_as_a_feedback_report(relay: Running, door: MailReceiver) -> None:
    _send(relay, "complain")
    (post,) = _come_back(relay, door)
    mail, fields = _read(post)
    assert mail.get_param("report-type") == "feedback-report"
    assert fields["Feedback-Type"] == "abuse"
    assert fields["Original-Mail-From"] == f"<{PATH}>"
    assert fields["Original-Rcpt-To"] == "<complain@sim.example>"


def test_a_vacation_notice_is_an_automatic_answer(relay: Running, door: MailReceiver) -> None:
    _send(relay, "ooto")
    (post,) = _come_back(relay, door)
    mail = message_from_bytes(post.body)
    assert (mail["From"], mail["To"]) == ("ooto@sim.example", PATH)
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["In-Reply-To"] == "<1@example.com>"
    assert post.headers["mail-from"].startswith("FROM:<>")


@pytest.mark.parametrize(
    ("local", "asked", "actions"),
    [
        ("delivered", "NOTIFY=SUCCESS", ["delivered"]),
        ("delivered", "NOTIFY=success,failure", ["delivered"]),
        ("delivered", "NOTIFY=FAILURE", []),
        ("bounce", "NOTIFY=SUCCESS", []),
        ("bounce", "NOTIFY=NEVER", []),
        ("defer-then-deliver", "NOTIFY=DELAY,SUCCESS", ["delayed", "delivered"]),
    ],
)
def test_a_sender_may_ask_for_the_reports_that_it_wants(
    relay: Running, door: MailReceiver, local: str, asked: str, actions: list[str]
) -> None:
    assert _send(relay, local, PATH, asked, f"ORCPT=rfc822;{local}@sim.example") == 250
    assert [_read(post)[1]["Action"] for post in _come_back(relay, door)] == actions


def test_a_mail_with_the_null_sender_is_taken_and_never_answered(
    relay: Running, door: MailReceiver
) -> None:
    for local in ("bounce", "ooto", "complain"):
        assert _send(relay, local, "") == 250
    assert _come_back(relay, door) == []
    assert {taken.copy.sender for taken in relay.truth.copies.values()} == {""}


def test_a_report_that_is_refused_for_good_is_never_sent_again(
    start: Start, door: MailReceiver
) -> None:
    door.status = 500
    relay = _start(start, door)
    _send(relay, "bounce")
    assert _come_back(relay, door) == []
    assert relay.truth.lost


@pytest.mark.parametrize(
    ("local", "code"),
    [
        ("refuse", 550),
        ("refuse+4.2.1", 450),
        ("refuse+5.2.3", 552),
        ("suppressed", 550),
        ("bounce", 250),
        ("spam", 250),
        ("defer", 250),
    ],
)
def test_a_relay_takes_all_but_what_it_refuses_itself(
    relay: Running, local: str, code: int
) -> None:
    assert _send(relay, local) == code
    assert len(relay.truth.copies) == (code == 250)


@pytest.mark.parametrize(
    ("local", "code"),
    [
        ("delivered", 250),
        ("bounce", 550),
        ("bounce+5.2.1", 550),
        ("full", 552),
        ("block", 554),
        ("spam", 554),
        ("defer", 450),
        ("late-bounce", 250),
        ("ooto", 250),
    ],
)
def test_a_receiver_says_at_once_what_it_knows(receiving: Running, local: str, code: int) -> None:
    assert _send(receiving, local) == code
    assert len(receiving.truth.copies) == (code == 250)


def test_a_receiver_takes_what_it_put_off_and_tells_nothing_of_that(
    receiving: Running, door: MailReceiver
) -> None:
    assert [_send(receiving, "defer-then-deliver") for _ in range(3)] == [450, 450, 250]
    assert _come_back(receiving, door) == []
    (taken,) = receiving.truth.copies.values()
    assert [fact.what for fact in taken.facts] == [What.ACCEPTED, What.DELIVERED]


def test_a_receiver_puts_off_what_is_to_be_given_up_for_ever(receiving: Running) -> None:
    assert {_send(receiving, "defer") for _ in range(6)} == {450}


def test_parameters_of_reports_are_refused_where_no_face_sends_any(simulator: Running) -> None:
    with smtplib.SMTP("127.0.0.1", simulator.simulator.smtp_port, "client.example") as smtp:
        smtp.login("apikey", "SG.test.key")
        assert not smtp.has_extn("DSN")
        smtp.mail("desk@example.com")
        assert smtp.rcpt("delivered@sim.example", ["NOTIFY=SUCCESS"])[0] == 555


@pytest.mark.parametrize(
    ("argument", "bare", "notify"),
    [
        ("TO:<a@b.example>", "TO:<a@b.example>", ""),
        ("TO:<a@b.example> NOTIFY=never SIZE=1", "TO:<a@b.example> SIZE=1", "NEVER"),
        ("FROM:<> RET=HDRS ENVID=q SIZE=9", "FROM:<> SIZE=9", ""),
        ("TO:<a NOTIFY=x@b.example>", "TO:<a NOTIFY=x@b.example>", ""),
        (None, None, ""),
    ],
)
def test_what_is_asked_stands_after_the_path(
    argument: str | None, bare: str | None, notify: str
) -> None:
    assert split_asked(argument) == (bare, notify)


@pytest.mark.parametrize("more", [{"webhook_url": "http://x.example"}, {"kind": "post office"}])
def test_settings_that_make_no_relay_are_refused(more: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="of a relay is"):
        open_faces({"relay": {**LOGIN, **more}})
