"""The Postmark face: what it takes, what it refuses, and what its webhooks say."""

import json
import smtplib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.simulator.faces import new_face_config
from postroom.simulator.faces.postmark.checks import first_flaw
from postroom.simulator.truth import digest_of_content, digest_of_mail, digest_of_rest
from tests.helpers import eventually
from tests.simulator.conftest import Start
from tests.simulator.rig import Answer, Receiver, Running, call

TOKEN = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def running(start: Start, receiver: Receiver) -> Running:
    receiver.status = 200
    entry = new_face_config("postmark", receiver.url, server_token=TOKEN, server_id=77)
    return start(faces={"postmark": {**entry, "verified_domains": ["example.com"]}})


def _send(running: Running, body: object, path: str = "", token: str | None = TOKEN) -> Answer:
    headers = {} if token is None else {"X-Postmark-Server-Token": token}
    return call(f"{running.url}/email{path}", body, headers)


def _mail(**more: Any) -> dict[str, Any]:
    return {
        "From": "Desk <desk@example.com>",
        "To": "delivered@sim.example",
        "Subject": "Prices",
        "TextBody": "New prices.",
        **more,
    }


def _told(receiver: Receiver) -> list[dict[str, Any]]:
    """In the order in which it happened: posts overtake one another."""
    return sorted((json.loads(post.body) for post in list(receiver.posts)), key=_time)


def _time(event: dict[str, Any]) -> str:
    (time,) = [v for name, v in event.items() if name.endswith("At")]
    return str(time)


def test_a_mail_is_answered_with_its_id(running: Running) -> None:
    answer = _send(running, _mail(HtmlBody='<a href="https://example.com/p">x</a>', Tag="news"))
    assert answer.status == 200
    told = answer.json
    assert told.keys() == {"To", "SubmittedAt", "MessageID", "ErrorCode", "Message"}
    assert (told["To"], told["ErrorCode"], told["Message"]) == ("delivered@sim.example", 0, "OK")
    (taken,) = running.truth.copies.values()
    assert taken.copy.message_id == told["MessageID"]
    assert taken.copy.url == "https://example.com/p"
    assert taken.copy.tags == ("news",)


def test_each_recipient_is_a_copy_that_sees_to_and_cc(running: Running) -> None:
    attachment = {"Name": "a.txt", "Content": "aGk=", "ContentType": "text/plain"}
    _send(
        running,
        _mail(
            To='"Doe, Ann" <ann@example.org>, bert@example.org',
            Cc="boss@example.org",
            Bcc="archive@example.org",
            Attachments=[attachment],
        ),
    )
    copies = [taken.copy for taken in running.truth.copies.values()]
    assert [copy.recipient for copy in copies] == [
        "ann@example.org",
        "bert@example.org",
        "boss@example.org",
        "archive@example.org",
    ]
    for copy in copies:
        assert copy.to == ("ann@example.org", "bert@example.org")
        assert copy.cc == ("boss@example.org",)
        assert copy.digest == digest_of_content(
            "Prices", [("text/plain", "New prices.")], digest_of_rest([attachment])
        )


def test_a_batch_is_answered_mail_by_mail_in_its_order(running: Running) -> None:
    addresses = ["delivered@sim.example", "refuse@sim.example", "suppressed@sim.example"]
    answer = _send(running, [_mail(To=address) for address in addresses], "/batch")
    assert answer.status == 200
    assert [result["ErrorCode"] for result in answer.json] == [0, 300, 406]
    assert answer.json[1]["Message"] == "Invalid 'To' address: 'refuse@sim.example'."
    assert "Found inactive addresses: suppressed@sim.example." in answer.json[2]["Message"]
    assert len(running.truth.copies) == 1


def test_500_mails_are_a_batch_and_501_are_none(running: Running) -> None:
    mails = [_mail(To=f"delivered+{n}@sim.example") for n in range(501)]
    answer = _send(running, mails, "/batch")
    assert (answer.status, answer.json["ErrorCode"]) == (422, 410)
    answer = _send(running, mails[:500], "/batch")
    assert {result["ErrorCode"] for result in answer.json} == {0}
    assert len(running.truth.copies) == 500


def test_some_inactive_recipients_get_nothing_and_the_others_theirs(running: Running) -> None:
    answer = _send(running, _mail(Cc="suppressed@sim.example"))
    assert (answer.status, answer.json["ErrorCode"]) == (200, 0)
    assert answer.json["Message"] == (
        "Message OK, but will not deliver to these inactive addresses: suppressed@sim.example"
    )
    assert [t.copy.recipient for t in running.truth.copies.values()] == ["delivered@sim.example"]


def test_the_test_token_checks_a_mail_and_takes_nothing(running: Running) -> None:
    answer = _send(running, _mail(), token="POSTMARK_API_TEST")
    assert (answer.status, answer.json["Message"]) == (200, "Test job accepted")
    assert _send(running, _mail(To="x"), token="POSTMARK_API_TEST").status == 422
    assert running.truth.copies == {}


@pytest.mark.parametrize(("token", "words"), [(None, "No Account or Server"), ("x", "invalid")])
def test_without_the_token_nothing_is_taken(
    running: Running, token: str | None, words: str
) -> None:
    answer = _send(running, _mail(), token=token)
    assert (answer.status, answer.json["ErrorCode"]) == (401, 10)
    assert words in answer.json["Message"]


def test_the_server_tells_whether_the_token_is_good(running: Running) -> None:
    token = {"X-Postmark-Server-Token": TOKEN}
    assert call(f"{running.url}/server", headers=token).json["ID"] == 77
    assert call(f"{running.url}/server").status == 401


REFUSED: dict[str, tuple[object, int, str]] = {
    "no object": (1, 403, "incompatible JSON"),
    "to is a list": (_mail(To=["a@example.org"]), 403, "To has another type"),
    "no from": (_mail(From=""), 300, "Invalid 'From' address: ''."),
    "foreign from": (_mail(From="a@example.net"), 400, "not a Sender Signature"),
    "no to": (_mail(To=""), 300, "Zero recipients specified"),
    "bad cc": (_mail(Cc="nobody"), 300, "Invalid 'Cc' address: 'nobody'."),
    "51 recipients": (
        _mail(To=",".join(f"a{n}@example.org" for n in range(51))),
        300,
        "at most 50 recipients",
    ),
    "no body": (_mail(TextBody=""), 300, "TextBody or HtmlBody"),
    "long body": (_mail(TextBody="x" * (5 * 2**20 + 1)), 300, "length of TextBody"),
    "long tag": (_mail(Tag="x" * 1001), 300, "length of Tag"),
    "long metadata": (_mail(Metadata={"k" * 21: "v"}), 300, "Metadata field"),
    "much metadata": (_mail(Metadata={str(n): "v" for n in range(11)}), 300, "at most 10"),
    "metadata is a number": (_mail(Metadata={"k": 1}), 403, "metadata values"),
    "line end in a header": (_mail(Headers=[{"Name": "X", "Value": "a\r\nb"}]), 300, "line end"),
    "header without a name": (_mail(Headers=[{"Value": "a"}]), 403, "Name and Value"),
    "attachment without a name": (_mail(Attachments=[{"Content": "eA=="}]), 300, "has Name"),
    "attachment is no base64": (
        _mail(Attachments=[{"Name": "x", "Content": "%", "ContentType": "text/plain"}]),
        300,
        "not base64",
    ),
    "strange link tracking": (_mail(TrackLinks="All"), 300, "TrackLinks is"),
    "no such stream": (_mail(MessageStream="x"), 1235, "does not exist on this server"),
    "everybody inactive": (_mail(To="suppressed@sim.example"), 406, "marked as inactive"),
    "magic refusal": (_mail(To="refuse@sim.example"), 300, "'refuse@sim.example'"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_mail_is_refused_with_422_and_the_vendors_code(running: Running, name: str) -> None:
    body, code, words = REFUSED[name]
    answer = _send(running, body)
    assert (answer.status, answer.json["ErrorCode"]) == (422, code)
    assert words in answer.json["Message"]
    assert running.truth.copies == {}


def test_a_mail_over_10_megabytes_is_refused_with_413(running: Running) -> None:
    attachment = {"Name": "a", "Content": "eHh4" * 2_700_000, "ContentType": "text/plain"}
    assert _send(running, _mail(Attachments=[attachment])).status == 413
    assert _send(running, [_mail(Attachments=[attachment])], "/batch").status == 200


def test_other_content_and_no_json_are_refused(running: Running) -> None:
    token = {"X-Postmark-Server-Token": TOKEN, "Content-Type": "text/plain"}
    answer = call(f"{running.url}/email", b"{}", token)
    assert (answer.status, answer.json["ErrorCode"]) == (422, 409)
    assert _send(running, b"{").json["ErrorCode"] == 402
    assert _send(running, {}, "/batch").json["ErrorCode"] == 403


TOLD: list[tuple[str, list[str], dict[str, Any]]] = [
    ("delivered", ["Delivery"], {"Details": "250 2.0.0 Ok: queued as"}),
    (
        "bounce",
        ["HardBounce"],
        {"TypeCode": 1, "Inactive": True, "CanActivate": True, "Details": "550 5.1.1 <bounce@"},
    ),
    ("bounce+5.2.1", ["SoftBounce"], {"TypeCode": 4096, "Details": "550 5.2.1 "}),
    ("bounce+5.5.0", ["Unknown"], {"TypeCode": 2048}),
    ("full", ["SoftBounce"], {"Inactive": False, "Details": "552 5.2.2 "}),
    ("defer", ["Transient", "Transient", "Transient", "SoftBounce"], {"Details": "450 4.2.0 "}),
    ("late-bounce", ["Delivery", "HardBounce"], {"DumpAvailable": True}),
    ("block", ["Blocked"], {"TypeCode": 100006}),
    ("spam", ["SpamNotification"], {"TypeCode": 512}),
    ("complain", ["Delivery", "SpamComplaint"], {"TypeCode": 100001, "CanActivate": False}),
    ("open", ["Delivery", "Open"], {"FirstOpen": True, "Platform": "Unknown"}),
    ("click", ["Delivery", "Open", "Click"], {"OriginalLink": "https://sim.example/"}),
    (
        "unsubscribe",
        ["Delivery", "SubscriptionChange"],
        {"SuppressSending": True, "Origin": "Recipient"},
    ),
    ("ooto", ["Delivery", "AutoResponder"], {"TypeCode": 64, "Inactive": False}),
    ("silent", [], {}),
]


def test_webhooks_say_it_in_the_vendors_words(running: Running, receiver: Receiver) -> None:
    mails = [
        _mail(To=f"{name}@sim.example", Metadata={"postroom_handover": name}, Tag="news")
        for name, _, _ in TOLD
    ]
    _send(running, mails, "/batch")
    eventually(running.is_settled)
    told = _told(receiver)
    for name, kinds, words in TOLD:
        of_this = [each for each in told if each["Metadata"]["postroom_handover"] == name]
        assert [each.get("Type", each["RecordType"]) for each in of_this] == kinds
        for key, value in words.items():
            said = of_this[-1][key]
            assert said.startswith(value) if isinstance(value, str) else said == value
    ids = [each["ID"] for each in told if "ID" in each]
    assert len(ids) == len(set(ids))
    for each in told:
        assert (each["ServerID"], each["MessageStream"], each["Tag"]) == (77, "outbound", "news")
        assert each.get("Email") or each["Recipient"]


@pytest.mark.parametrize(("status", "repeats"), [(500, True), (204, True), (403, False)])
def test_anything_but_200_is_repeated_and_403_ends_it(
    running: Running, receiver: Receiver, status: int, repeats: bool
) -> None:
    receiver.status = status
    _send(running, _mail(To="bounce@sim.example"))
    eventually(lambda: len(receiver.posts) >= 1 + repeats)
    if repeats:
        receiver.status = 200
    eventually(running.is_settled)
    assert (len(receiver.posts) > 1) == repeats
    assert bool(running.truth.lost) != repeats


MAIL = (
    b"From: desk@example.com\r\n"
    b"To: Ann <ann@example.org>\r\n"
    b"Subject: Prices\r\n"
    b"\r\n"
    b"X-PM-Tag: not a header\r\n"
)


@pytest.fixture
def client(running: Running) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", running.simulator.smtp_port) as client:
        client.login(TOKEN, TOKEN)
        yield client


def test_headers_for_the_vendor_are_read_and_removed(
    running: Running, client: smtplib.SMTP, receiver: Receiver
) -> None:
    own = (
        b"X-PM-Metadata-postroom_handover: h1\r\n"
        b"x-pm-message-stream:\r\n broadcast\r\n"
        b"X-PM-Tag: news\r\n"
    )
    client.sendmail("desk@example.com", ["delivered@sim.example"], own + MAIL)
    (taken,) = running.truth.copies.values()
    assert taken.copy.digest == digest_of_mail(MAIL)
    assert taken.copy.handover == "h1"
    eventually(running.is_settled)
    (told,) = _told(receiver)
    assert (told["Tag"], told["MessageStream"]) == ("news", "broadcast")
    assert told["Metadata"] == {"postroom_handover": "h1"}


def test_by_smtp_an_inactive_recipient_is_told_of_later(
    running: Running, client: smtplib.SMTP, receiver: Receiver
) -> None:
    client.sendmail("desk@example.com", ["suppressed@sim.example"], MAIL)
    eventually(running.is_settled)
    (told,) = _told(receiver)
    assert (told["RecordType"], told["Type"]) == ("Bounce", "SMTPApiError")
    assert "marked as inactive" in told["Details"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


@given(
    name=st.sampled_from(["From", "To", "Cc", "TextBody", "Metadata", "Headers", "Attachments"]),
    value=JSON | st.lists(JSON),
)
def test_whatever_stands_in_a_mail_is_taken_or_refused_and_never_a_crash(
    name: str, value: Any
) -> None:
    flaw = first_flaw(_mail(**{name: value}), None, ("outbound",), 1)
    assert flaw is None or flaw.message
