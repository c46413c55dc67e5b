"""A mail as Brevo's JSON: a version of its own for each copy."""

import html
import json
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.template import MissingField, parse
from postroom.providers.base import Account, Call, CannotCarry, Copy, RawMail
from postroom.providers.brevo import BrevoCarrier, BrevoSmtpCarrier
from postroom.providers.brevo.compose import LIMITS
from postroom.providers.brevo.smtp_road import brevo_header
from tests.providers.mail_making import CONTENT, INVITE, LOGO, PDF, PLAIN, copies, copy, headers

ACCOUNT = Account(1, "br", "brevo", False, {"api_key": "xkeysib-1"})
RAW = RawMail("a@example.com", {copy(1).handover_id: (b"Subject: x\r\n\r\nx\r\n",)}, {})


def compose(content: Content, *to: Copy) -> list[Call]:
    return BrevoCarrier().compose(ACCOUNT, content, to)


def payload(call: Call) -> dict[str, Any]:
    found = json.loads(call.body())
    assert isinstance(found, dict)
    return found


values = st.text(st.characters(codec="utf-8", exclude_characters="\x00{"), max_size=30)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=4))
def test_every_version_has_the_texts_of_its_own_copy(pairs: list[tuple[str, str]]) -> None:
    to = [copy(n, name=name, code=code) for n, (name, code) in enumerate(pairs)]
    (call,) = compose(CONTENT, *to)
    for one, version in zip(to, payload(call)["messageVersions"], strict=True):
        assert version["to"] == [{"email": one.recipient}]
        assert version["headers"]["X-Mailin-custom"] == f"postroom_handover:{one.handover_id}"
        assert version["headers"]["Auto-Submitted"] == "auto-generated"
        assert version["textContent"] == parse(CONTENT.text or "").render(one.vars)
        assert version["htmlContent"] == parse(CONTENT.html or "").render(one.vars, html.escape)


def test_only_the_opaque_id_stands_in_the_header_that_the_recipient_sees() -> None:
    (call,) = compose(CONTENT, copy(1, "secret@example.com", "Secret"))
    (version,) = payload(call)["messageVersions"]
    assert "secret" not in json.dumps(version["headers"]).lower()


@pytest.mark.parametrize(("count", "sizes"), [(1000, [1000]), (1001, [1000, 1])])
def test_a_call_takes_a_thousand_versions_and_not_one_more(count: int, sizes: list[int]) -> None:
    assert [len(call.copies) for call in compose(PLAIN, *copies(count))] == sizes


def test_every_copy_s_slice_is_its_own_version() -> None:
    (call,) = compose(CONTENT, *copies(3))
    body = call.body()
    slices = [json.loads(body[start : start + length]) for start, length in call.slices]
    assert slices == payload(call)["messageVersions"]


def test_calls_stay_within_the_vendor_s_bytes() -> None:
    calls = compose(replace(CONTENT, html="{{ name }}" + "å" * 100_000), *copies(80))
    assert len(calls) > 1
    assert all(len(call.body()) <= LIMITS.bytes for call in calls)


def test_the_idempotency_key_is_the_same_for_the_same_hand_overs_alone() -> None:
    first, again, other = (
        payload(compose(PLAIN, *to)[0])["headers"]["idempotencyKey"]
        for to in (copies(3), copies(3), copies(2))
    )
    assert first == again != other
    assert UUID(first).version == 4


def test_what_all_have_in_common_is_said_once() -> None:
    content = replace(
        PLAIN,
        reply_to=(Mailbox("a@example.com", "Jo"),),
        attachments=(PDF,),
        **headers(X_Case="4711"),
    )
    told = payload(compose(content, copy(1, "jo@example.com", "Jo, Å"))[0])
    assert told["messageVersions"][0]["to"] == [{"email": "jo@example.com", "name": "Jo, Å"}]
    assert told["sender"] == {"email": "news@example.com"}
    assert told["replyTo"] == {"email": "a@example.com", "name": "Jo"}
    assert told["headers"]["X-Case"] == "4711"
    assert [each["name"] for each in told["attachment"]] == ["bill.pdf"]
    assert (told["subject"], told["textContent"]) == ("Hello", "Dear all")
    assert "htmlContent" not in told


def test_a_missing_value_is_named() -> None:
    with pytest.raises(MissingField, match="name"):
        compose(CONTENT, replace(copy(1), vars={"code": "x"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"cc": (Mailbox("c@example.com"),)},
        {"display_to": (Mailbox("c@example.com"),)},
        {"message_id": "<own@example.com>"},
        {"text": None},
        {"reply_to": (Mailbox("a@example.com"), Mailbox("b@example.com"))},
        {"attachments": (INVITE,)},
        {"attachments": (LOGO,), "html": "<img src='cid:logo.png'>"},
        {"attachments": (replace(PDF, content_type="application/octet-stream"),)},
        {"attachments": (Attachment("run.exe", "application/x-msdownload", b"MZ"),)},
        {"text": r"Dear \{{ params.name }}"},
        {"text": "Dear {% if x %}"},
        headers(X_Mailin_Tag="x"),
        headers(X_Sib_Sandbox="drop"),
        headers(idempotencyKey="x"),
    ],
)
def test_what_the_json_cannot_say_is_not_carried(changes: dict[str, Any]) -> None:
    with pytest.raises(CannotCarry):
        compose(replace(PLAIN, **changes), copy(1))


@pytest.mark.parametrize("value", ["{{ contact.EMAIL }}", "{% now %}", "{"])
def test_a_value_that_brevo_could_fill_in_is_not_carried(value: str) -> None:
    with pytest.raises(CannotCarry):
        compose(CONTENT, copy(1, name=value))


def test_a_finished_mail_goes_by_smtp_alone() -> None:
    with pytest.raises(CannotCarry):
        BrevoCarrier().compose(ACCOUNT, RAW, [copy(1)])
    (call,) = BrevoSmtpCarrier().compose(ACCOUNT, RAW, [copy(1)])
    assert call.body().endswith(b"Subject: x\r\n\r\nx\r\n")
    assert "Message-ID written by Brevo" in call.changes


def test_the_smtp_header_carries_the_id_and_nothing_else() -> None:
    handover = copy(1).handover_id
    line = brevo_header(ACCOUNT, handover, RAW)
    assert line == f"X-Mailin-custom: postroom_handover:{handover}\r\n".encode()
