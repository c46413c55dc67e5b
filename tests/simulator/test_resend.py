"""The Resend face: what it takes, what it refuses, and what its webhooks say."""

import http.client
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.simulator.face import SettingsError
from postroom.simulator.faces import new_face_config, open_faces
from postroom.simulator.faces.resend.checks import batch_flaws
from postroom.simulator.faces.resend.memory import Keys
from postroom.simulator.faces.resend.signing import Signer
from postroom.simulator.truth import digest_of_content
from tests.helpers import eventually
from tests.simulator.conftest import Start
from tests.simulator.rig import Answer, Receiver, Running, call

KEY = "re_123456789"
AUTH = {"Authorization": f"Bearer {KEY}"}
FORM = "field. The email address needs to follow the `email@example.com` or"


@pytest.fixture
def running(start: Start, receiver: Receiver) -> Running:
    receiver.status = 200
    entry = new_face_config("resend", receiver.url, api_key=KEY)
    return start(faces={"resend": {**entry, "verified_domains": ["example.com"]}})


def _send(running: Running, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    return call(f"{running.url}/emails", body, {**AUTH, **(headers or {})})


def _batch(running: Running, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    return call(f"{running.url}/emails/batch", body, {**AUTH, **(headers or {})})


def _mail(*to: str, **more: Any) -> dict[str, Any]:
    return {
        "from": "Acme <onboarding@example.com>",
        "to": list(to) or ["delivered@sim.example"],
        "subject": "hello world",
        "text": "it works!",
        **more,
    }


PERMISSIVE = {"x-batch-validation": "permissive"}


def test_a_mail_is_answered_with_its_id(running: Running) -> None:
    answer = _send(running, _mail(html="<p>it works!</p>"))
    assert (answer.status, list(answer.json)) == (200, ["id"])
    (taken,) = running.truth.copies.values()
    assert taken.copy.message_id == answer.json["id"]
    texts = [("text/plain", "it works!"), ("text/html", "<p>it works!</p>")]
    assert taken.copy.digest == digest_of_content("hello world", texts)


def test_every_answer_tells_the_rate_limit(running: Running) -> None:
    running.make_mischief(throttle_per_s=1)
    answers = [_send(running, _mail()) for _ in range(3)]
    assert {answer.headers["ratelimit-limit"] for answer in answers} == {"1"}
    (late, *_) = [answer for answer in answers if answer.status == 429]
    assert late.json["name"] == "rate_limit_exceeded"
    assert late.headers["retry-after"] == late.headers["ratelimit-reset"] == "1"
    assert late.headers["ratelimit-remaining"] == "0"


def test_recipients_of_all_kinds_get_a_copy_and_a_name_is_no_address(running: Running) -> None:
    _send(running, _mail("Jo <jo@example.org>", cc="c@example.org", bcc=["b@example.org"]))
    copies = [taken.copy for taken in running.truth.copies.values()]
    assert [copy.recipient for copy in copies] == [
        "jo@example.org", "c@example.org", "b@example.org",
    ]  # fmt: skip
    assert {(copy.to, copy.cc) for copy in copies} == {(("jo@example.org",), ("c@example.org",))}


@pytest.mark.parametrize(("count", "status"), [(100, 200), (101, 422), (0, 422)])
def test_a_batch_has_one_to_a_hundred_mails(running: Running, count: int, status: int) -> None:
    answer = _batch(running, [_mail(f"p{n}@example.org") for n in range(count)])
    assert answer.status == status
    assert len(running.truth.copies) == (count if status == 200 else 0)


def test_a_strict_batch_is_taken_whole_or_not_at_all(running: Running) -> None:
    mails = [_mail("a@example.org"), _mail("refuse@sim.example")]
    answer = _batch(running, mails)
    assert (answer.status, answer.json["statusCode"]) == (422, 422)
    assert running.truth.copies == {}
    assert list(_batch(running, mails[:1]).json) == ["data"]


def test_of_a_permissive_batch_the_good_ones_are_taken_and_the_others_named(
    running: Running,
) -> None:
    mails = [_mail("a@example.org"), _mail("refuse@sim.example"), _mail("b@example.org", to=[])]
    answer = _batch(running, mails, PERMISSIVE)
    assert answer.status == 200
    assert len(answer.json["data"]) == 1
    first, second = answer.json["errors"]
    assert (first["index"], second["index"]) == (1, 2)
    assert f"Invalid `to` {FORM}" in first["message"]
    assert second["message"] == "Missing `to` field."
    assert [taken.copy.recipient for taken in running.truth.copies.values()] == ["a@example.org"]


@pytest.mark.parametrize("field", ["attachments", "scheduled_at"])
def test_a_batch_has_no_attachments_and_is_sent_at_once(running: Running, field: str) -> None:
    value = {"attachments": [{"filename": "a.txt", "content": "YQ=="}], "scheduled_at": "in 1 min"}
    answer = _batch(running, [_mail(**{field: value[field]})])
    assert (answer.status, field in answer.json["message"]) == (422, True)


@pytest.mark.parametrize(
    ("changes", "status", "name", "words"),
    [
        ({"from": None}, 422, "missing_required_field", "Missing `from` field."),
        ({"from": "x"}, 422, "invalid_from_address", f"Invalid `from` {FORM}"),
        (
            {"from": "x@example.net"},
            403,
            "validation_error",
            "The example.net domain is not verified. Please, add and verify your domain.",
        ),
        ({"to": []}, 422, "missing_required_field", "Missing `to` field."),
        ({"to": ["a@b"]}, 422, "validation_error", f"Invalid `to` {FORM}"),
        ({"to": ["a@example.org, b@example.org"]}, 422, "validation_error", "Invalid `to`"),
        ({"cc": "refuse@sim.example"}, 422, "validation_error", f"Invalid `cc` {FORM}"),
        ({"to": ["a@example.org"] * 51}, 422, "validation_error", "at most 50"),
        ({"subject": ""}, 422, "missing_required_field", "Missing `subject` field."),
        ({"text": None}, 422, "missing_required_field", "`html` or `text`"),
        ({"text": 7}, 422, "validation_error", "`text`"),
        ({"headers": {"X": 7}}, 422, "validation_error", "`headers`"),
        ({"tags": [{"name": "a b", "value": "c"}]}, 422, "validation_error", "ASCII letters"),
        ({"tags": [{"name": "a"}]}, 422, "validation_error", "ASCII letters"),
        ({"tags": [{"name": "a", "value": "b"}] * 76}, 422, "validation_error", "75"),
        ({"attachments": [{}]}, 422, "invalid_attachment", "Attachment must have either a"),
        ({"attachments": [{"content": "%"}]}, 422, "invalid_attachment", "base64"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_taken(
    running: Running, changes: dict[str, Any], status: int, name: str, words: str
) -> None:
    answer = _send(running, _mail(**changes))
    assert answer.status == answer.json["statusCode"] == status
    assert answer.json["name"] == name
    assert words in answer.json["message"]
    assert list(answer.json) == ["statusCode", "name", "message"]
    assert running.truth.copies == {}


@pytest.mark.parametrize(
    ("authorization", "status", "name"),
    [("", 401, "missing_api_key"), ("Bearer re_other", 403, "invalid_api_key")],
)
def test_a_call_without_the_key_is_refused(
    running: Running, authorization: str, status: int, name: str
) -> None:
    answer = _send(running, _mail(), {"Authorization": authorization})
    assert (answer.status, answer.json["name"]) == (status, name)


def test_a_call_without_a_user_agent_never_reaches_the_api(running: Running) -> None:
    client = http.client.HTTPConnection("127.0.0.1", running.simulator.http_port, timeout=10)
    client.request("POST", "/emails", json.dumps(_mail()), AUTH)
    answer = client.getresponse()
    assert (answer.status, answer.read()) == (403, b"error code: 1010")
    client.close()
    assert running.truth.copies == {}


@pytest.mark.parametrize("body", [b"[", b"[]", b"7", b"null", b"[" * 100_000, b"\xff"])
def test_what_is_no_call_is_refused(running: Running, body: bytes) -> None:
    assert _send(running, body).status in (400, 422)
    assert _batch(running, body).status in (400, 422)


@pytest.mark.parametrize("send", [_send, _batch])
def test_the_same_call_under_the_same_key_is_answered_as_before_and_sent_once(
    running: Running, send: Any
) -> None:
    body = _mail() if send is _send else [_mail()]
    first, again = (send(running, body, {"Idempotency-Key": "welcome/1"}) for _ in range(2))
    assert (first.status, first.json) == (again.status, again.json) == (200, first.json)
    assert len(running.truth.copies) == 1


def test_another_body_under_the_same_key_is_a_conflict(running: Running) -> None:
    headers = {"Idempotency-Key": "welcome/1"}
    _send(running, _mail(), headers)
    answer = _send(running, _mail(subject="another"), headers)
    assert (answer.status, answer.json["name"]) == (409, "invalid_idempotent_request")
    assert len(running.truth.copies) == 1


def test_a_key_whose_call_is_at_work_is_a_conflict() -> None:
    keys = Keys()
    keys.begin("welcome/1", b"a call")
    flaw = keys.flaw("welcome/1", b"a call")
    assert flaw is not None
    assert (flaw.status, flaw.name) == (409, "concurrent_idempotent_requests")


def test_a_call_that_took_nothing_leaves_its_key_free(running: Running) -> None:
    headers = {"Idempotency-Key": "welcome/1"}
    assert _send(running, _mail(to=[]), headers).status == 422
    assert _send(running, _mail(), headers).status == 200


def test_a_mail_whose_answer_was_lost_is_answered_when_asked_again(running: Running) -> None:
    headers = {"Idempotency-Key": "welcome/1"}
    running.make_mischief(error_after=1)
    assert _send(running, _mail(), headers).status == 500
    running.make_mischief()
    answer = _send(running, _mail(), headers)
    (taken,) = running.truth.copies.values()
    assert answer.json == {"id": taken.copy.message_id}


@pytest.mark.parametrize("key", ["", "k" * 257])
def test_a_key_has_up_to_256_characters(running: Running, key: str) -> None:
    answer = _send(running, _mail(), {"Idempotency-Key": key})
    assert (answer.status, answer.json["name"]) == (400, "invalid_idempotency_key")


def test_what_became_of_a_mail_can_be_asked(running: Running) -> None:
    tags = [{"name": "category", "value": "confirm_email"}]
    id = _send(running, _mail("bounce@sim.example", tags=tags)).json["id"]

    def last_event() -> str:
        told = call(f"{running.url}/emails/{id}", headers=AUTH).json
        assert (told["object"], told["id"], told["tags"]) == ("email", id, tags)
        return str(told["last_event"])

    assert last_event() in {"sent", "bounced"}
    eventually(lambda: last_event() == "bounced")
    answer = call(f"{running.url}/emails/nothing", headers=AUTH)
    assert (answer.status, answer.json["name"]) == (404, "not_found")
    assert call(f"{running.url}/emails/{id}", headers={"Authorization": ""}).status == 401


def test_events_are_told_in_the_vendor_s_words(running: Running, receiver: Receiver) -> None:
    locals_ = ["click", "bounce", "full", "suppressed", "complain", "defer", "spam", "ooto"]
    tags = [{"name": "postroom_handover", "value": "h-1"}]
    mails = [_mail(f"Kim <{each}@sim.example>", tags=tags) for each in locals_]
    _batch(running, mails)
    eventually(running.is_settled)
    told = [json.loads(post.body) for post in receiver.posts]
    assert {event["type"] for event in told} == {
        "email.sent", "email.delivered", "email.delivery_delayed", "email.bounced",
        "email.suppressed", "email.complained", "email.opened", "email.clicked",
    }  # fmt: skip
    assert {event["data"]["tags"]["postroom_handover"] for event in told} == {"h-1"}
    assert {event["data"]["from"] for event in told} == {"Acme <onboarding@example.com>"}
    bounces = {
        event["data"]["to"][0]: event["data"]["bounce"]
        for event in told
        if event["type"] == "email.bounced"
    }
    assert bounces["Kim <bounce@sim.example>"]["type"] == "Permanent"
    assert bounces["Kim <full@sim.example>"]["subType"] == "MailboxFull"
    assert bounces["Kim <spam@sim.example>"]["subType"] == "ContentRejected"
    assert bounces["Kim <defer@sim.example>"]["diagnosticCode"][0].startswith("smtp; 450 4.2.0")


def test_a_mail_for_later_is_sent_later(running: Running) -> None:
    _send(running, _mail(scheduled_at="2099-01-01T00:00:00Z"))
    (taken,) = running.truth.copies.values()
    assert taken.copy.starts_at == 4070908800
    assert taken.facts == []


def test_the_signature_is_that_of_the_vendor_s_published_example() -> None:
    headers = Signer("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330.9, b'{"test": 2432232314}'
    )
    assert headers == {
        "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "svix-timestamp": "1614265330",
        "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@pytest.mark.parametrize("secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_%"])
def test_a_secret_that_is_none_is_refused_by_the_name_of_its_face(secret: str) -> None:
    with pytest.raises(SettingsError, match="mine"):
        open_faces({"mine": new_face_config("mine", provider="resend", webhook_secret=secret)})


@given(st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(
        st.sampled_from(["from", "to", "subject", "text", "tags", "headers", "attachments"]), inner
    ),
    max_leaves=8,
))  # fmt: skip
def test_any_mail_is_taken_or_its_flaws_named(mail: Any) -> None:
    assert all(flaw.message for flaw in batch_flaws(mail, None, 1))
