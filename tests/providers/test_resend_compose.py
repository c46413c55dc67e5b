"""A mail as Resend's JSON: an entry of its own for each copy."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from postroom.domain.content import Attachment, Mailbox
from postroom.providers.base import CannotCarry
from postroom.providers.resend.compose import idempotency_key
from tests.providers.json_vendors import RESEND
from tests.providers.mail_making import CONTENT, LOGO, PDF, PLAIN, copies, copy, headers

compose, entries = RESEND.compose, RESEND.pieces


def test_names_are_quoted_so_that_none_is_read_as_something_else() -> None:
    (call,) = compose(CONTENT, copy(1, "jo@example.com", 'Doe, "Jo" Åse'))
    (entry,) = entries(call)
    assert entry["from"] == '"The News, Oslo" <news@example.com>'
    assert entry["to"] == ['"Doe, \\"Jo\\" Åse" <jo@example.com>']
    (plain,) = entries(compose(PLAIN, copy(1, "jo@example.com", "Åse Berg\r\nBcc: x"))[0])
    assert plain["to"] == ['"Åse Berg Bcc: x" <jo@example.com>']


def test_the_idempotency_key_is_the_same_for_the_same_hand_overs_alone() -> None:
    assert idempotency_key(copies(3)) == idempotency_key(copies(3)) != idempotency_key(copies(2))
    assert len(idempotency_key(copies(100))) <= 256


def test_a_mail_with_attachments_goes_alone_and_its_files_are_stored_once() -> None:
    content = replace(CONTENT, attachments=(PDF, LOGO))
    first, second = compose(content, *copies(2))
    assert first.shared == second.shared
    (entry,) = entries(first)
    assert first.body()[:1] == b"{"
    assert [one["filename"] for one in entry["attachments"]] == ["bill.pdf", "logo.png"]
    assert base64.b64decode(entry["attachments"][0]["content"]) == PDF.content
    assert entry["attachments"][1]["content_id"] == "logo.png"
    assert "content_id" not in entry["attachments"][0]


def test_a_mail_without_a_text_part_stays_without_one() -> None:
    (entry,) = entries(compose(replace(PLAIN, text=None, html="<p>x</p>"), copy(1))[0])
    assert (entry["text"], entry["html"]) == ("", "<p>x</p>")


def test_what_the_mail_says_of_itself_is_said() -> None:
    content = replace(
        PLAIN,
        subject="",
        reply_to=(Mailbox("a@example.com", "Jo"), Mailbox("b@example.com")),
        **headers(X_Case="4711", List_Unsubscribe="<https://example.com/u>"),
    )
    (entry,) = entries(compose(content, copy(1))[0])
    assert entry["reply_to"] == ['"Jo" <a@example.com>', "b@example.com"]
    assert entry["headers"]["X-Case"] == "4711"
    assert entry["headers"]["Auto-Submitted"] == "auto-generated"
    assert entry["headers"]["List-Unsubscribe"] == "<https://example.com/u>"
    assert (entry["subject"], "html" in entry) == (" ", False)


@pytest.mark.parametrize(
    "changes",
    [
        {"attachments": (replace(PDF, content_type="application/octet-stream"),)},
        {"attachments": (replace(PDF, filename=""),)},
        {"attachments": (Attachment("x.eml", "message/rfc822", b"x"),)},
        headers(Message_ID="<x@example.com>"),
        headers(Resend_Idempotency_Key="x"),
        headers(X_SES_CONFIGURATION_SET="x"),
    ],
)
def test_what_would_be_changed_or_lost_is_not_carried(changes: dict[str, Any]) -> None:
    with pytest.raises(CannotCarry):
        compose(replace(PLAIN, **changes), copy(1))


def test_a_mail_beyond_the_vendor_s_size_is_not_carried() -> None:
    large = replace(PDF, content=bytes(31_000_000))
    with pytest.raises(CannotCarry, match="larger"):
        compose(replace(PLAIN, attachments=(large,)), copy(1))
