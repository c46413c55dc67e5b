"""The Mailgun face: what it takes, what it refuses, and what its webhooks say."""

import json
import smtplib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from operator import itemgetter
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.simulator.faces import new_face_config
from postroom.simulator.faces.mailgun.form import Field, FormError, fields_of
from postroom.simulator.faces.mailgun.messages import Message, Template, flaws
from postroom.simulator.truth import digest_of_content, digest_of_mail, digest_of_rest
from tests.helpers import eventually
from tests.simulator.conftest import Start
from tests.simulator.rig import Answer, Receiver, Running, call

KEY = "key-0123456789"
PAIRS = Sequence[tuple[str, str]]


@pytest.fixture
def running(start: Start, receiver: Receiver) -> Running:
    receiver.status = 200
    entry = new_face_config(
        "mailgun", receiver.url, api_key=KEY, domains=["mg.example.com"], smtp_password="secret"
    )
    return start(faces={"mailgun": entry})


def _headers(kind: str, key: str = KEY) -> dict[str, str]:
    credentials = b64encode(f"api:{key}".encode()).decode()
    return {"Authorization": f"Basic {credentials}", "Content-Type": kind}


def _send(running: Running, *pairs: tuple[str, str], domain: str = "mg.example.com") -> Answer:
    body = urlencode(pairs).encode()
    headers = _headers("application/x-www-form-urlencoded")
    return call(f"{running.url}/v3/{domain}/messages", body, headers)


def _mail(*recipients: str, **more: str) -> list[tuple[str, str]]:
    fields = {"from": "Desk <desk@mg.example.com>", "subject": "Prices", "text": "New prices."}
    return [*(fields | more).items(), *(("to", each) for each in recipients)]


def _multipart(*parts: tuple[str, bytes]) -> tuple[bytes, str]:
    """A form of parts, each with the head behind `form-data; `."""
    body = b"".join(
        f"--xyz\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n"
        for head, value in parts
    )
    return body + b"--xyz--\r\n", "multipart/form-data; boundary=xyz"


def _told(receiver: Receiver) -> list[dict[str, Any]]:
    """In the order in which it happened: posts overtake one another."""
    told = [json.loads(post.body)["event-data"] for post in list(receiver.posts)]
    return sorted(told, key=itemgetter("timestamp"))


def test_a_message_is_answered_with_its_id(running: Running) -> None:
    answer = _send(running, *_mail("delivered@sim.example", html='<a href="https://a.example/">'))
    assert answer.status == 200
    assert answer.json["message"] == "Queued. Thank you."
    (taken,) = running.truth.copies.values()
    assert answer.json["id"] == f"<{taken.copy.message_id}>"
    assert taken.copy.message_id.endswith("@mg.example.com")
    assert taken.copy.url == "https://a.example/"


def test_without_recipient_variables_all_see_each_other(running: Running) -> None:
    _send(running, *_mail("Ann <ann@example.org>, bert@example.org", cc="boss@example.org"))
    copies = [taken.copy for taken in running.truth.copies.values()]
    assert [copy.recipient for copy in copies] == [
        "ann@example.org",
        "bert@example.org",
        "boss@example.org",
    ]
    assert {copy.to for copy in copies} == {("ann@example.org", "bert@example.org")}
    assert {copy.cc for copy in copies} == {("boss@example.org",)}


def test_with_recipient_variables_each_gets_their_own_text_and_sees_nobody(
    running: Running,
) -> None:
    people = {"ann@example.org": {"n": "Ann", "id": 1}, "bert@example.org": {"n": "Bert", "id": 2}}
    variables = ("recipient-variables", json.dumps(people))
    extra = (("v:postroom_handover", "h%recipient.id%"), ("v:who", "%recipient%"), variables)
    texts = {"subject": "For %recipient.n%", "text": "Dear %recipient.n% %recipient.other%"}
    _send(running, *_mail(*people, **texts), *extra)
    told = {taken.copy.recipient: taken.copy for taken in running.truth.copies.values()}
    assert set(told) == set(people)
    for address, values in people.items():
        copy, name = told[address], values["n"]
        assert copy.to == (address,)
        assert copy.handover == f"h{values['id']}"
        assert copy.metadata["who"] == address
        assert copy.digest == digest_of_content(
            f"For {name}", [("text/plain", f"Dear {name} %recipient.other%")]
        )


def test_a_form_with_files_is_read_byte_for_byte(running: Running) -> None:
    data = bytes(range(256)) + b"\r\n--xy\r\n"
    body, kind = _multipart(
        ('name="from"', b"desk@mg.example.com"),
        ('name="to"', b"delivered@sim.example"),
        ('name="subject"', "Grüße".encode()),
        ('name="text"', b"x"),
        ('name="attachment"; filename="a.bin"\r\nContent-Type: application/x-thing', data),
        ('name="inline"; filename="grün.png"\r\nContent-Type: image/png', b"png"),
    )
    assert call(f"{running.url}/v3/mg.example.com/messages", body, _headers(kind)).status == 200
    files = [
        {
            "name": "a.bin",
            "type": "application/x-thing",
            "disposition": "attachment",
            "content": b64encode(data).decode(),
        },
        {
            "name": "grün.png",
            "type": "image/png",
            "disposition": "inline",
            "content": b64encode(b"png").decode(),
        },
    ]
    (taken,) = running.truth.copies.values()
    assert taken.copy.digest == digest_of_content(
        "Grüße", [("text/plain", "x")], digest_of_rest(files)
    )


MIME = (
    b"From: desk@mg.example.com\r\n"
    b"To: %recipient%\r\n"
    b"Message-ID: <m1@example.com>\r\n"
    b"Subject: Prices\r\n"
    b"\r\n"
    b"Dear %recipient.n%\r\n"
)


def test_a_mime_message_goes_out_as_it_is_to_those_of_the_form(
    running: Running, receiver: Receiver
) -> None:
    variables = {"delivered@sim.example": {"n": "Jürgen"}, "full@sim.example": {"n": "Bo"}}
    body, kind = _multipart(
        ('name="to"', b"delivered@sim.example, full@sim.example"),
        ('name="recipient-variables"', json.dumps(variables).encode()),
        ('name="v:postroom_handover"', b"h-%recipient.n%"),
        ('name="message"; filename="m.eml"\r\nContent-Type: message/rfc822', MIME),
    )
    url = f"{running.url}/v3/mg.example.com/messages.mime"
    assert call(url, body, _headers(kind)).status == 200
    copy = next(iter(running.truth.copies.values())).copy
    mail = MIME.replace(b"%recipient%", b"delivered@sim.example")
    assert copy.digest == digest_of_mail(mail.replace(b"%recipient.n%", "Jürgen".encode()))
    assert copy.to == ("delivered@sim.example",)
    assert copy.handover == "h-Jürgen"
    eventually(running.is_settled)
    ids = {event["message"]["headers"]["message-id"] for event in _told(receiver)}
    assert ids == {"m1@example.com"}


def test_in_test_mode_nothing_is_taken(running: Running) -> None:
    answer = _send(running, *_mail("delivered@sim.example"), ("o:testmode", "yes"))
    assert answer.json["message"] == "Queued. Thank you."
    assert running.truth.copies == {}


@pytest.mark.parametrize("header", ["", "Basic", "Basic !", "Bearer x", "basic-wrong", "user"])
def test_without_the_key_nothing_is_taken(running: Running, header: str) -> None:
    other = {"basic-wrong": f"api:{KEY}x", "user": f"me:{KEY}"}
    if header in other:
        header = f"Basic {b64encode(other[header].encode()).decode()}"
    headers = {"Authorization": header, "Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(_mail("delivered@sim.example")).encode()
    answer = call(f"{running.url}/v3/mg.example.com/messages", body, headers)
    assert (answer.status, answer.body) == (401, b"Forbidden")


def test_the_domain_of_the_path_must_be_the_accounts(running: Running) -> None:
    answer = _send(running, *_mail("delivered@sim.example"), domain="other.example")
    assert (answer.status, answer.json["message"]) == (404, "Domain not found: other.example")
    url = f"{running.url}/v4/domains/mg.example.com"
    assert call(url, headers=_headers("")).json["domain"]["state"] == "active"


BAD_ADDRESS = "parameter is not a valid address. please check documentation"
REFUSED: dict[str, tuple[PAIRS, str]] = {
    "no from": (_mail("a@example.org", **{"from": ""}), "'from' parameter is missing"),
    "bad from": (_mail("a@example.org", **{"from": "x"}), f"'from' {BAD_ADDRESS}"),
    "no to": (_mail(), "'to' parameter is missing"),
    "bad to": (_mail("a@example.org", "nobody"), f"'to' {BAD_ADDRESS}"),
    "bad bcc": (_mail("a@example.org", bcc="nobody"), f"'bcc' {BAD_ADDRESS}"),
    "no text": (_mail("a@example.org", text=""), "Need at least one of 'text'"),
    "1,001 recipients": (
        _mail(*(f"a{n}@example.org" for n in range(1001))),
        "more than 1000 recipients",
    ),
    "bad variables": (
        [*_mail("a@example.org"), ("recipient-variables", "{")],
        "'recipient-variables' parameter is not a valid JSON dictionary",
    ),
    "flat variables": (
        [*_mail("a@example.org"), ("recipient-variables", '{"a@example.org": 1}')],
        "not a valid JSON dictionary",
    ),
    "long variables": ([*_mail("a@example.org"), ("v:x", "x" * 17_000)], "limited to 16KB"),
    "bad time": ([*_mail("a@example.org"), ("o:deliverytime", "soon")], "not a valid date"),
    "template": ([*_mail("a@example.org"), ("template", "x")], "name of a template"),
    "magic refusal": (_mail("a@example.org", "refuse@sim.example"), f"'to' {BAD_ADDRESS}"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_message_is_refused_as_a_whole_with_400(running: Running, name: str) -> None:
    pairs, words = REFUSED[name]
    answer = _send(running, *pairs)
    assert answer.status == 400
    assert words in answer.json["message"]
    assert running.truth.copies == {}


def test_a_thousand_recipients_are_taken_in_one_call(running: Running) -> None:
    people = [f"delivered+{n}@sim.example" for n in range(1000)]
    variables = ("recipient-variables", json.dumps({each: {"n": each} for each in people}))
    assert _send(running, *_mail(*people), variables).status == 200
    assert len(running.truth.copies) == 1000


def test_more_than_25_megabytes_are_refused_with_413(running: Running) -> None:
    assert _send(running, *_mail("a@example.org", text="x" * 26_500_000)).status == 413


def test_a_message_can_be_scheduled(running: Running) -> None:
    _send(
        running,
        *_mail("delivered@sim.example"),
        ("o:deliverytime", "Fri, 14 Oct 2033 23:10:10 -0000"),
    )
    (taken,) = running.truth.copies.values()
    assert taken.copy.starts_at == 2_012_944_210


TOLD: list[tuple[str, list[str], dict[str, Any], dict[str, Any]]] = [
    ("delivered", ["accepted", "delivered"], {}, {"code": 250, "attempt-no": 1}),
    (
        "bounce",
        ["accepted", "failed"],
        {"severity": "permanent", "reason": "bounce"},
        {"code": 550, "enhanced-code": "5.1.1"},
    ),
    (
        "full",
        ["accepted", "failed"],
        {"severity": "permanent"},
        {"code": 552, "enhanced-code": "5.2.2"},
    ),
    (
        "defer",
        ["accepted", "failed", "failed", "failed", "failed"],
        {"severity": "permanent", "reason": "old"},
        {"code": 602, "enhanced-code": "4.2.0"},
    ),
    (
        "defer-then-deliver",
        ["accepted", "failed", "failed", "delivered"],
        {},
        {"code": 250, "attempt-no": 3},
    ),
    ("late-bounce", ["accepted", "delivered", "failed"], {"reason": "bounce"}, {}),
    ("block", ["accepted", "failed"], {"reason": "espblock"}, {"code": 554}),
    ("suppressed", ["failed"], {"reason": "suppress-bounce"}, {"code": 605, "message": ""}),
    ("complain", ["accepted", "delivered", "complained"], {}, {}),
    ("open", ["accepted", "delivered", "opened"], {}, {}),
    (
        "click",
        ["accepted", "delivered", "opened", "clicked"],
        {"url": "https://sim.example/"},
        {},
    ),
    ("unsubscribe", ["accepted", "delivered", "unsubscribed"], {}, {}),
    ("ooto", ["accepted", "delivered"], {}, {}),
    ("silent", [], {}, {}),
]


def test_webhooks_say_it_in_the_vendors_words(running: Running, receiver: Receiver) -> None:
    people = [f"{row[0]}@sim.example" for row in TOLD]
    variables = ("recipient-variables", json.dumps({each: {"n": each} for each in people}))
    fields = [("v:who", "%recipient.n%"), ("o:tag", "news"), ("o:tag", "all")]
    _send(running, *_mail(*people), variables, *fields)
    eventually(running.is_settled)
    told = _told(receiver)
    for name, names, words, status in TOLD:
        of_this = [event for event in told if event["recipient"] == f"{name}@sim.example"]
        assert [event["event"] for event in of_this] == names
        for key, value in words.items():
            assert of_this[-1][key] == value
        for key, value in status.items():
            assert of_this[-1]["delivery-status"][key] == value
    for event in told:
        assert event["user-variables"] == {"who": event["recipient"]}
        assert event["tags"] == ["news", "all"]
        assert event["message"]["headers"]["message-id"].endswith("@mg.example.com")
    assert len({event["id"] for event in told}) == len(told)


def test_deferrals_are_temporary_and_a_late_bounce_says_that_it_is_late(
    running: Running, receiver: Receiver
) -> None:
    _send(running, *_mail("defer-then-deliver@sim.example", "late-bounce@sim.example"))
    eventually(running.is_settled)
    failed = [event for event in _told(receiver) if event["event"] == "failed"]
    assert [event["severity"] for event in failed].count("temporary") == 2
    (late,) = [event for event in failed if event["severity"] == "permanent"]
    assert late["flags"]["is-delayed-bounce"] is True


@pytest.mark.parametrize(("status", "repeats"), [(500, True), (204, True), (406, False)])
def test_anything_but_200_is_repeated_and_406_ends_it(
    running: Running, receiver: Receiver, status: int, repeats: bool
) -> None:
    receiver.status = status
    _send(running, *_mail("suppressed@sim.example"))
    eventually(lambda: len(receiver.posts) >= 1 + repeats)
    if repeats:
        receiver.status = 200
    eventually(running.is_settled)
    assert (len(receiver.posts) > 1) == repeats
    assert bool(running.truth.lost) != repeats


MAIL = b"From: desk@mg.example.com\r\nTo: Ann <ann@example.org>\r\nSubject: Prices\r\n\r\nHello\r\n"


@pytest.fixture
def client(running: Running) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", running.simulator.smtp_port) as client:
        client.login("postmaster@mg.sim.example", "secret")
        yield client


def test_headers_for_the_vendor_are_read_and_removed(
    running: Running, client: smtplib.SMTP
) -> None:
    own = (
        b'X-Mailgun-Variables: {"postroom_handover": "h1",\r\n "n": 1}\r\n'
        b'X-Mailgun-Variables: {"more": "yes"}\r\n'
        b"X-Mailgun-Variables: nonsense\r\n"
        b"X-Mailgun-Tag: news\r\n"
        b"X-Mailgun-Track-Opens: no\r\n"
    )
    client.sendmail("desk@mg.example.com", ["delivered@sim.example"], own + MAIL)
    (taken,) = running.truth.copies.values()
    assert taken.copy.digest == digest_of_mail(MAIL)
    assert taken.copy.handover == "h1"
    assert taken.copy.metadata == {"postroom_handover": "h1", "n": "1", "more": "yes"}
    assert taken.copy.tags == ("news",)
    assert (taken.copy.track_opens, taken.copy.track_clicks) == (False, True)


def test_recipient_variables_by_smtp_are_refused(client: smtplib.SMTP) -> None:
    with pytest.raises(smtplib.SMTPDataError, match="recipient variables"):
        client.sendmail(
            "a@mg.example.com", ["b@sim.example"], b"X-Mailgun-Recipient-Variables: {}\r\n" + MAIL
        )


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b"{}"),
        ("multipart/form-data", b""),
        ("multipart/form-data; boundary=xyz", b"--xyz\r\n"),
        ("multipart/form-data; boundary=xyz", b"--xyz\r\n\r\nx\r\n--xyz--\r\n"),
    ],
)
def test_a_body_that_is_no_form_is_refused_with_400(
    running: Running, kind: str, body: bytes
) -> None:
    answer = call(f"{running.url}/v3/mg.example.com/messages", body, _headers(kind))
    assert answer.status == 400


@given(st.binary(max_size=200), st.sampled_from(["multipart/form-data; boundary=x", "a", ""]))
def test_any_body_is_a_form_or_an_error(body: bytes, kind: str) -> None:
    for data in (body, b"--x\r\n" + body + b"\r\n--x--"):
        try:
            fields = fields_of(kind, data)
        except FormError:
            continue
        assert all(isinstance(field, Field) for field in fields)


@given(st.dictionaries(st.sampled_from(["from", "to", "text", "recipient-variables"]), st.text()))
def test_whatever_stands_in_a_field_is_taken_or_refused_and_never_a_crash(
    values: dict[str, str],
) -> None:
    message = Message(
        [Field(name, value.encode(errors="replace")) for name, value in values.items()]
    )
    assert all(isinstance(flaw, str) for flaw in flaws(message, 1, is_mime=False))


@given(st.text())
def test_without_variables_a_text_stays(text: str) -> None:
    assert Template(text).fill("a@example.org", {}) in (
        text,
        text.replace("%recipient%", "a@example.org"),
    )
