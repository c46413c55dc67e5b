"""A mail as Mailgun's forms: its documented substitution makes of them what we would render."""

import html
import json
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.message import Message
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.template import MissingField, parse
from postroom.providers.base import Account, Call, CannotCarry, Copy, RawMail, Stored
from postroom.providers.mailgun import MailgunCarrier, MailgunMimeCarrier, mailgun_header
from postroom.providers.mailgun.compose import LIMITS
from postroom.providers.mailgun.form import content_type_of
from tests.providers.mail_making import CONTENT, INVITE, LOGO, PDF, PLAIN, copies, copy, headers

ACCOUNT = Account(1, "mg", "mailgun", False, {"api_key": "key-1", "domain": "mg.example.org"})


def compose(content: Content, *to: Copy) -> list[Call]:
    return MailgunCarrier().compose(ACCOUNT, content, to)


def parts(call: Call) -> list[Message]:
    """The form's parts, by the standard library's reading."""
    body = call.body()
    form = message_from_bytes(f"Content-Type: {content_type_of(body)}\r\n\r\n".encode() + body)
    found = form.get_payload()
    assert isinstance(found, list)
    return [part for part in found if isinstance(part, Message)]


def name_of(part: Message) -> str:
    return str(part.get_param("name", header="content-disposition"))


def value_of(part: Message) -> str:
    value = part.get_payload(decode=True)
    assert isinstance(value, bytes)
    return value.decode()


def fields(call: Call) -> dict[str, str]:
    """The parts that are text, the last of each name."""
    return {name_of(p): value_of(p) for p in parts(call) if not p.get_filename()}


def received(call: Call) -> Iterator[tuple[str, str, list[str]]]:
    """Per copy: address, hand-over id and texts, by the vendor's documented rule."""
    form = fields(call)
    for address, values in json.loads(form["recipient-variables"]).items():
        texts = [form[name] for name in ("v:postroom_handover", "subject", "text", "html")]
        for key, value in values.items():
            texts = [text.replace(f"%recipient.{key}%", value) for text in texts]
        yield address, texts[0], texts[1:]


values = st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), max_size=30)
spiteful = st.sampled_from(["%", "%code%", "{{ name }}", "<b>&amp;</b>", '"', "\\", "%recip"])


@given(st.lists(st.tuples(values | spiteful, values | spiteful), min_size=1, max_size=4))
def test_substitution_there_gives_what_our_own_rendering_gives(
    pairs: list[tuple[str, str]],
) -> None:
    to = [copy(n, name=name, code=code) for n, (name, code) in enumerate(pairs)]
    (call,) = compose(replace(CONTENT, subject="Hello {{ code }}"), *to)
    for one, (address, handover, texts) in zip(to, received(call), strict=True):
        assert (address, handover) == (one.recipient, str(one.handover_id))
        assert texts[1] == parse(CONTENT.text or "").render(one.vars)
        assert texts[2] == parse(CONTENT.html or "").render(one.vars, html.escape)


def test_recipients_never_see_each_other() -> None:
    (call,) = compose(PLAIN, *copies(3))
    named = json.loads(fields(call)["recipient-variables"])
    assert sorted(named) == [f"user{n}@example.com" for n in range(3)]
    assert [name_of(p) for p in parts(call)].count("to") == 3
    assert not {"cc", "bcc"} & fields(call).keys()


def test_every_copy_s_slice_is_its_own_entry_and_nobody_else_s() -> None:
    (call,) = compose(CONTENT, *copies(3))
    body = call.body()
    for one, (start, length) in zip(call.copies, call.slices, strict=True):
        entry = json.loads(b"{" + body[start : start + length] + b"}")
        assert list(entry) == [one.recipient]
        assert str(one.handover_id) in entry[one.recipient].values()


@pytest.mark.parametrize(("count", "sizes"), [(1000, [1000]), (1001, [1000, 1])])
def test_a_call_takes_a_thousand_recipients_and_not_one_more(count: int, sizes: list[int]) -> None:
    assert [len(call.copies) for call in compose(PLAIN, *copies(count))] == sizes


def test_an_address_stands_in_one_call_once_whatever_its_case() -> None:
    calls = compose(PLAIN, copy(0, "a@example.com"), copy(1, "A@example.com"), copy(2))
    assert [len(call.copies) for call in calls] == [2, 1]


def test_large_mails_go_in_smaller_calls() -> None:
    big = replace(PLAIN, attachments=(Attachment("a.bin", "a/b", b"x" * (LIMITS.bytes - 200_000)),))
    calls = compose(big, *(copy(n, f"{'u' * 50}{n}@example.com") for n in range(1_000)))
    assert len(calls) > 1
    assert all(len(call.body()) <= LIMITS.bytes for call in calls)
    assert sum(len(call.copies) for call in calls) == 1_000


def test_what_is_the_same_for_all_is_one_shared_blob() -> None:
    (call,) = compose(replace(PLAIN, attachments=(PDF,)), *copies(5))
    (blob,) = call.shared.values()
    assert b"%PDF-1.7" in blob
    assert [type(segment) for segment in call.segments] == [bytes, Stored]


def test_tracking_is_always_said() -> None:
    form = fields(compose(PLAIN, copy(1))[0])
    assert [form[f"o:tracking{kind}"] for kind in ("", "-opens", "-clicks")] == ["no"] * 3
    form = fields(compose(replace(PLAIN, track_clicks=True), copy(1))[0])
    tracked = [form[f"o:tracking{kind}"] for kind in ("", "-opens", "-clicks")]
    assert tracked == ["yes", "no", "htmlonly"]


def test_headers_names_and_files_arrive_as_they_are() -> None:
    content = replace(
        CONTENT,
        reply_to=(Mailbox("a@example.com", "Jo Å"), Mailbox("b@example.com")),
        attachments=(PDF, LOGO, replace(PDF, filename='sær"på.pdf')),
        **headers(X_Case="4711", List_Unsubscribe="<https://example.com/u>"),
    )
    (call,) = compose(content, copy(1, "jo@bücher.example", "Jo, Å"))
    form = fields(call)
    assert form["to"] == "=?utf-8?b?Sm8sIMOF?= <jo@xn--bcher-kva.example>"
    assert form["from"] == '"The News, Oslo" <news@example.com>'
    assert form["h:Reply-To"] == "=?utf-8?b?Sm8gw4U=?= <a@example.com>, b@example.com"
    assert (form["h:X-Case"], form["h:Auto-Submitted"]) == ("4711", "auto-generated")
    files = [(name_of(p), p.get_payload(decode=True)) for p in parts(call) if p.get_filename()]
    assert files == [
        ("attachment", PDF.content),
        ("inline", LOGO.content),
        ("attachment", PDF.content),
    ]


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
        {"attachments": (replace(PDF, content=b""),)},
        {"attachments": (replace(LOGO, content_id="other"),), "html": "<p>x</p>"},
        {"text": "Leave: %unsubscribe_url%"},
        {"subject": "To %recipient%"},
        {"text": "%recipient.{{ name }}%"},
        headers(X_Mailgun_Tag="x"),
        headers(Content_Language="no"),
        headers(Sender="x@example.com"),
        {"attachments": (replace(PDF, content=b"x" * LIMITS.bytes),)},
    ],
)
def test_what_the_form_cannot_say_is_not_carried(changes: dict[str, Any]) -> None:
    with pytest.raises(CannotCarry):
        compose(replace(PLAIN, **changes), copy(1))


def test_a_value_that_mailgun_would_fill_in_is_not_carried() -> None:
    with pytest.raises(CannotCarry):
        compose(CONTENT, copy(1, code="%recipient%"))


MAIL = b"From: a@example.com\r\nTo: list@example.com\r\nSubject: x\r\n\r\nA \xe2\x82\xac\r\n.\r\n"


def raw(mail: bytes, **changes: Any) -> RawMail:
    digest = sha256(mail).digest()
    return RawMail(
        "a@example.com", {copy(1).handover_id: (Stored(digest, 0, len(mail)),)}, {digest: mail},
        **changes,
    )  # fmt: skip


def test_a_finished_mail_goes_whole_to_the_envelope_s_recipient_alone() -> None:
    (call,) = MailgunMimeCarrier().compose(ACCOUNT, raw(MAIL, track_opens=True), [copy(1)])
    form = fields(call)
    assert form["to"] == "user1@example.com"
    assert form["v:postroom_handover"] == str(copy(1).handover_id)
    assert (form["o:tracking-opens"], form["o:tracking-clicks"]) == ("yes", "no")
    assert MAIL + b"\r\n--" in call.body()
    assert call.slices == ((0, len(call.body())),)
    assert "envelope sender of Mailgun" in call.changes


@pytest.mark.parametrize("text", [b"%recipient%", b"%recipient.x%", b"%unsubscribe_url%"])
def test_a_finished_mail_that_mailgun_would_fill_in_is_not_carried(text: bytes) -> None:
    with pytest.raises(CannotCarry):
        MailgunMimeCarrier().compose(ACCOUNT, raw(MAIL + text), [copy(1)])


def test_a_finished_mail_that_is_too_large_is_not_carried() -> None:
    with pytest.raises(CannotCarry):
        MailgunMimeCarrier().compose(ACCOUNT, raw(MAIL + b"x" * LIMITS.bytes), [copy(1)])


def test_each_road_takes_its_own_kind_of_mail() -> None:
    with pytest.raises(CannotCarry):
        MailgunCarrier().compose(ACCOUNT, raw(MAIL), [copy(1)])
    with pytest.raises(CannotCarry):
        MailgunMimeCarrier().compose(ACCOUNT, PLAIN, [copy(1)])


def test_the_smtp_headers_carry_the_id_and_say_what_is_tracked() -> None:
    lines = mailgun_header(ACCOUNT, copy(1).handover_id, raw(MAIL)).decode().splitlines()
    name, _, value = lines[0].partition(": ")
    assert (name, json.loads(value)) == (
        "X-Mailgun-Variables",
        {"postroom_handover": str(copy(1).handover_id)},
    )
    assert lines[1:] == [
        "X-Mailgun-Track: no", "X-Mailgun-Track-Opens: no", "X-Mailgun-Track-Clicks: no",
    ]  # fmt: skip
