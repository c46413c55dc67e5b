"""A mail as Resend's JSON: an entry of its own for each copy."""

import base64
import html
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.template import MissingField, parse
from postroom.providers.base import Account, Call, CannotCarry, Copy, RawMail
from postroom.providers.resend import ResendCarrier
from postroom.providers.resend.compose import BATCH, idempotency_key
from tests.providers.mail_making import CONTENT, INVITE, LOGO, PDF, PLAIN, copies, copy, headers

ACCOUNT = Account(1, "re", "resend", False, {"api_key": "re_1"})
RAW = RawMail("a@example.com", {copy(1).handover_id: (b"Subject: x\r\n\r\nx\r\n",)}, {})


def compose(content: Content, *to: Copy) -> list[Call]:
    return ResendCarrier().compose(ACCOUNT, content, to)


def entries(call: Call) -> list[dict[str, Any]]:
    found = json.loads(call.body())
    return found if isinstance(found, list) else [found]


values = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=30)


@given(st.lists(st.tuples(values, values), min_size=1, max_size=4))
def test_every_entry_is_the_mail_of_its_own_copy(pairs: list[tuple[str, str]]) -> None:
    to = [copy(n, name=name, code=code) for n, (name, code) in enumerate(pairs)]
    (call,) = compose(CONTENT, *to)
    for one, entry in zip(to, entries(call), strict=True):
        assert entry["to"] == [one.recipient]
        assert entry["tags"] == [{"name": "postroom_handover", "value": str(one.handover_id)}]
        assert entry["headers"]["Auto-Submitted"] == "auto-generated"
        assert entry["text"] == parse(CONTENT.text or "").render(one.vars)
        assert entry["html"] == parse(CONTENT.html or "").render(one.vars, html.escape)


def test_names_are_quoted_so_that_none_is_read_as_something_else() -> None:
    (call,) = compose(CONTENT, copy(1, "jo@example.com", 'Doe, "Jo" Åse'))
    (entry,) = entries(call)
    assert entry["from"] == '"The News, Oslo" <news@example.com>'
    assert entry["to"] == ['"Doe, \\"Jo\\" Åse" <jo@example.com>']
    (plain,) = entries(compose(PLAIN, copy(1, "jo@example.com", "Åse Berg\r\nBcc: x"))[0])
    assert plain["to"] == ['"Åse Berg Bcc: x" <jo@example.com>']


@pytest.mark.parametrize(("count", "sizes"), [(100, [100]), (101, [100, 1])])
def test_a_call_takes_a_hundred_mails_and_not_one_more(count: int, sizes: list[int]) -> None:
    assert [len(call.copies) for call in compose(PLAIN, *copies(count))] == sizes


def test_every_copy_s_slice_is_its_own_entry() -> None:
    (call,) = compose(CONTENT, *copies(3))
    body = call.body()
    assert [json.loads(body[at : at + size]) for at, size in call.slices] == entries(call)


def test_long_shared_texts_are_stored_once() -> None:
    (call,) = compose(replace(CONTENT, html="x" * 5_000 + "{{ name }}"), *copies(50))
    own = sum(len(segment) for segment in call.segments if isinstance(segment, bytes))
    assert own < 50 * 1_000
    assert len(call.body()) > 50 * 5_000


def test_calls_stay_within_their_bytes() -> None:
    calls = compose(replace(CONTENT, html="{{ name }}" + "å" * 100_000), *copies(60))
    assert len(calls) > 1
    assert all(len(call.body()) <= BATCH.bytes for call in calls)


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
    assert entry["headers"]["List-Unsubscribe"] == "<https://example.com/u>"
    assert (entry["subject"], "html" in entry) == (" ", False)


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
        {"attachments": (INVITE,)},
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


def test_a_finished_mail_is_not_carried() -> None:
    with pytest.raises(CannotCarry, match="finished"):
        ResendCarrier().compose(ACCOUNT, RAW, [copy(1)])
