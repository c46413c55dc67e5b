"""A mail as Mailjet's JSON: a complete message for each copy."""

import html
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.template import MissingField, parse
from postroom.providers.base import Account, Call, CannotCarry, Copy, RawMail, Stored
from postroom.providers.mailjet import MailjetCarrier, MailjetSmtpCarrier
from postroom.providers.mailjet.compose import LIMITS
from postroom.providers.mailjet.smtp_road import mailjet_header
from tests.providers.mail_making import CONTENT, INVITE, LOGO, PDF, PLAIN, copies, copy, headers

ACCOUNT = Account(1, "mj", "mailjet", False, {"api_key": "a", "api_secret": "b"})
RAW = RawMail("a@example.com", {copy(1).handover_id: (b"Subject: x\r\n\r\nx\r\n",)}, {})


def compose(content: Content, *to: Copy) -> list[Call]:
    return MailjetCarrier().compose(ACCOUNT, content, to)


def payload(call: Call) -> dict[str, Any]:
    found = json.loads(call.body())
    assert isinstance(found, dict)
    return found


def messages(call: Call) -> list[dict[str, Any]]:
    """Each message with what the globals add."""
    told = payload(call)
    return [told["Globals"] | message for message in told["Messages"]]


values = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=4))
def test_every_message_has_the_texts_of_its_own_copy(pairs: list[tuple[str, str]]) -> None:
    to = [copy(n, name=name, code=code) for n, (name, code) in enumerate(pairs)]
    (call,) = compose(CONTENT, *to)
    for one, message in zip(to, messages(call), strict=True):
        assert message["To"] == [{"Email": one.recipient}]
        assert message["CustomID"] == str(one.handover_id)
        assert message["TextPart"] == parse(CONTENT.text or "").render(one.vars)
        assert message["HTMLPart"] == parse(CONTENT.html or "").render(one.vars, html.escape)


def test_a_line_end_in_a_value_never_reaches_the_subject() -> None:
    (call,) = compose(CONTENT, copy(1, name="Jo\r\nBcc: x@example.com"))
    assert messages(call)[0]["Subject"] == "Hello Jo Bcc: x@example.com"


@pytest.mark.parametrize(("count", "sizes"), [(50, [50]), (51, [50, 1])])
def test_a_call_takes_fifty_messages_and_not_one_more(count: int, sizes: list[int]) -> None:
    assert [len(call.copies) for call in compose(CONTENT, *copies(count))] == sizes


def test_every_copy_s_slice_is_its_own_message() -> None:
    (call,) = compose(CONTENT, *copies(3))
    body = call.body()
    slices = [json.loads(body[start : start + length]) for start, length in call.slices]
    assert slices == payload(call)["Messages"]


def test_long_runs_of_the_text_are_kept_once() -> None:
    long = "word " * 2_000
    (call,) = compose(replace(CONTENT, text=f"Dear {{{{ name }}}} {long}"), *copies(20))
    (blob,) = call.shared.values()
    assert blob.count(long.encode()) == 1
    written = sum(len(segment) for segment in call.segments if isinstance(segment, bytes))
    assert written < 20 * 1_000
    assert any(isinstance(segment, Stored) for segment in call.segments)
    assert all(long in message["TextPart"] for message in messages(call))


def test_calls_stay_within_the_vendor_s_bytes() -> None:
    big = replace(CONTENT, html="{{ name }}" + "å" * 100_000)
    calls = compose(big, *copies(50))
    assert len(calls) > 1
    assert all(len(call.body()) <= LIMITS.bytes for call in calls)


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
    shared = told["Globals"]
    assert told["Messages"][0]["To"] == [{"Email": "jo@example.com", "Name": "Jo, Å"}]
    assert shared["From"] == {"Email": "news@example.com"}
    assert shared["ReplyTo"] == {"Email": "a@example.com", "Name": "Jo"}
    assert (shared["TrackOpens"], shared["TrackClicks"]) == ("enabled", "disabled")
    assert shared["Headers"]["X-Case"] == "4711"
    assert shared["Headers"]["Auto-Submitted"] == "auto-generated"
    assert [each["Filename"] for each in shared["Attachments"]] == ["bill.pdf"]
    assert [each["ContentID"] for each in shared["InlinedAttachments"]] == ["logo.png"]
    assert (shared["Subject"], shared["TextPart"]) == ("Hello", "Dear all")


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
        headers(X_MJ_CustomID="x"),
        headers(X_Mailjet_Prio="3"),
        headers(Return_Path="x@example.com"),
        {"attachments": (Attachment("a.bin", "a/b", b"x" * LIMITS.bytes),)},
    ],
)
def test_what_the_json_cannot_say_is_not_carried(changes: dict[str, Any]) -> None:
    with pytest.raises(CannotCarry):
        compose(replace(PLAIN, **changes), copy(1))


def test_a_finished_mail_goes_by_smtp_alone() -> None:
    with pytest.raises(CannotCarry):
        MailjetCarrier().compose(ACCOUNT, RAW, [copy(1)])
    (call,) = MailjetSmtpCarrier().compose(ACCOUNT, RAW, [copy(1)])
    assert call.body().endswith(b"Subject: x\r\n\r\nx\r\n")
    assert "Message-ID written by Mailjet" in call.changes


def test_the_smtp_headers_carry_the_id_and_say_what_is_tracked() -> None:
    lines = mailjet_header(ACCOUNT, copy(1).handover_id, replace(RAW, track_clicks=True))
    assert lines.decode().splitlines() == [
        f"X-MJ-CustomID: {copy(1).handover_id}",
        "X-Mailjet-TrackOpen: 0",
        "X-Mailjet-TrackClick: 1",
    ]
