"""The SparkPost face: what it takes, what it refuses, and what its webhooks say."""

import json
import smtplib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.simulator.faces import new_face_config
from postroom.simulator.faces.sparkpost.checks import content_flaws, recipient_flaw
from postroom.simulator.faces.sparkpost.template import SyntaxFlawError, render
from postroom.simulator.truth import digest_of_content, digest_of_mail, digest_of_rest
from tests.helpers import eventually
from tests.simulator.conftest import Start
from tests.simulator.rig import Answer, Receiver, Running, call

KEY = "14ac5499cfdd2bb2859e4476d2e5b1d2bad079bf"
CONTENT = {"from": {"name": "Desk", "email": "desk@example.com"}, "subject": "Prices"}


@pytest.fixture
def running(start: Start, receiver: Receiver) -> Running:
    receiver.status = 200
    entry = new_face_config("sparkpost", receiver.url, api_key=KEY)
    return start(faces={"sparkpost": {**entry, "verified_domains": ["example.com"]}})


def _send(running: Running, body: object, key: str = KEY) -> Answer:
    return call(f"{running.url}/api/v1/transmissions", body, {"Authorization": key})


def _to(email: str = "delivered@sim.example", **more: Any) -> dict[str, Any]:
    return {"address": {"email": email, "name": "Kim"}, **more}


def _transmission(*recipients: object, **content: Any) -> dict[str, Any]:
    return {"recipients": list(recipients), "content": {**CONTENT, "text": "Hi.", **content}}


def test_a_transmission_is_answered_with_its_id_and_its_numbers(running: Running) -> None:
    told = _transmission(_to(metadata={"postroom_handover": "h-1"}), html="<p>x</p>")
    answer = _send(running, told)
    assert answer.status == 200
    results = answer.json["results"]
    assert results.keys() == {"total_rejected_recipients", "total_accepted_recipients", "id"}
    assert (results["total_rejected_recipients"], results["total_accepted_recipients"]) == (0, 1)
    assert results["id"].isdigit()
    (taken,) = running.truth.copies.values()
    assert (taken.copy.message_id, taken.copy.handover) == (results["id"], "h-1")
    contents = [("text/plain", "Hi."), ("text/html", "<p>x</p>")]
    assert taken.copy.digest == digest_of_content("Prices", contents)


def test_data_of_the_recipient_goes_before_data_of_the_transmission(running: Running) -> None:
    city = "Hello, {{city}}!"
    for more, expected in (
        ({"metadata": {"city": "San Francisco"}}, "San Francisco"),
        ({"metadata": {"city": "x"}, "substitution_data": {"city": "Seattle"}}, "Seattle"),
    ):
        told = _transmission(_to(f"{expected[0]}@example.org"), text=city) | more
        assert _send(running, told).status == 200
        taken = list(running.truth.copies.values())[-1]
        made = digest_of_content("Prices", [("text/plain", f"Hello, {expected}!")])
        assert taken.copy.digest == made


def test_nothing_is_filled_in_where_that_is_switched_off(running: Running) -> None:
    told = _transmission(_to(), text="{{ name }}") | {"options": {"perform_substitutions": False}}
    assert _send(running, told).status == 200
    (taken,) = running.truth.copies.values()
    assert taken.copy.digest == digest_of_content("Prices", [("text/plain", "{{ name }}")])


def test_attachments_and_inline_images_belong_to_what_arrives(running: Running) -> None:
    file = {"name": "billing.pdf", "type": "application/pdf", "data": "Q29uZ3JhdHVsYXRpb25z"}
    image = {"name": "my_image.jpeg", "type": "image/jpeg", "data": "Q29uZ3JhdHVsYXRpb25z"}
    told = _transmission(_to(), attachments=[file], inline_images=[image])
    assert _send(running, told).status == 200
    (taken,) = running.truth.copies.values()
    rest = digest_of_rest([file, image])
    assert taken.copy.digest == digest_of_content("Prices", [("text/plain", "Hi.")], rest)


def test_another_to_than_the_envelope_is_what_the_recipient_sees(running: Running) -> None:
    address = {"email": "delivered@sim.example", "header_to": "all@example.org"}
    assert _send(running, _transmission({"address": address})).status == 200
    (taken,) = running.truth.copies.values()
    assert (taken.copy.recipient, taken.copy.to) == ("delivered@sim.example", ("all@example.org",))


def test_a_finished_mail_goes_as_it_is_to_its_envelope(running: Running) -> None:
    mail = "From: desk@example.com\r\nTo: all@example.org\r\nSubject: x\r\n\r\n{{ name }} å\r\n"
    options = {"perform_substitutions": False, "click_tracking": False}
    told = {"recipients": [_to()], "content": {"email_rfc822": mail}, "options": options}
    assert _send(running, told).status == 200
    (taken,) = running.truth.copies.values()
    assert (taken.copy.to, taken.copy.sender) == (("all@example.org",), "desk@example.com")
    assert taken.copy.digest == digest_of_mail(mail.encode())
    assert (taken.copy.track_opens, taken.copy.track_clicks) == (True, False)


def test_recipients_that_are_refused_are_counted_and_the_others_sent(running: Running) -> None:
    told = _transmission(_to(), _to("refuse@sim.example"), {"address": {"name": "x"}})
    answer = _send(running, told)
    assert answer.status == 200
    assert answer.json["errors"] == [
        {"message": "transmission created, but with validation errors", "code": "2000"}
    ]
    results = answer.json["results"]
    assert (results["total_rejected_recipients"], results["total_accepted_recipients"]) == (2, 1)
    assert results["rcpt_to_errors"][1] == {
        "message": "required field is missing",
        "description": "address.email is required for each recipient",
        "code": "1400",
    }
    assert len(running.truth.copies) == 1


@pytest.mark.parametrize(
    ("told", "status", "code"),
    [
        ([], 422, "1300"),
        ({"content": CONTENT}, 422, "1400"),
        ({"recipients": [_to()]}, 422, "1400"),
        (_transmission(_to(), text=""), 422, "1400"),
        (_transmission(_to(), text=7), 422, "1300"),
        (_transmission(_to(), text="{{ name"), 422, "3000"),
        (_transmission(_to(), headers={"To": "x@example.org"}), 422, "3002"),
        (_transmission(_to(), attachments=[{"name": "a", "type": "b", "data": "?"}]), 422, "1300"),
        (_transmission(_to(metadata={"x": "y" * 1000})), 422, "1300"),
        (_transmission(_to(), email_rfc822="x"), 422, "1301"),
        (_transmission(_to("refuse@sim.example")), 400, "5002"),
        (_transmission(_to(), **{"from": "desk@example.org"}), 400, "7001"),
        (
            {"recipients": [_to()], "content": {"email_rfc822": "From: x@example.org\r\n\r\nx"}},
            400,
            "7001",
        ),
    ],
)
def test_what_is_wrong_is_named_by_the_vendor_s_code(
    running: Running, told: object, status: int, code: str
) -> None:
    answer = _send(running, told)
    assert (answer.status, answer.json["errors"][0]["code"]) == (status, code)
    assert running.truth.copies == {}


def test_a_wrong_key_and_another_type_are_refused(running: Running) -> None:
    assert _send(running, _transmission(_to()), "guess").status == 401
    url, headers = f"{running.url}/api/v1/transmissions", {"Authorization": KEY}
    assert call(url, {}, {**headers, "Content-Type": "text/plain"}).status == 415


def test_the_key_may_be_a_user_without_a_password(running: Running) -> None:
    basic = "Basic MTRhYzU0OTljZmRkMmJiMjg1OWU0NDc2ZDJlNWIxZDJiYWQwNzliZjo="
    assert _send(running, _transmission(_to()), basic).status == 200
    assert _send(running, _transmission(_to()), "Basic ???").status == 401


def test_smtp_takes_the_vendor_s_header_off_and_obeys_it(running: Running) -> None:
    own = {"metadata": {"postroom_handover": "h-2"}, "options": {"open_tracking": True}}
    mail = b"From: desk@example.com\r\nTo: all@example.org\r\nSubject: x\r\n\r\n{{ name }}\r\n"
    with smtplib.SMTP("127.0.0.1", running.simulator.smtp_port) as client:
        client.login("SMTP_Injection", KEY)
        told = f"X-MSYS-API: {json.dumps(own)}\r\n".encode() + mail
        client.sendmail("desk@example.com", ["delivered@sim.example"], told)
        bad = b"X-MSYS-API: {\r\n" + mail
        with pytest.raises(smtplib.SMTPDataError, match="JSON parsing error in X-MSYS-API"):
            client.sendmail("desk@example.com", ["delivered@sim.example"], bad)
    (taken,) = running.truth.copies.values()
    assert (taken.copy.handover, taken.copy.digest) == ("h-2", digest_of_mail(mail))
    assert (taken.copy.track_opens, taken.copy.track_clicks) == (True, False)


def test_events_are_wrapped_twice_under_a_batch_id(running: Running, receiver: Receiver) -> None:
    _send(running, _transmission(_to("bounce@sim.example", metadata={"postroom_handover": "h-1"})))
    eventually(running.is_settled, 10)
    assert all("X-MessageSystems-Batch-ID" in post.headers for post in receiver.posts)
    told = [each["msys"] for post in receiver.posts for each in json.loads(post.body)]
    assert [event["type"] for one in told for event in one.values()] == ["injection", "bounce"]
    bounce = told[1]["message_event"]
    assert (bounce["bounce_class"], bounce["error_code"]) == ("10", bounce["raw_reason"][:3])
    assert bounce["rcpt_meta"] == {"postroom_handover": "h-1"}


@pytest.mark.parametrize(
    ("text", "data", "made"),
    [
        ("{{ value }}{{value}}{{  value   }}", {"value": "Hello"}, "HelloHelloHello"),
        ("* {{name}} * {{age}} *", {"name": "Jane", "age": None}, "* Jane *  *"),
        ("Hello {{ name or 'Customer' }}", {"name": None}, "Hello Customer"),
        ("{{address.street}}", {"address": {"street": "Howard Street"}}, "Howard Street"),
        ("{{x}} {{{x}}}", {"x": "<b>H</b>"}, "&lt;b&gt;H&lt;&#x2F;b&gt; <b>H</b>"),
        ("{{ opening_double_curly() }}a{{closing_triple_curly()}}", {}, "{{a}}}"),
        (
            '<a href="https://company.com/?c={{code}}">',
            {"code": "Daily Deal!"},
            '<a href="https://company.com/?c=Daily%20Deal%21">',
        ),
        ("{{ x }}", {"x": "{{ y }}", "y": "never"}, "{{ y }}"),
    ],
)
def test_the_template_language_is_the_vendor_s(text: str, data: dict[str, Any], made: str) -> None:
    assert render(text, data, page=True) == made


@pytest.mark.parametrize("text", ["{{", "{{ name", "{{ if x }}{{ end }}", "{{ a-b }}"])
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(SyntaxFlawError):
        render(text, {})


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=6,
)
_names = st.sampled_from(["from", "subject", "text", "html", "headers", "attachments", "email"])


@given(st.dictionaries(_names, _json) | _json)
def test_checking_never_fails_whatever_is_said(told: Any) -> None:
    list(content_flaws(told, None))
    recipient_flaw(told, 1)
    recipient_flaw({"address": told}, 1)
