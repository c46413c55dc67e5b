"""The HTTP face: what it takes, what it refuses, and in what words."""

import json
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_http_client.exceptions import BadRequestsError, UnauthorizedError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import (
    Attachment,
    Cc,
    CustomArg,
    Email,
    Mail,
    Personalization,
    Substitution,
    To,
)

from postroom.simulator.faces.sendgrid.mail_send import request_flaws
from postroom.simulator.faces.sendgrid.taking import Request
from postroom.simulator.truth import digest_of_content, digest_of_rest
from tests.simulator.conftest import Start
from tests.simulator.rig import API_KEY, Running, call, config, mail


def test_the_official_client_works_unchanged(simulator: Running) -> None:
    message = Mail(
        from_email="desk@example.com", subject="Hello -name-", plain_text_content="Dear -name-"
    )
    block = Personalization()
    block.add_to(To("delivered@sim.example", "Anna"))
    block.add_cc(Cc("boss@sim.example"))
    block.add_substitution(Substitution("-name-", "Anna"))
    block.add_custom_arg(CustomArg("postroom_handover", "h1"))
    message.add_personalization(block)
    message.add_attachment(Attachment("aGVsbG8=", "a.txt", "text/plain"))
    message.reply_to = Email("answers@example.com")
    answer = SendGridAPIClient(API_KEY, host=simulator.url).send(message)
    assert answer.status_code == 202
    first, second = simulator.truth.copies.values()
    assert first.copy.message_id == answer.headers["X-Message-Id"]
    assert (first.copy.recipient, second.copy.recipient) == (
        "delivered@sim.example",
        "boss@sim.example",
    )
    assert first.copy.to == second.copy.to == ("delivered@sim.example",)
    assert first.copy.cc == ("boss@sim.example",)
    assert first.copy.handover == "h1"


def test_the_official_client_understands_a_refusal(simulator: Running) -> None:
    client = SendGridAPIClient(API_KEY, host=simulator.url)
    with pytest.raises(BadRequestsError) as refused:
        client.send(Mail(from_email="desk@example.com", subject="x", plain_text_content="x"))
    assert "personalizations" in str(refused.value.to_dict)


def test_a_wrong_key_is_refused_with_401(simulator: Running) -> None:
    client = SendGridAPIClient("SG.wrong", host=simulator.url)
    with pytest.raises(UnauthorizedError) as refused:
        client.send(Mail("desk@example.com", "delivered@sim.example", "x", "x"))
    assert refused.value.to_dict["errors"][0]["message"] == (
        "The provided authorization grant is invalid, expired, or revoked"
    )


@pytest.mark.parametrize("header", ["", "Bearer", f"Basic {API_KEY}", "Bearer \xff\xe9"])
def test_a_header_without_the_key_is_refused_with_401(simulator: Running, header: str) -> None:
    assert simulator.send(mail("delivered@sim.example"), {"Authorization": header}).status == 401


def test_scopes_tell_whether_a_key_may_send(simulator: Running) -> None:
    assert "mail.send" in call(f"{simulator.url}/v3/scopes").json["scopes"]
    wrong = {"Authorization": "Bearer nobody"}
    assert call(f"{simulator.url}/v3/scopes", headers=wrong).status == 401


def test_answers_carry_the_rate_limit_headers(simulator: Running) -> None:
    headers = simulator.send(mail("delivered@sim.example")).headers
    assert int(headers["X-RateLimit-Limit"]) >= int(headers["X-RateLimit-Remaining"]) > 0
    assert headers["X-RateLimit-Reset"].isdigit()


def test_each_recipient_gets_their_own_text(simulator: Running) -> None:
    body = mail("anna@example.org", "bert@example.org", subject="For -n-")
    body["content"] = [{"type": "text/plain", "value": "Dear -n-, room -room-"}]
    body["attachments"] = [{"content": "aGk=", "filename": "a.txt"}]
    for block, name in zip(body["personalizations"], ("Anna", "Bert"), strict=True):
        block["substitutions"] = {"-n-": name, "-room-": "7"}
    simulator.send(body)
    rest = digest_of_rest(body["attachments"])
    digests = {taken.copy.recipient: taken.copy.digest for taken in simulator.truth.copies.values()}
    assert digests == {
        "anna@example.org": digest_of_content(
            "For Anna", [("text/plain", "Dear Anna, room 7")], rest
        ),
        "bert@example.org": digest_of_content(
            "For Bert", [("text/plain", "Dear Bert, room 7")], rest
        ),
    }


def test_the_link_that_a_click_follows_is_filled_in_and_read_as_html(simulator: Running) -> None:
    body = mail("click@sim.example")
    body["content"][1]["value"] = '<a href="https://example.com/?n=-n-&amp;b=1">x</a>'
    body["personalizations"][0]["substitutions"] = {"-n-": "7"}
    simulator.send(body)
    (taken,) = simulator.truth.copies.values()
    assert taken.copy.url == "https://example.com/?n=7&b=1"


def test_sandbox_mode_checks_and_takes_nothing(simulator: Running) -> None:
    settings = {"sandbox_mode": {"enable": True}}
    assert simulator.send(mail("delivered@sim.example", mail_settings=settings)).status == 200
    assert simulator.truth.copies == {}


def test_an_unverified_from_domain_is_refused_with_403(start: Start) -> None:
    running = start(verified_domains=("example.net",))
    answer = running.send(mail("delivered@sim.example"))
    assert answer.status == 403
    assert answer.errors[0][0] == "from"
    sender = {"email": "desk@Example.net"}
    assert running.send(mail("delivered@sim.example", **{"from": sender})).status == 202


def _with(**more: Any) -> dict[str, Any]:
    return mail("delivered@sim.example", **more)


def _block(**more: Any) -> dict[str, Any]:
    body = _with()
    body["personalizations"][0] |= more
    return body


def _without(name: str) -> dict[str, Any]:
    body = _with()
    del body[name]
    return body


REFUSED: dict[str, tuple[object, str | None, str]] = {
    "no object": ([], None, "Expected: object, given: array"),
    "no personalizations": (_without("personalizations"), "personalizations", "at least one"),
    "1,001 personalizations": (
        mail(*(f"a{n}@example.org" for n in range(1001))),
        "personalizations",
        "limited to 1000 personalizations per API request. You have provided 1001",
    ),
    "1,001 recipients": (
        _block(cc=[{"email": f"a{n}@example.org"} for n in range(1000)]),
        "personalizations",
        "limit of 1000 total recipients",
    ),
    "block is text": ({**_with(), "personalizations": ["x"]}, "personalizations.0", "object"),
    "no to": (_block(to=[]), "personalizations.0.to", "The to array is required"),
    "to is an object": (_block(to={}), "personalizations.0.to", "to array is required"),
    "cc is an object": (_block(cc={}), "personalizations.0.cc", "Expected: array"),
    "no email": (
        _block(to=[{"name": "x"}]),
        "personalizations.0.to.0.email",
        "The to email parameter is required.",
    ),
    "email is a list": (
        _block(to=[{"email": []}]),
        "personalizations.0.to.0.email",
        "Invalid type. Expected: string, given: array.",
    ),
    "bad address": (
        _block(to=[{"email": "nobody"}]),
        "personalizations.0.to.0.email",
        "Does not contain a valid address.",
    ),
    "non-ASCII address": (
        _block(to=[{"email": "jürgen@example.org"}]),
        "personalizations.0.to.0.email",
        "valid address",
    ),
    "comma in a name": (
        _block(to=[{"email": "a@example.org", "name": "Doe, Jane"}]),
        "personalizations.0.to.0.name",
        "comma",
    ),
    "duplicate in to and cc": (
        _block(cc=[{"email": "Delivered@sim.example"}]),
        "personalizations.0",
        "first duplicate instance of [delivered@sim.example] in the personalizations.0.cc field",
    ),
    "duplicate in the call": (
        mail("a@example.org", "a@example.org"),
        "personalizations",
        "You have included [a@example.org] more than once",
    ),
    "empty own subject": (_block(subject=""), "personalizations.0.subject", "one character"),
    "substitution is a number": (
        _block(substitutions={"-n-": 1}),
        "personalizations.0.substitutions.-n-",
        "Expected: string, given: number",
    ),
    "too many substitutions": (
        _block(substitutions={"-n-": "x" * 9998}),
        "personalizations.0.substitutions",
        "10000 bytes",
    ),
    "too many custom args": (
        _with(custom_args={"a": "x" * 9990}),
        "personalizations.0.custom_args",
        "less than 10000 bytes",
    ),
    "custom args are text": (_with(custom_args="x"), "custom_args", "Expected: object"),
    "reserved header": (_with(headers={"Reply-To": "x"}), "headers.Reply-To", "reserved"),
    "reserved header in a block": (
        _block(headers={"BCC": "x"}),
        "personalizations.0.headers.BCC",
        "reserved",
    ),
    "line end in a header": (_with(headers={"X-A": "x\r\nBcc: y"}), "headers.X-A", "line ends"),
    "no from": (_without("from"), "from.email", "must be provided"),
    "bad from": (_with(**{"from": {"email": "x"}}), "from.email", "valid address"),
    "bad reply-to": (_with(reply_to={"email": "x"}), "reply_to.email", "valid address"),
    "two kinds of reply-to": (
        _with(reply_to={"email": "a@example.org"}, reply_to_list=[]),
        "reply_to_list",
        "Only one",
    ),
    "no subject": (_with(subject=""), "subject", "The subject is required."),
    "subject is a number": (_with(subject=1), "subject", "Expected: string"),
    "no content": (_with(content=[]), "content", "content parameter is required"),
    "empty content": (
        _with(content=[{"type": "text/plain", "value": ""}]),
        "content.0.value",
        "at least one character",
    ),
    "HTML before text": (
        _with(content=[{"type": t, "value": "x"} for t in ("text/html", "text/plain")]),
        "content",
        "text/plain must be first",
    ),
    "type with parameters": (
        _with(content=[{"type": "text/plain; charset=x", "value": "x"}]),
        "content.0.type",
        "without ;",
    ),
    "template": (_with(template_id="d-1"), "template_id", "template"),
    "attachment is no base64": (
        _with(attachments=[{"content": "%", "filename": "x"}]),
        "attachments.0.content",
        "base64",
    ),
    "attachment without a name": (
        _with(attachments=[{"content": "eA=="}]),
        "attachments.0.filename",
        "filename",
    ),
    "strange disposition": (
        _with(attachments=[{"content": "eA==", "filename": "x", "disposition": "x"}]),
        "attachments.0.disposition",
        "inline",
    ),
    "11 categories": (_with(categories=[str(n) for n in range(11)]), "categories", "limit of 10"),
    "a category twice": (_with(categories=["a", "a"]), "categories", "unique"),
    "send_at is text": (_with(send_at="now"), "send_at", "Expected: integer"),
}


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Any:
    running = Running(config(tmp_path_factory.mktemp("strict"), None))
    yield running
    running.close()


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_request_is_refused_with_400_and_the_path_of_the_field(
    strict: Running, name: str
) -> None:
    body, field, words = REFUSED[name]
    answer = strict.send(body)
    assert answer.status == 400
    assert any(at == field and words in message for at, message in answer.errors), answer.errors


def test_all_refused_requests_left_nothing_behind(strict: Running) -> None:
    assert strict.truth.copies == {}


def test_unreadable_json_is_refused_with_400(strict: Running) -> None:
    assert strict.send(b'{"from": ').status == 400


def test_another_content_type_is_refused_with_415(strict: Running) -> None:
    assert strict.send(_with(), {"Content-Type": "text/plain"}).status == 415


def test_more_than_30_megabytes_are_refused_with_413(strict: Running) -> None:
    big = json.dumps(_with(content=[{"type": "text/plain", "value": "x" * 31_500_000}])).encode()
    answer = strict.send(big)
    assert answer.status == 413
    assert "too large" in answer.errors[0][1]


def test_an_unknown_path_and_method_answer_in_the_vendors_shape(strict: Running) -> None:
    assert call(f"{strict.url}/v3/nowhere").errors
    assert call(f"{strict.url}/v3/mail/send").status == 405


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, below in inner:
        found.append((*path, key))
        if isinstance(below, dict | list):
            found += _places(below, (*path, key))
    return found


EVERYTHING = _block(
    cc=[{"email": "cc@example.org"}], subject="x", substitutions={"-a-": "b"}, headers={"X-A": "b"}
) | {
    "reply_to": {"email": "a@example.org"},
    "attachments": [{"content": "eA==", "filename": "x", "type": "text/plain"}],
    "categories": ["a"],
    "custom_args": {"a": "b"},
    "headers": {"X-B": "c"},
    "send_at": 1,
    "mail_settings": {"sandbox_mode": {"enable": False}},
    "tracking_settings": {"open_tracking": {"enable": False}},
}


@given(place=st.sampled_from(_places(EVERYTHING)), value=JSON)
def test_whatever_stands_anywhere_is_taken_or_refused_and_never_a_crash(
    place: tuple[Any, ...], value: Any
) -> None:
    body = deepcopy(EVERYTHING)
    holder = body
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = value
    if not request_flaws(body, None):
        assert Request("sendgrid", body, 1, 0.0).copies("id", 0.0)
