"""The SMTP face, spoken to by the standard library's client."""

import json
import smtplib
from collections.abc import Iterator
from hashlib import sha256

import pytest

from postroom.simulator.faces.sendgrid.smtp import split_api_header
from tests.helpers import eventually
from tests.simulator.conftest import Start
from tests.simulator.rig import API_KEY, Receiver, Running

MAIL = (
    b"From: desk@example.com\r\n"
    b"To: Anna <anna@example.org>, bert@example.org\r\n"
    b"Cc: chris@example.org\r\n"
    b"Message-ID: <m1@example.com>\r\n"
    b"Subject: Prices\r\n"
    b"\r\n"
    b"New prices: https://example.com/p\r\n"
)


def _with_api(**api: object) -> bytes:
    text = json.dumps(api).replace(", ", ",\r\n ").encode()
    return b"X-SMTPAPI: " + text + b"\r\n" + MAIL


@pytest.fixture
def client(simulator: Running) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", simulator.simulator.smtp_port) as client:
        client.login("apikey", API_KEY)
        yield client


def test_a_mail_is_taken_and_the_answer_names_it(
    simulator: Running, client: smtplib.SMTP, receiver: Receiver
) -> None:
    client.mail("bounces@example.com")
    client.rcpt("delivered@sim.example")
    code, text = client.data(_with_api(unique_args={"postroom_handover": "h1"}, category="news"))
    assert (code, text[:18]) == (250, b"Ok: queued as " + text[14:18])
    (taken,) = simulator.truth.copies.values()
    assert text.decode() == f"Ok: queued as {taken.copy.message_id}"
    assert taken.copy.handover == "h1"
    assert taken.copy.sender == "bounces@example.com"
    assert taken.copy.to == ("anna@example.org", "bert@example.org")
    assert taken.copy.cc == ("chris@example.org",)
    eventually(simulator.is_settled)
    for event in receiver.events("delivered@sim.example"):
        assert event["sg_message_id"].startswith(f"{taken.copy.message_id}.")
        assert event["smtp-id"] == "<m1@example.com>"
        assert event["postroom_handover"] == "h1"
        assert event["category"] == ["news"]


def test_the_x_smtpapi_header_is_removed_and_the_rest_left_alone(
    simulator: Running, client: smtplib.SMTP
) -> None:
    client.sendmail("a@example.com", ["delivered@sim.example"], _with_api(unique_args={"a": "b"}))
    (taken,) = simulator.truth.copies.values()
    assert taken.copy.digest == sha256(MAIL).hexdigest()


def test_lines_over_998_bytes_are_taken_unchanged(simulator: Running, client: smtplib.SMTP) -> None:
    long = MAIL + b"x" * 5000 + b"\r\n"
    client.sendmail("a@example.com", ["delivered@sim.example"], long)
    (taken,) = simulator.truth.copies.values()
    assert taken.copy.digest == sha256(long).hexdigest()


def test_each_recipient_of_a_transaction_is_a_copy(
    simulator: Running, client: smtplib.SMTP
) -> None:
    client.sendmail("a@example.com", ["delivered@sim.example", "full@sim.example"], MAIL)
    numbers = {taken.copy.recipient: taken.copy.number for taken in simulator.truth.copies.values()}
    assert numbers == {"delivered@sim.example": 0, "full@sim.example": 1}


def test_a_header_that_is_no_json_is_taken_and_dropped(
    client: smtplib.SMTP, receiver: Receiver, simulator: Running
) -> None:
    client.sendmail("a@example.com", ["delivered@sim.example"], b"X-SMTPAPI: {\r\n" + MAIL)
    eventually(simulator.is_settled)
    (event,) = receiver.events()
    assert (event["event"], event["reason"]) == ("dropped", "Invalid SMTPAPI header")


def test_recipients_in_the_header_are_refused(client: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPDataError, match="X-SMTPAPI"):
        client.sendmail("a@example.com", ["delivered@sim.example"], _with_api(to=["x@y.example"]))


def test_tracking_can_be_turned_off_in_the_header(simulator: Running, client: smtplib.SMTP) -> None:
    filters = {"opentrack": {"settings": {"enable": 0}}}
    client.sendmail("a@example.com", ["delivered@sim.example"], _with_api(filters=filters))
    (taken,) = simulator.truth.copies.values()
    assert (taken.copy.track_opens, taken.copy.track_clicks) == (False, True)


@pytest.mark.parametrize("mechanism", ["plain", "login"])
def test_both_mechanisms_log_in(simulator: Running, mechanism: str) -> None:
    with smtplib.SMTP("127.0.0.1", simulator.simulator.smtp_port) as client:
        client.ehlo()
        client.user, client.password = "apikey", API_KEY
        authenticate = getattr(client, f"auth_{mechanism}")
        assert client.auth(mechanism.upper(), authenticate)[0] == 235


def test_a_wrong_key_is_refused(simulator: Running) -> None:
    with smtplib.SMTP("127.0.0.1", simulator.simulator.smtp_port) as client:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("apikey", "wrong")
        with pytest.raises(smtplib.SMTPSenderRefused):
            client.sendmail("a@example.com", ["delivered@sim.example"], MAIL)


@pytest.mark.parametrize("address", ["refuse@sim.example", "no-domain"])
def test_a_refused_recipient_is_named(client: smtplib.SMTP, address: str) -> None:
    client.mail("a@example.com")
    code, text = client.rcpt(address)
    assert code == 550
    assert address.encode() in text


@pytest.mark.parametrize(
    ("mischief", "code", "taken"),
    [
        ({"too_many": 1}, 451, 0),
        ({"refuse": 1}, 550, 0),
        ({"error_before": 1}, 451, 0),
        ({"error_after": 1}, 451, 1),
    ],
)
def test_mischief_reaches_smtp(
    start: Start, mischief: dict[str, object], code: int, taken: int
) -> None:
    running = start(mischief)
    with smtplib.SMTP("127.0.0.1", running.simulator.smtp_port) as client:
        client.login("apikey", API_KEY)
        client.mail("a@example.com")
        client.rcpt("delivered@sim.example")
        assert client.data(MAIL)[0] == code
    assert len(running.truth.copies) == taken


@pytest.mark.parametrize(
    ("name", "taken"), [("drop_before", 0), ("drop_after", 1), ("half_answer", 1)]
)
def test_a_cut_connection_gives_no_answer(start: Start, name: str, taken: int) -> None:
    running = start({name: 1})
    client = smtplib.SMTP("127.0.0.1", running.simulator.smtp_port)
    client.login("apikey", API_KEY)
    with pytest.raises((smtplib.SMTPServerDisconnected, smtplib.SMTPDataError)):
        client.sendmail("a@example.com", ["delivered@sim.example"], MAIL)
    client.close()
    assert len(running.truth.copies) == taken


def test_only_a_header_counts_and_never_a_line_of_the_body() -> None:
    data = b"Subject: x\r\n\r\nX-SMTPAPI: {}\r\n"
    assert split_api_header(data) == ({}, data)


def test_the_first_header_counts_and_all_are_removed() -> None:
    data = (
        b'X-SMTPAPI: {"category": "a"}\r\nx-smtpapi: {"category": "b"}\r\nSubject: x\r\n\r\nx\r\n'
    )
    assert split_api_header(data) == ({"category": "a"}, b"Subject: x\r\n\r\nx\r\n")
