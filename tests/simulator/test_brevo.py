"""The Brevo face: what it takes, what it refuses, and what its webhooks say."""

import json
import smtplib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.simulator.faces import new_face_config
from postroom.simulator.faces.brevo.checks import filled, flaws
from postroom.simulator.truth import digest_of_content, digest_of_mail
from tests.helpers import eventually
from tests.simulator.conftest import Start
from tests.simulator.rig import Answer, Receiver, Running, call

KEY = "xkeysib-1"
SMTP = {"smtp_user": "me@smtp.example", "smtp_password": "pw"}


@pytest.fixture
def running(start: Start, receiver: Receiver) -> Running:
    receiver.status = 200
    entry = new_face_config("brevo", receiver.url, api_key=KEY, **SMTP)
    return start(faces={"brevo": {**entry, "verified_domains": ["example.com"]}})


def _send(running: Running, body: object, key: str = KEY) -> Answer:
    return call(f"{running.url}/v3/smtp/email", body, {"api-key": key})


def _mail(**more: Any) -> dict[str, Any]:
    return {
        "sender": {"email": "desk@example.com", "name": "Desk"},
        "to": [{"email": "delivered@sim.example", "name": "Kim"}],
        "subject": "Prices",
        "textContent": "New prices.",
        **more,
    }


def _versions(*recipients: str, **more: Any) -> list[dict[str, Any]]:
    return [{"to": [{"email": each}], **more} for each in recipients]


def test_a_mail_is_answered_with_its_id(running: Running) -> None:
    answer = _send(running, _mail())
    assert (answer.status, list(answer.json)) == (201, ["messageId"])
    (taken,) = running.truth.copies.values()
    assert taken.copy.message_id == answer.json["messageId"]
    assert taken.copy.digest == digest_of_content("Prices", [("text/plain", "New prices.")])


def test_a_version_has_texts_headers_and_an_id_of_its_own(running: Running) -> None:
    versions = [
        *_versions("a@example.org", subject="Mine", textContent="For a"),
        *_versions("b@example.org", headers={"X-Mailin-custom": "postroom_handover:h-b"}),
    ]
    headers = {"X-Mailin-custom": "postroom_handover:h-all"}
    answer = _send(running, _mail(messageVersions=versions, headers=headers))
    assert len(set(answer.json["messageIds"])) == 2
    first, second = (taken.copy for taken in running.truth.copies.values())
    assert (first.handover, first.to) == ("h-all", ("a@example.org",))
    assert first.digest == digest_of_content("Mine", [("text/plain", "For a")])
    assert (second.handover, second.to) == ("h-b", ("b@example.org",))


@pytest.mark.parametrize(("count", "status"), [(1000, 201), (1001, 400), (0, 400)])
def test_a_call_has_one_to_a_thousand_versions(running: Running, count: int, status: int) -> None:
    versions = _versions(*(f"p{n}@example.org" for n in range(count)))
    assert _send(running, _mail(messageVersions=versions)).status == status
    assert len(running.truth.copies) == (count if status == 201 else 0)


def test_a_key_counts_once_and_its_repeat_takes_nothing(running: Running) -> None:
    mail = _mail(headers={"idempotencyKey": "b52dbf00-81dd-4a08-b807-085c00000000"})
    assert _send(running, mail).status == 201
    answer = _send(running, mail)
    assert (answer.status, answer.json["code"]) == (400, "duplicate_parameter")
    assert len(running.truth.copies) == 1


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"sender": None}, "missing_parameter", "sender"),
        ({"sender": {"email": "x"}}, "invalid_parameter", "sender"),
        ({"sender": {"email": "x@example.net"}}, "invalid_parameter", "sender"),
        ({"to": []}, "missing_parameter", "to"),
        (
            {"to": [{"email": "refuse@sim.example"}]},
            "invalid_parameter",
            "email is not valid in to",
        ),
        (
            {"messageVersions": _versions("a@example.org", "refuse@sim.example")},
            "invalid_parameter",
            "messageVersions[1].to",
        ),
        ({"subject": ""}, "missing_parameter", "subject"),
        ({"textContent": None}, "missing_parameter", "htmlContent"),
        ({"attachment": [{"name": "a"}]}, "missing_parameter", "extension"),
        ({"attachment": [{"name": "a.txt", "content": "%"}]}, "invalid_parameter", "base64"),
        ({"headers": {"X": 7}}, "invalid_parameter", "headers"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_taken(
    running: Running, changes: dict[str, Any], code: str, words: str
) -> None:
    answer = _send(running, _mail(**changes))
    assert (answer.status, answer.json["code"]) == (400, code)
    assert words in answer.json["message"]
    assert running.truth.copies == {}


def test_a_wrong_key_is_refused(running: Running) -> None:
    answer = _send(running, _mail(), "other")
    assert (answer.status, answer.json["code"]) == (401, "unauthorized")


@pytest.mark.parametrize("body", [b"[", b"[]", b"7", b"[" * 100_000])
def test_what_is_no_call_is_refused(running: Running, body: bytes) -> None:
    assert _send(running, body).status == 400


def test_a_sandboxed_mail_is_checked_and_not_sent(running: Running) -> None:
    assert _send(running, _mail(headers={"X-Sib-Sandbox": "drop"})).status == 201
    assert running.truth.copies == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Dear {{params.name}}", "Dear Kim"),
        ("Dear {{ params.name }}, {{ contact.X }}{% if y %}!", "Dear Kim, !"),
        ("body { color: red }", "body { color: red }"),
    ],
)
def test_its_template_language_is_looked_for_in_every_text(text: str, expected: str) -> None:
    assert filled(text, {"name": "Kim"}) == expected


def test_events_are_told_in_the_vendor_s_words(running: Running, receiver: Receiver) -> None:
    recipients = ["click", "bounce", "full", "suppressed", "complain", "unsubscribe", "defer"]
    versions = _versions(*(f"{each}@sim.example" for each in recipients))
    headers = {"X-Mailin-custom": "postroom_handover:h-1"}
    _send(running, _mail(messageVersions=versions, headers=headers))
    eventually(running.is_settled)
    told = [json.loads(post.body) for post in receiver.posts]
    assert {event["event"] for event in told} == {
        "request", "delivered", "unique_opened", "click", "hard_bounce", "soft_bounce", "blocked",
        "spam", "unsubscribed", "deferred",
    }  # fmt: skip
    assert {event["X-Mailin-custom"] for event in told} == {"postroom_handover:h-1"}
    assert {event["message-id"] for event in told} == {
        taken.copy.message_id for taken in running.truth.copies.values()
    }


def test_a_batch_is_an_array_under_the_token(start: Start, receiver: Receiver) -> None:
    receiver.status = 200
    entry = new_face_config("brevo", receiver.url, api_key=KEY, batched=True, webhook_token="t0")
    running = start(faces={"brevo": entry})
    _send(running, _mail())
    eventually(lambda: receiver.posts)
    post = receiver.posts[0]
    assert json.loads(post.body)[0]["event"] == "request"
    assert post.headers["Authorization"] == "Bearer t0"


def test_an_answer_of_trouble_loses_the_event_unless_it_is_429(
    running: Running, receiver: Receiver
) -> None:
    receiver.status = 503
    _send(running, _mail())
    eventually(running.is_settled)
    told = len(receiver.posts)
    receiver.status = 200
    assert told == 2


def test_a_mail_by_smtp_keeps_the_header_that_carries_the_id(running: Running) -> None:
    mail = (
        b"X-Mailin-custom: postroom_handover:h-7\r\nFrom: desk@example.com\r\n"
        b"To: kim@example.org\r\nSubject: x\r\n\r\nPrices\r\n"
    )
    with smtplib.SMTP("127.0.0.1", running.simulator.smtp_port) as smtp:
        smtp.login(SMTP["smtp_user"], SMTP["smtp_password"])
        smtp.sendmail("desk@example.com", ["delivered@sim.example"], mail)
    (taken,) = running.truth.copies.values()
    assert (taken.copy.handover, taken.copy.digest) == ("h-7", digest_of_mail(mail))


@given(st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(["sender", "to", "email", "textContent", "attachment", "messageVersions"]),
        inner,
    ),
    max_leaves=8,
))  # fmt: skip
def test_any_call_is_taken_or_its_flaws_named(call: Any) -> None:
    assert all(flaw.message for flaw in flaws(call, None, 1))
