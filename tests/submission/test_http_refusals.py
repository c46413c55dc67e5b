"""Bad input over HTTP: each with its own clear answer, and nothing of it in the ledger."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, override_settings

from postroom.ledger import keys
from tests.submission.conftest import Submit
from tests.submission.door import message_count
from tests.submission.test_http_accept import BODY


def refused(response: HttpResponse, status: int, *words: str) -> Any:
    """The problem, after a look at its one shape."""
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    problem = json.loads(response.content)
    assert set(problem) - {"errors"} == {"type", "title", "status", "detail"}
    assert problem["type"].startswith("urn:postroom:problem:")
    assert problem["status"] == status
    for word in words:
        assert word in response.content.decode()
    return problem


def without(field: str) -> dict[str, Any]:
    return {name: value for name, value in BODY.items() if name != field}


@pytest.mark.parametrize(
    "raw",
    [
        b"{",
        b"{'from': 1}",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b"\xef\xbb\xbf{}",
        b'{"a": "\xff"}',
        '{"a": "ü"}'.encode("latin-1"),
        json.dumps(BODY).encode("utf-16"),
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"a": "line\nbreak"}',
        b'{"a": "\x00"}',
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda raw: repr(raw[:16]),
)
def test_what_cannot_be_read_as_json_is_400(submit: Submit, raw: bytes) -> None:
    refused(submit(raw=raw), 400)
    assert message_count() == 0


@pytest.mark.parametrize(
    "raw",
    [
        b'{"subject": "a", "subject": "b"}',
        b'{"to": [{"email": "a@sim.example", "subject": 1, "subject": 1}]}',
        b'{"headers": {"subject": "a", "\\u0073ubject": "b"}}',
    ],
)
def test_a_key_that_stands_twice_in_one_object_is_400_and_named(submit: Submit, raw: bytes) -> None:
    refused(submit(raw=raw), 400, "the body has the key 'subject' twice in one object")


def test_the_same_key_in_two_objects_is_fine(submit: Submit) -> None:
    to = [{"email": "a@sim.example"}, {"email": "b@sim.example"}]
    assert submit({**BODY, "to": to}).status_code == 202


@pytest.mark.parametrize("value", ["null", "[]", '"text"', "3", "true"])
def test_json_that_is_no_object_is_422(submit: Submit, value: str) -> None:
    refused(submit(raw=value.encode()), 422)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subjekt": "x"}, "subjekt"),
        ({"to": [{"email": "a@sim.example", "nmae": "A"}]}, "to[0].nmae"),
        ({"track": {"open": True}}, "track.open"),
        ({"attachments": [{"name": "x"}]}, "attachments[0].name"),
    ],
)
def test_an_unknown_field_is_422_and_named(
    submit: Submit, change: dict[str, Any], field: str
) -> None:
    problem = refused(submit({**BODY, **change}), 422)
    assert field in [error["field"] for error in problem["errors"]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"subject": 5}, "subject"),
        ({"text": ["x"]}, "text"),
        ({"to": "a@sim.example"}, "to"),
        ({"to": [5]}, "to[0]"),
        ({"to": [{"email": 5}]}, "to[0].email"),
        ({"to": [{"name": "A"}]}, "to[0].email"),
        ({"to": [{"email": "a@sim.example", "vars": {"a": {}}}]}, "to[0].vars.a"),
        ({"to": [{"email": "a@sim.example", "vars": {"a": None}}]}, "to[0].vars.a"),
        ({"to": [{"email": "a@sim.example", "vars": []}]}, "to[0].vars"),
        ({"to": [{"email": "a@sim.example", "metadata": {"a": 1}}]}, "to[0].metadata.a"),
        ({"to": [{"email": "a@sim.example", "ref": 1}]}, "to[0].ref"),
        ({"track": {"opens": "yes"}}, "track.opens"),
        ({"track": {"opens": 1}}, "track.opens"),
        ({"tags": "a"}, "tags"),
        ({"metadata": {"a": 1}}, "metadata.a"),
        ({"lane": "slow"}, "lane"),
        ({"lane": 1}, "lane"),
        ({"on_doubt": "maybe"}, "on_doubt"),
        ({"send_at": 5}, "send_at"),
        ({"send_at": "tomorrow"}, "send_at"),
        ({"send_at": "2026-01-01T00:00:00"}, "send_at"),
        ({"expires_at": "0001-01-01T00:00:00+23:59"}, "expires_at"),
        ({"communication": "Price Change"}, "communication"),
        ({"communication": "a\n"}, "communication"),
        ({"communication": "."}, "communication"),
        ({"communication": ".."}, "communication"),
        ({"notify": {"url": "https://x", "states": ["gone"]}}, "notify.states[0]"),
        ({"notify": {"url": "ftp://x"}}, "notify.url"),
        ({"headers": {"X-A": 1}}, "headers.X-A"),
    ],
)
def test_a_wrong_type_or_value_is_422_and_never_coerced(
    submit: Submit, change: dict[str, Any], field: str
) -> None:
    problem = refused(submit({**BODY, **change}), 422)
    assert field in [error["field"] for error in problem["errors"]]
    assert message_count() == 0


@pytest.mark.parametrize("field", ["from", "to"])
def test_a_missing_field_is_422_and_named(submit: Submit, field: str) -> None:
    problem = refused(submit(without(field)), 422)
    assert [error["field"] for error in problem["errors"]] == [field]


def test_a_mail_without_text_and_html_is_422(submit: Submit) -> None:
    refused(submit(without("text")), 422, "text")


def test_no_recipient_is_422(submit: Submit) -> None:
    refused(submit({**BODY, "to": []}), 422, "no recipient")


@override_settings(POSTROOM_RECIPIENTS_MAX=2)
def test_too_many_recipients_are_422(submit: Submit) -> None:
    to = ["a@sim.example", "b@sim.example", "c@sim.example"]
    refused(submit({**BODY, "to": to}), 422, "at most 2")


def test_a_call_without_any_valid_recipient_is_422_and_names_each(submit: Submit) -> None:
    problem = refused(submit({**BODY, "to": ["nobody", "a@b@c"]}), 422)
    assert len(problem["errors"]) == 2
    assert message_count() == 0


@override_settings(POSTROOM_BODY_BYTES_MAX=100)
def test_a_body_that_is_too_large_is_413(submit: Submit) -> None:
    refused(submit({**BODY, "text": "x" * 200}), 413, "at most 100")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_another_content_type_is_415(submit: Submit, content_type: str) -> None:
    refused(submit(raw=json.dumps(BODY).encode(), content_type=content_type), 415)


def test_a_compressed_body_is_415(submit: Submit) -> None:
    refused(submit(BODY, **{"Content-Encoding": "gzip"}), 415)


@pytest.mark.parametrize("content", ["no base64!", "QkVH\nSU4=", "QQ", "Ü"])
def test_invalid_base64_is_422(submit: Submit, content: str) -> None:
    attachment = {"filename": "a", "content_type": "text/plain", "content": content}
    refused(submit({**BODY, "attachments": [attachment]}), 422, "attachments[0].content", "base64")


@override_settings(POSTROOM_ATTACHMENTS_MAX=1)
def test_too_many_attachments_are_422(submit: Submit) -> None:
    content = base64.b64encode(b"x").decode()
    attachment = {"filename": "a", "content_type": "text/plain", "content": content}
    refused(submit({**BODY, "attachments": [attachment] * 2}), 422, "attachments")


@pytest.mark.parametrize("escape", [r"\u0000", r"\ud800", r"\uDFFF", r"\udc00\ud800"])
@pytest.mark.parametrize("place", ["value", "key", "nested"])
def test_nul_and_lone_surrogates_are_422_wherever_they_stand(
    submit: Submit, escape: str, place: str
) -> None:
    marked = {
        "value": {**BODY, "subject": "MARK"},
        "key": {**BODY, "metadata": {"MARK": "x"}},
        "nested": {**BODY, "to": [{"email": "a@sim.example", "vars": {"a": "MARK"}}]},
    }[place]
    raw = json.dumps(marked).replace("MARK", escape).encode()
    refused(submit(raw=raw), 422, "NUL character or a lone surrogate")
    assert message_count() == 0


def test_a_surrogate_pair_and_an_escaped_backslash_are_fine(submit: Submit) -> None:
    raw = json.dumps({**BODY, "subject": "MARK"}).replace("MARK", r"\ud83d\ude00 \\u0000")
    assert submit(raw=raw.encode()).status_code == 202


def test_without_a_key_it_is_401(submit: Submit) -> None:
    response = submit(BODY, bearer=None)
    refused(response, 401)
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "bearer",
    ["x", "postroom_test_abc_def", "postroom_live__", "postroom_test_a_b_c", "ü", "\udc80"],
)
def test_a_key_that_is_none_of_ours_is_401(submit: Submit, bearer: str) -> None:
    refused(submit(BODY, bearer=bearer.encode("utf-8", "surrogatepass").decode("latin-1")), 401)


def test_a_revoked_key_is_refused_with_401_at_once(submit: Submit, key: keys.NewKey) -> None:
    assert submit(BODY).status_code == 202
    keys.revoke_key(key.id)
    refused(submit(BODY), 401)


def test_a_key_revoked_in_another_process_is_refused_in_the_commit(
    submit: Submit, key: keys.NewKey
) -> None:
    assert submit(BODY).status_code == 202
    remembered = dict(keys._remembered)
    keys.revoke_key(key.id)
    keys._remembered.update(remembered)
    refused(submit(BODY), 401, "revoked")
    assert message_count() == 1


def test_a_key_without_the_scope_is_403(submit: Submit) -> None:
    reader = keys.create_key("field", "test", ["read"])
    refused(submit(BODY, bearer=reader.key), 403, "scope send")


def test_a_from_domain_that_is_not_allowed_is_403(submit: Submit) -> None:
    limited = keys.create_key("field", "test", ["send"], ["corp.example"])
    refused(submit({**BODY, "from": "a@evil.example"}, bearer=limited.key), 403, "evil.example")


@pytest.mark.parametrize("sender", ["", "nobody", "a@b, c@d", "a@localhost", {"email": "x"}])
def test_a_from_that_is_no_address_is_422(submit: Submit, sender: Any) -> None:
    refused(submit({**BODY, "from": sender}), 422, "from")


@pytest.mark.parametrize("field", ["subject", "text", "html"])
def test_a_template_syntax_error_refuses_the_whole_call(submit: Submit, field: str) -> None:
    problem = refused(submit({**BODY, field: "Hello {{ first name }}"}), 422)
    assert [error["field"] for error in problem["errors"]] == [field]


def test_a_send_at_in_the_past_is_422_and_says_what_time_it_is(submit: Submit) -> None:
    refused(submit({**BODY, "send_at": "2020-01-01T00:00:00Z"}), 422, "in the past")


def test_a_send_at_too_far_ahead_is_422(submit: Submit) -> None:
    refused(submit({**BODY, "send_at": "2999-01-01T00:00:00Z"}), 422, "too far ahead")


def test_an_expires_at_before_now_or_before_send_at_is_422(submit: Submit) -> None:
    now = datetime.now(UTC)
    hour, two_hours = ((now + timedelta(hours=n)).isoformat() for n in (1, 2))
    refused(submit({**BODY, "expires_at": "2020-01-01T00:00:00Z"}), 422, "expires_at")
    refused(submit({**BODY, "send_at": two_hours, "expires_at": hour}), 422, "not after send_at")


@pytest.mark.parametrize("name", ["", " a", "a ", "a\tb", "x" * 256, "ü"])
def test_an_idempotency_key_that_is_no_printable_ascii_is_422(submit: Submit, name: str) -> None:
    refused(submit(BODY, **{"Idempotency-Key": name}), 422, "Idempotency-Key")


def test_an_unknown_address_is_404_and_another_method_405(submit: Submit) -> None:
    for path in ("/", "/nothing", "/v1/nothing", "/v1/messages/not-a-uuid/cancel"):
        refused(_get(path), 404)
    response = _get("/v1/messages")
    refused(response, 405)
    assert response["Allow"] == "POST"


def test_every_answer_carries_the_security_headers(submit: Submit) -> None:
    for response in (submit(BODY), submit({}), _get("/nothing"), _get("/v1/openapi.json")):
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["X-Frame-Options"] == "DENY"
        assert response["Content-Security-Policy"].startswith("default-src 'none'")


def test_the_description_of_the_interface_is_complete(ledger: None) -> None:
    document = json.loads(_get("/v1/openapi.json").content)
    submit = document["paths"]["/v1/messages"]["post"]
    assert {"202", "400", "401", "403", "409", "413", "415", "422", "503"} <= set(
        submit["responses"]
    )
    text = json.dumps(document)
    for reference in set(text.split('"#/components/schemas/')[1:]):
        assert reference.split('"')[0] in document["components"]["schemas"]


def _get(path: str) -> HttpResponse:
    response = Client(raise_request_exception=False).get(path)
    assert isinstance(response, HttpResponse)
    return response
