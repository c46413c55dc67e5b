"""A mail as Mailjet's JSON: a complete message for each copy."""

from dataclasses import replace
from typing import Any

import pytest

from postroom.domain.content import Attachment, Mailbox
from postroom.providers.base import CannotCarry
from postroom.providers.mailjet.compose import LIMITS
from postroom.providers.mailjet.smtp_road import mailjet_header
from tests.providers.json_vendors import MAILJET, RAW, payload
from tests.providers.mail_making import LOGO, PDF, PLAIN, copy, headers


def test_what_all_have_in_common_is_said_once() -> None:
    content = replace(
        PLAIN,
        html="<p>x</p>",
        reply_to=(Mailbox("a@example.com", "Jo"),),
        attachments=(PDF, LOGO),
        track_opens=True,
        **headers(X_Case="4711"),
    )
    told = payload(MAILJET.compose(content, copy(1, "jo@example.com", "Jo, Å"))[0])
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


@pytest.mark.parametrize(
    "changes",
    [
        headers(X_MJ_CustomID="x"),
        headers(X_Mailjet_Prio="3"),
        {"attachments": (Attachment("a.bin", "a/b", b"x" * LIMITS.bytes),)},
    ],
)
def test_what_the_json_cannot_say_is_not_carried(changes: dict[str, Any]) -> None:
    with pytest.raises(CannotCarry):
        MAILJET.compose(replace(PLAIN, **changes), copy(1))


def test_the_smtp_headers_carry_the_id_and_say_what_is_tracked() -> None:
    lines = mailjet_header(MAILJET.account, copy(1).handover_id, replace(RAW, track_clicks=True))
    assert lines.decode().splitlines() == [
        f"X-MJ-CustomID: {copy(1).handover_id}",
        "X-Mailjet-TrackOpen: 0",
        "X-Mailjet-TrackClick: 1",
    ]
