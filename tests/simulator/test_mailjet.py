"""The Mailjet face: what it takes, what it refuses, and what its Event API says."""

import json
import smtplib
from base64 import b64encode
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.simulator.faces import new_face_config
from postroom.simulator.faces.mailjet.checks import flaws
from postroom.simulator.truth import digest_of_content, digest_of_mail, digest_of_rest
from tests.helpers import eventually
from tests.simulator.conftest import Start
from tests.simulator.rig import Answer, Receiver, Running, call

KEYS = {"api_key": "public", "api_secret": "private"}


@pytest.fixture
def running(start: Start, receiver: Receiver) -> Running:
    receiver.status = 200
    entry = new_face_config("mailjet", receiver.url, **KEYS)
    return start(faces={"mailjet": {**entry, "verified_domains": ["example.com"]}})


def _send(running: Running, body: object, keys: str = "public:private") -> Answer:
    headers = {"Authorization": f"Basic {b64encode(keys.encode()).decode()}"}
    return call(f"{running.url}/v3.1/send", body, headers)


def _message(**more: Any) -> dict[str, Any]:
    return {
        "From": {"Email": "desk@example.com", "Name": "Desk"},
        "To": [{"Email": "delivered@sim.example", "Name": "Kim"}],
        "Subject": "Prices",
        "TextPart": "New prices.",
        **more,
    }


def _messages(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Messages": list(messages), **more}


def test_a_message_is_answered_with_the_ids_of_its_recipients(running: Running) -> None:
    answer = _send(running, _messages(_message(CustomID="h-1", HTMLPart="<p>x</p>")))
    assert answer.status == 200
    (message,) = answer.json["Messages"]
    assert message.keys() == {"Status", "CustomID", "To", "Cc", "Bcc"}
    assert (message["Status"], message["CustomID"]) == ("success", "h-1")
    (to,) = message["To"]
    assert to.keys() == {"Email", "MessageUUID", "MessageID", "MessageHref"}
    (taken,) = running.truth.copies.values()
    assert taken.copy.message_id == str(to["MessageID"])
    contents = [("text/plain", "New prices."), ("text/html", "<p>x</p>")]
    assert taken.copy.digest == digest_of_content("Prices", contents)


def test_globals_stand_in_every_message_and_a_message_of_its_own_goes_before(
    running: Running,
) -> None:
    file = {"ContentType": "text/plain", "Filename": "a.txt", "Base64Content": "YQ=="}
    shared = _message(Attachments=[file]) | {"To": None}
    told = _messages({"To": [{"Email": "a@example.org"}], "Subject": "Mine"}, Globals=shared)
    assert _send(running, told).status == 200
    (taken,) = running.truth.copies.values()
    rest = digest_of_rest([file])
    expected = digest_of_content("Mine", [("text/plain", "New prices.")], rest)
    assert taken.copy.digest == expected


def test_good_messages_are_taken_although_others_are_refused(running: Running) -> None:
    bad = _message(To=[{"Email": "refuse@sim.example"}])
    answer = _send(running, _messages(_message(), bad))
    assert answer.status == 400
    good, refused = answer.json["Messages"]
    assert good["Status"] == "success"
    (error,) = refused["Errors"]
    assert (error["ErrorCode"], error["StatusCode"]) == ("mj-0013", 400)
    assert error["ErrorRelatedTo"] == ["To[0].Email"]
    assert len(running.truth.copies) == 1


@pytest.mark.parametrize(("count", "status"), [(50, 200), (51, 400), (0, 400)])
def test_a_call_has_one_to_fifty_messages(running: Running, count: int, status: int) -> None:
    answer = _send(running, _messages(*[_message()] * count))
    assert answer.status == status
    assert len(running.truth.copies) == (count if status == 200 else 0)


@pytest.mark.parametrize(
    ("changes", "code", "related"),
    [
        ({"To": []}, "mj-0003", "To"),
        ({"To": "x@example.com"}, "mj-0004", "To"),
        ({"TextPart": None}, "send-0003", "HTMLPart"),
        ({"From": {"Email": "desk@example.net"}}, "send-0008", "From"),
        ({"From": {"Email": "desk"}}, "mj-0013", "From.Email"),
        ({"Headers": {"X-MJ-CustomID": "x"}}, "send-0011", "Headers"),
        ({"Attachments": [{"Filename": "a"}]}, "mj-0003", "Attachments[0].ContentType"),
        ({"TrackOpens": "yes"}, "mj-0006", "TrackOpens"),
    ],
)
def test_what_is_wrong_is_named(
    running: Running, changes: dict[str, Any], code: str, related: str
) -> None:
    (message,) = _send(running, _messages(_message(**changes))).json["Messages"]
    error = message["Errors"][0]
    assert (error["ErrorCode"], error["ErrorRelatedTo"]) == (code, [related])
    assert running.truth.copies == {}


@pytest.mark.parametrize("body", [b"[", b"[]", b"{}", b'{"Messages": 7}', b"[" * 100_000])
def test_what_is_no_call_is_refused_as_a_whole(running: Running, body: bytes) -> None:
    answer = _send(running, body)
    assert answer.status == 400
    assert answer.json.keys() >= {"ErrorIdentifier", "ErrorCode", "StatusCode", "ErrorMessage"}


@pytest.mark.parametrize("keys", ["public:other", "other:private", ""])
def test_wrong_keys_are_refused(running: Running, keys: str) -> None:
    assert _send(running, _messages(_message()), keys).status == 401


def test_a_sandboxed_call_is_checked_and_not_sent(running: Running) -> None:
    assert _send(running, _messages(_message(), SandboxMode=True)).status == 200
    assert running.truth.copies == {}


def test_events_are_told_in_the_vendor_s_words(running: Running, receiver: Receiver) -> None:
    recipients = ["click", "bounce", "suppressed", "complain", "unsubscribe"]
    to = [{"Email": f"{each}@sim.example"} for each in recipients]
    _send(running, _messages(*(_message(To=[each], CustomID="h-1") for each in to)))
    eventually(running.is_settled)
    told = [event for post in receiver.posts for event in json.loads(post.body)]
    assert {event["event"] for event in told} == {
        "sent", "open", "click", "bounce", "blocked", "spam", "unsub",
    }  # fmt: skip
    common = {"event", "time", "MessageID", "Message_GUID", "email", "CustomID", "Payload"}
    assert all(event.keys() >= common for event in told)
    (bounce,) = [event for event in told if event["event"] == "bounce"]
    assert (bounce["error"], bounce["hard_bounce"]) == ("user unknown", True)
    (blocked,) = [event for event in told if event["event"] == "blocked"]
    assert (blocked["error_related_to"], blocked["error"]) == ("mailjet", "preblocked")


def test_without_groups_a_post_is_one_object(start: Start, receiver: Receiver) -> None:
    receiver.status = 200
    running = start(
        faces={"mailjet": new_face_config("mailjet", receiver.url, grouped=False, **KEYS)}
    )
    _send(running, _messages(_message()))
    eventually(lambda: receiver.posts)
    assert json.loads(receiver.posts[0].body)["event"] == "sent"


def test_a_mail_by_smtp_loses_the_vendor_s_headers_alone(running: Running) -> None:
    mail = b"From: desk@example.com\r\nTo: kim@example.org\r\nSubject: x\r\n\r\nPrices\r\n"
    own = b"X-MJ-CustomID: h-7\r\nX-Mailjet-TrackOpen: 0\r\n"
    with smtplib.SMTP("127.0.0.1", running.simulator.smtp_port) as smtp:
        smtp.login("public", "private")
        smtp.sendmail("desk@example.com", ["delivered@sim.example"], own + mail)
    (taken,) = running.truth.copies.values()
    assert (taken.copy.handover, taken.copy.digest) == ("h-7", digest_of_mail(mail))
    assert (taken.copy.track_opens, taken.copy.track_clicks) == (False, True)


@given(st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(["From", "To", "Email", "TextPart", "Attachments", "Headers"]), inner
    ),
    max_leaves=8,
))  # fmt: skip
def test_any_message_is_taken_or_its_flaws_named(message: Any) -> None:
    assert all(flaw.message for flaw in flaws(message, None, 1))
