"""A mail as SparkPost's JSON: a template for all and data for each, and finished mails."""

import json
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.content import Attachment, Mailbox
from postroom.domain.template import parse
from postroom.providers.base import CannotCarry, Copy, RawMail, Stored
from postroom.providers.sparkpost import (
    SparkPostMimeCarrier,
    sparkpost_header,
)
from postroom.providers.sparkpost.compose import CONTENT_BYTES_MAX, DATA_BYTES_MAX
from tests.providers.json_vendors import SPARKPOST, payload, rendered
from tests.providers.mail_making import CONTENT, LOGO, PDF, PLAIN, copies, copy, headers

ACCOUNT = SPARKPOST.account
compose = SPARKPOST.compose

values = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)
braced = st.text("{}ab ", max_size=12)


def _apart(text: str) -> str:
    """No two opening braces beside one another: they would have to be a field of ours."""
    return text.replace("{", "{ ")


@given(braced, braced, values)
def test_braces_of_the_mail_itself_are_never_an_expression(
    before: str, after: str, value: str
) -> None:
    text = f"{_apart(before)} {{{{ name }}}}{_apart(after)}"
    told = payload(compose(replace(PLAIN, text=text), copy(1, name=value))[0])
    made = rendered(told, told["content"]["text"])
    assert made == parse(text).render({"name": value})


def test_braces_around_a_field_stay_where_they_are() -> None:
    content = replace(PLAIN, html="<style>@media x{a{b:c}}</style>{" + "{{ name }}" + "}")
    with pytest.raises(ValueError, match="field"):
        parse(content.html or "")
    content = replace(PLAIN, html="<style>@media x{a{b:c}}</style>{ {{ name }}}")
    told = payload(compose(content, copy(1, name="{{email}}"))[0])
    assert rendered(told, told["content"]["html"]) == "<style>@media x{a{b:c}}</style>{ {{email}}}"


def test_a_mail_without_fields_goes_as_it_is() -> None:
    told = payload(compose(replace(PLAIN, text=r"Dear \{{ name }}"), copy(1))[0])
    assert told["content"]["text"] == "Dear {{ name }}"
    assert told["options"]["perform_substitutions"] is False
    assert "substitution_data" not in told["recipients"][0]


def test_what_all_have_in_common_is_said_once() -> None:
    content = replace(
        PLAIN,
        html="<p>x</p>",
        reply_to=(Mailbox("a@example.com", "Jo"),),
        attachments=(PDF, LOGO),
        track_opens=True,
        **headers(X_Case="4711"),
    )
    told = payload(compose(content, copy(1, "jo@example.com", "Jo, Å"))[0])
    shared = told["content"]
    assert told["recipients"][0]["address"] == {"email": "jo@example.com", "name": "Jo, Å"}
    assert shared["from"] == {"email": "news@example.com"}
    assert shared["reply_to"] == '"Jo" <a@example.com>'
    assert told["options"] == {
        "open_tracking": True,
        "initial_open": True,
        "click_tracking": False,
        "transactional": True,
        "inline_css": False,
        "perform_substitutions": False,
    }
    assert shared["headers"]["X-Case"] == "4711"
    assert shared["headers"]["Auto-Submitted"] == "auto-generated"
    assert [each["name"] for each in shared["attachments"]] == ["bill.pdf"]
    assert [each["name"] for each in shared["inline_images"]] == ["logo.png"]


@pytest.mark.parametrize(
    "changes",
    [
        {"attachments": (replace(LOGO, content_id="other"),), "html": "<img src='cid:other'>"},
        {"attachments": (Attachment("a.bin", "a/b", b"x" * CONTENT_BYTES_MAX),)},
        headers(X_MSYS_API="{}"),
        {"text": "{{ name }}", "sender": Mailbox("news@example.com", "{{email}}")},
        {"text": "{{ name }}", **headers(X_Case="{{email}}")},
    ],
)
def test_what_the_json_cannot_say_is_not_carried(changes: dict[str, Any]) -> None:
    with pytest.raises(CannotCarry):
        compose(replace(PLAIN, **changes), copy(1))


def test_a_name_that_looks_like_an_expression_is_not_carried_with_fields() -> None:
    with pytest.raises(CannotCarry):
        compose(CONTENT, copy(1, shown="{{ email }}"))
    assert compose(PLAIN, copy(1, shown="{{ email }}"))


def test_more_data_than_the_vendor_takes_is_not_carried() -> None:
    with pytest.raises(CannotCarry):
        compose(CONTENT, copy(1, name="x" * DATA_BYTES_MAX))


RAW = b'From: a@example.com\r\nTo: all@example.org\r\n\r\n{{ email }} \xe2\x82\xac \x00"\\\r\n.\r\n'


def raw(data: bytes, *to: Copy) -> RawMail:
    digest = sha256(data).digest()
    own = {
        one.handover_id: (Stored(digest, 0, 10), b"X-Own: %d\r\n" % n, Stored(digest, 10, 9**9))
        for n, one in enumerate(to)
    }
    return RawMail("a@example.com", own, {digest: data}, changes=("removed X",))


def test_a_finished_mail_goes_byte_for_byte_to_one_recipient_a_call() -> None:
    first, second = copies(2)
    calls = SparkPostMimeCarrier().compose(ACCOUNT, raw(RAW, first, second), [first, second])
    for number, (call, one) in enumerate(zip(calls, (first, second), strict=True)):
        told = payload(call)
        mail = told["content"]["email_rfc822"].encode()
        assert mail == RAW[:10] + b"X-Own: %d\r\n" % number + RAW[10:]
        assert told["recipients"][0]["address"] == {"email": one.recipient}
        assert told["recipients"][0]["metadata"] == {"postroom_handover": str(one.handover_id)}
        assert told["options"]["perform_substitutions"] is False
        assert call.changes == ("removed X", "envelope sender of SparkPost")
    assert calls[0].shared == calls[1].shared


@pytest.mark.parametrize("data", [b"x" * 20 + b"\xff", b"x" * (CONTENT_BYTES_MAX + 1)])
def test_a_mail_that_json_cannot_hold_is_not_carried(data: bytes) -> None:
    with pytest.raises(CannotCarry):
        SparkPostMimeCarrier().compose(ACCOUNT, raw(data, copy(1)), [copy(1)])


def test_the_road_for_finished_mails_takes_no_other() -> None:
    with pytest.raises(CannotCarry):
        SparkPostMimeCarrier().compose(ACCOUNT, PLAIN, [copy(1)])


def test_the_smtp_header_says_the_id_and_what_is_tracked() -> None:
    handover = copy(1).handover_id
    line = sparkpost_header(ACCOUNT, handover, replace(raw(RAW), track_clicks=True))
    name, _, told = line.decode().partition(": ")
    assert name == "X-MSYS-API"
    assert len(line) < 998
    assert json.loads(told) == {
        "options": {"open_tracking": False, "click_tracking": True, "transactional": True},
        "metadata": {"postroom_handover": str(handover)},
    }
