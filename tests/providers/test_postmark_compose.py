"""A mail as Postmark's JSON: a complete message for each copy."""

from dataclasses import replace
from typing import Any

import pytest

from postroom.domain.content import Attachment, Mailbox
from postroom.providers.base import CannotCarry, RawMail, Stored
from postroom.providers.postmark import PostmarkCarrier, PostmarkSmtpCarrier
from postroom.providers.postmark.compose import BODY_BYTES_MAX, MESSAGE_BYTES_MAX
from postroom.providers.postmark.smtp_road import CHANGES, postmark_header
from tests.providers.json_vendors import POSTMARK
from tests.providers.mail_making import CONTENT, LOGO, PDF, PLAIN, copies, copy, headers

ACCOUNT = POSTMARK.account
compose, messages = POSTMARK.compose, POSTMARK.pieces


def raw(data: bytes = b"Subject: x\r\n\r\nx\r\n") -> RawMail:
    return RawMail("a@example.com", {copy(1).handover_id: (data,)}, {})


def test_what_all_have_in_common_is_kept_once() -> None:
    content = replace(CONTENT, attachments=(replace(PDF, content=b"x" * 30_000),))
    (call,) = compose(content, *copies(20))
    (blob,) = call.shared.values()
    assert blob.count(b"bill.pdf") == 1
    written = sum(len(segment) for segment in call.segments if isinstance(segment, bytes))
    assert written < 20 * 1_000
    assert any(isinstance(segment, Stored) for segment in call.segments)


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


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "x" * (BODY_BYTES_MAX + 1)},
        {"attachments": (Attachment("a.bin", "a/b", b"x" * MESSAGE_BYTES_MAX),)},
        headers(X_PM_Tag="x"),
        headers(X_PM_Metadata_name="Jo"),
    ],
)
def test_what_the_json_cannot_say_is_not_carried(changes: dict[str, Any]) -> None:
    with pytest.raises(CannotCarry):
        compose(replace(PLAIN, **changes), copy(1))


def test_a_finished_mail_goes_by_smtp() -> None:
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
