"""A mail as Postmark's JSON: a complete message for each copy."""

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
from postroom.providers.postmark import PostmarkCarrier, PostmarkSmtpCarrier
from postroom.providers.postmark.compose import BODY_BYTES_MAX, LIMITS, MESSAGE_BYTES_MAX
from postroom.providers.postmark.smtp_road import CHANGES, postmark_header
from tests.providers.mail_making import CONTENT, INVITE, LOGO, PDF, PLAIN, copies, copy, headers

ACCOUNT = Account(1, "pm", "postmark", False, {"server_token": "t"})


def compose(content: Content, *to: Copy, account: Account = ACCOUNT) -> list[Call]:
    return PostmarkCarrier().compose(account, content, to)


def messages(call: Call) -> list[dict[str, Any]]:
    found = json.loads(call.body())
    assert isinstance(found, list)
    return found


def raw(data: bytes = b"Subject: x\r\n\r\nx\r\n") -> RawMail:
    return RawMail("a@example.com", {copy(1).handover_id: (data,)}, {})


values = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=4))
def test_every_message_has_the_texts_of_its_own_copy(pairs: list[tuple[str, str]]) -> None:
    to = [copy(n, name=name, code=code) for n, (name, code) in enumerate(pairs)]
    (call,) = compose(CONTENT, *to)
    for one, message in zip(to, messages(call), strict=True):
        assert message["To"] == one.recipient
        assert message["Metadata"] == {"postroom_handover": str(one.handover_id)}
        assert message["TextBody"] == parse(CONTENT.text or "").render(one.vars)
        assert message["HtmlBody"] == parse(CONTENT.html or "").render(one.vars, html.escape)


def test_a_line_end_in_a_value_never_reaches_the_subject() -> None:
    (call,) = compose(CONTENT, copy(1, name="Jo\r\nBcc: x@example.com"))
    assert messages(call)[0]["Subject"] == "Hello Jo Bcc: x@example.com"


@pytest.mark.parametrize(("count", "sizes"), [(500, [500]), (501, [500, 1])])
def test_a_call_takes_five_hundred_messages_and_not_one_more(count: int, sizes: list[int]) -> None:
    assert [len(call.copies) for call in compose(CONTENT, *copies(count))] == sizes


def test_every_copy_s_slice_is_its_own_message() -> None:
    (call,) = compose(CONTENT, *copies(3))
    body = call.body()
    slices = [json.loads(body[start : start + length]) for start, length in call.slices]
    assert slices == messages(call)


def test_what_all_have_in_common_is_kept_once() -> None:
    content = replace(CONTENT, attachments=(replace(PDF, content=b"x" * 30_000),))
    (call,) = compose(content, *copies(20))
    (blob,) = call.shared.values()
    assert blob.count(b"bill.pdf") == 1
    written = sum(len(segment) for segment in call.segments if isinstance(segment, bytes))
    assert written < 20 * 1_000
    assert any(isinstance(segment, Stored) for segment in call.segments)


def test_calls_stay_within_the_vendor_s_bytes() -> None:
    big = replace(CONTENT, html="{{ name }}" + "x" * 1_000_000)
    calls = compose(big, *copies(60))
    assert len(calls) > 1
    assert all(len(call.body()) <= LIMITS.bytes for call in calls)


def test_everything_of_the_mail_is_said() -> None:
    content = replace(
        PLAIN,
        html="<p>x</p>",
        sender=Mailbox("news@example.com", 'The "News", Å'),
        reply_to=(Mailbox("a@example.com", "Jo"),),
        attachments=(PDF, LOGO),
        track_opens=True,
        **headers(X_Case="4711"),
    )
    (told,) = messages(compose(content, copy(1, "jo@example.com", "Jo, Å"))[0])
    assert told["To"] == '"Jo, Å" <jo@example.com>'
    assert told["From"] == '"The \\"News\\", Å" <news@example.com>'
    assert told["ReplyTo"] == '"Jo" <a@example.com>'
    assert (told["TrackOpens"], told["TrackLinks"]) == (True, "None")
    assert {"Name": "X-Case", "Value": "4711"} in told["Headers"]
    assert {"Name": "Auto-Submitted", "Value": "auto-generated"} in told["Headers"]
    assert [each.get("ContentID") for each in told["Attachments"]] == [None, "cid:logo.png"]
    assert (told["Subject"], told["TextBody"]) == ("Hello", "Dear all")
    assert told["MessageStream"] == "outbound"


def test_a_mail_goes_by_the_stream_of_its_account() -> None:
    carrier = PostmarkCarrier()
    others = replace(ACCOUNT, settings={"message_stream": "broadcast"})
    for account, stream in ((ACCOUNT, "outbound"), (others, "broadcast"), (ACCOUNT, "outbound")):
        (call,) = carrier.compose(account, PLAIN, [copy(1)])
        assert messages(call)[0]["MessageStream"] == stream


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
        {"text": "x" * (BODY_BYTES_MAX + 1)},
        {"reply_to": (Mailbox("a@example.com"), Mailbox("b@example.com"))},
        {"attachments": (INVITE,)},
        {"attachments": (Attachment("a.bin", "a/b", b"x" * MESSAGE_BYTES_MAX),)},
        headers(X_PM_Tag="x"),
        headers(X_PM_Metadata_name="Jo"),
        headers(Return_Path="x@example.com"),
    ],
)
def test_what_the_json_cannot_say_is_not_carried(changes: dict[str, Any]) -> None:
    with pytest.raises(CannotCarry):
        compose(replace(PLAIN, **changes), copy(1))


def test_a_finished_mail_goes_by_smtp_alone() -> None:
    with pytest.raises(CannotCarry):
        PostmarkCarrier().compose(ACCOUNT, raw(), [copy(1)])
    (call,) = PostmarkSmtpCarrier().compose(ACCOUNT, raw(), [copy(1)])
    assert call.body().endswith(b"X-PM-KeepID: true\r\nSubject: x\r\n\r\nx\r\n")
    assert set(CHANGES) < set(call.changes)


@pytest.mark.parametrize(
    "content_type",
    [
        b'multipart/signed; boundary="b"; protocol="application/pgp-signature"',
        b'multipart/encrypted; boundary="b"',
        b"application/pkcs7-mime; smime-type=signed-data",
        b"text/calendar; method=REQUEST",
    ],
)
def test_what_would_not_survive_being_rebuilt_is_not_carried(content_type: bytes) -> None:
    mail = raw(b"Content-Type: " + content_type + b"\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n")
    with pytest.raises(CannotCarry):
        PostmarkSmtpCarrier().compose(ACCOUNT, mail, [copy(1)])


def test_a_mail_larger_than_the_vendor_takes_is_not_carried_by_smtp() -> None:
    with pytest.raises(CannotCarry):
        PostmarkSmtpCarrier().compose(ACCOUNT, raw(b"x" * (MESSAGE_BYTES_MAX + 1)), [copy(1)])


def test_the_smtp_headers_say_the_id_the_stream_and_what_is_tracked() -> None:
    handover = copy(1).handover_id
    account = replace(ACCOUNT, settings={"message_stream": "broadcast\r\nBcc: x@example.com"})
    told = postmark_header(account, handover, replace(raw(), track_clicks=True)).decode()
    assert told.splitlines() == [
        f"X-PM-Metadata-postroom_handover: {handover}",
        "X-PM-Message-Stream: broadcast Bcc: x@example.com",
        "X-PM-TrackOpens: false",
        "X-PM-TrackLinks: HtmlOnly",
        "X-PM-KeepID: true",
    ]
