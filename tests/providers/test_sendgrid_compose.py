"""A mail as calls: what SendGrid's documented substitution makes of one is what we would render."""

import html
import json
import time
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.domain.template import MissingField, parse
from postroom.providers.base import Account, Call, CannotCarry, Copy, RawMail
from postroom.providers.sendgrid import SendGridCarrier
from postroom.providers.sendgrid.compose import (
    CALL_BYTES_MAX,
    RECIPIENTS_MAX,
    SUBSTITUTION_BYTES_MAX,
)

ACCOUNT = Account(1, "sg", "sendgrid", simulated=False, settings={"api_key": "SG.secret"})
PLAIN = Content(
    Mailbox("news@example.com", "The News"),
    "Hello {{ name }}",
    text="Dear {{ name }}, your code is {{ code }}",
    html="<p>Dear {{ name }}</p><a href='https://example.com/?c={{ code }}'>go</a>",
)


def copy(number: int, recipient: str | None = None, **vars: str) -> Copy:
    return Copy(UUID(int=number), recipient or f"user{number}@example.com", vars=vars)


def compose(content: Content, *copies: Copy) -> list[Call]:
    return SendGridCarrier().compose(ACCOUNT, content, copies)


def payload(call: Call) -> dict[str, Any]:
    found = json.loads(call.body())
    assert isinstance(found, dict)
    return found


def received(call: Call) -> Iterator[tuple[str, str, str, list[str]]]:
    """Per copy: hand-over id, address, subject and bodies, by the vendor's documented rule."""
    mail = payload(call)
    for block in mail["personalizations"]:
        texts = [
            block.get("subject") or mail["subject"],
            *(part["value"] for part in mail["content"]),
        ]
        subject, *bodies = (substituted(text, block.get("substitutions", {})) for text in texts)
        (to,) = block["to"]
        yield block["custom_args"]["postroom_handover"], to["email"], subject, bodies


def substituted(text: str, values: dict[str, str]) -> str:
    """Every tag replaced by its value, and tags in values too, four levels deep."""
    for _ in range(4):
        for tag, value in values.items():
            text = text.replace(tag, value)
    return text


values = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=40)
spiteful = st.sampled_from(
    ["-", "{{ name }}", "-0-", "<b>&amp;</b>", '"', "\\", "%code%", "\u2028"]
)


@given(st.lists(st.tuples(values | spiteful, values | spiteful), min_size=1, max_size=5))
def test_substitution_there_gives_what_our_own_rendering_gives(
    pairs: list[tuple[str, str]],
) -> None:
    copies = [copy(n, name=name, code=code) for n, (name, code) in enumerate(pairs)]
    (call,) = compose(PLAIN, *copies)
    for one, (handover, address, subject, (text, page)) in zip(copies, received(call), strict=True):
        assert (handover, address) == (str(one.handover_id), one.recipient)
        assert text == parse(PLAIN.text or "").render(one.vars)
        assert page == parse(PLAIN.html or "").render(one.vars, html.escape)
        assert "\n" not in subject
        assert "\r" not in subject


def test_escaping_never_reaches_the_text_part() -> None:
    (call,) = compose(PLAIN, copy(1, name="<Jo> & Co", code="1"))
    ((_, _, subject, (text, page)),) = received(call)
    assert subject == "Hello <Jo> & Co"
    assert "<Jo> & Co" in text
    assert "&lt;Jo&gt; &amp; Co" in page


def test_a_value_that_looks_like_a_tag_stays_that_text() -> None:
    carrier = SendGridCarrier(new_delimiter=lambda: "known")
    spiteful = copy(1, name="-known.1-", code="secret")
    (call,) = carrier.compose(ACCOUNT, PLAIN, [spiteful])
    ((_, _, _, (text, _)),) = received(call)
    assert text == "Dear -known.1-, your code is secret"
    assert "substitutions" not in payload(call)["personalizations"][0]


def test_a_delimiter_that_occurs_in_the_mail_is_not_used() -> None:
    given = iter(["taken", "free"])
    carrier = SendGridCarrier(new_delimiter=lambda: next(given))
    content = replace(PLAIN, text="taken {{ name }}")
    (call,) = carrier.compose(ACCOUNT, content, [copy(1, name="Jo", code="1")])
    assert all("free" in tag for tag in payload(call)["personalizations"][0]["substitutions"])


def test_no_tag_is_the_beginning_of_another() -> None:
    keys = [f"k{n}" for n in range(12)]
    content = replace(PLAIN, text=" ".join(f"{{{{ {key} }}}}" for key in keys), html=None)
    (call,) = compose(content, copy(1, name="Jo", **{key: key.upper() for key in keys}))
    ((_, _, _, (text,)),) = received(call)
    assert text == " ".join(keys).upper()


def test_a_line_break_in_a_value_never_reaches_the_subject() -> None:
    (call,) = compose(PLAIN, copy(1, name="Jo\r\nBcc: all@example.com", code="1"))
    ((_, _, subject, (text, _)),) = received(call)
    assert subject == "Hello Jo Bcc: all@example.com"
    assert "Jo\r\nBcc" in text


def test_an_empty_subject_is_a_space_because_the_vendor_refuses_none() -> None:
    (call,) = compose(replace(PLAIN, subject=""), copy(1, name="Jo", code="1"))
    assert payload(call)["subject"] == " "


def test_a_missing_value_is_named() -> None:
    with pytest.raises(MissingField):
        compose(PLAIN, copy(1, name="Jo"))


def test_a_recipient_with_much_to_fill_in_goes_alone_rendered_by_us() -> None:
    long = copy(2, name="ü" * SUBSTITUTION_BYTES_MAX, code="1")
    alone, shared = compose(PLAIN, copy(1, name="Jo", code="1"), long, copy(3, name="Al", code="2"))
    assert alone.copies == (long,)
    assert alone.changes
    ((_, _, _, (text, page)),) = received(alone)
    assert text == parse(PLAIN.text or "").render(long.vars)
    assert page == parse(PLAIN.html or "").render(long.vars, html.escape)
    assert [one.handover_id.int for one in shared.copies] == [1, 3]


def test_substitutions_stay_below_the_vendor_s_limit() -> None:
    lengths = range(2_000, 4_000, 37)
    calls = compose(PLAIN, *(copy(n, name="é" * n, code="x") for n in lengths))
    sizes = [
        sum(
            len(tag.encode()) + len(value.encode()) for tag, value in block["substitutions"].items()
        )
        for call in calls
        for block in payload(call)["personalizations"]
        if "substitutions" in block
    ]
    assert sizes
    assert max(sizes) <= SUBSTITUTION_BYTES_MAX
    assert sum(len(call.copies) for call in calls) == len(lengths)


def test_calls_hold_a_thousand_recipients_at_most() -> None:
    calls = compose(PLAIN, *(copy(n, name="Jo", code="1") for n in range(2_001)))
    assert [len(call.copies) for call in calls] == [RECIPIENTS_MAX, RECIPIENTS_MAX, 1]


def test_an_address_occurs_once_in_a_call_whatever_its_case() -> None:
    twins = [
        copy(n, to, name="Jo", code="1") for n, to in enumerate(["a@x.de", "A@X.DE", "b@x.de"])
    ]
    calls = compose(PLAIN, *twins)
    assert [[one.recipient for one in call.copies] for call in calls] == [
        ["a@x.de", "b@x.de"],
        ["A@X.DE"],
    ]


def test_each_slice_is_its_copy_s_own_part_and_nobody_else_s() -> None:
    for call in compose(PLAIN, *(copy(n, name=f"Zoë {n}", code="1") for n in range(30))):
        body = call.body()
        for one, (start, length) in zip(call.copies, call.slices, strict=True):
            own = json.loads(body[start : start + length])
            assert own["to"] == [{"email": one.recipient}]
            assert own["custom_args"] == {"postroom_handover": str(one.handover_id)}


def test_every_call_of_a_mail_shares_one_blob() -> None:
    carrier = SendGridCarrier()
    batches = [[copy(n, name="Jo", code="1")] for n in range(3)]
    calls = [call for batch in batches for call in carrier.compose(ACCOUNT, PLAIN, batch)]
    calls += carrier.compose(ACCOUNT, PLAIN, [copy(9, name="x" * 9_001, code="1")])
    assert len({digest for call in calls for digest in call.shared}) == 1


def test_mails_composed_in_turn_never_mix() -> None:
    carrier = SendGridCarrier()
    mails = [replace(PLAIN, text=f"mail {n}", html=None, subject="x") for n in range(12)]
    for mail in mails * 2:
        (call,) = carrier.compose(ACCOUNT, mail, [copy(1)])
        assert payload(call)["content"][0]["value"] == mail.text


def test_nothing_is_tracked_unasked() -> None:
    (call,) = compose(PLAIN, copy(1, name="Jo", code="1"))
    tracking = payload(call)["tracking_settings"]
    assert {name: setting["enable"] for name, setting in tracking.items()} == {
        "click_tracking": False,
        "open_tracking": False,
        "subscription_tracking": False,
        "ganalytics": False,
    }


def test_what_is_asked_for_is_tracked() -> None:
    (call,) = compose(
        replace(PLAIN, track_opens=True, track_clicks=True), copy(1, name="", code="")
    )
    tracking = payload(call)["tracking_settings"]
    assert tracking["open_tracking"]["enable"]
    assert tracking["click_tracking"] == {"enable": True, "enable_text": False}


def test_everything_of_the_mail_is_there() -> None:
    content = replace(
        PLAIN,
        reply_to=(Mailbox("help@example.com", "Help, please"),),
        headers=(("List-Unsubscribe", "<https://example.com/u>"), ("X-Note", "grüße")),
        attachments=(
            Attachment("logo.png", "image/png", b"\x89PNG", content_id="logo"),
            Attachment("größe.pdf", "application/pdf", b"%PDF"),
        ),
    )
    (call,) = compose(content, copy(1, name="Jo", code="1"))
    mail = payload(call)
    assert mail["from"] == {"email": "news@example.com", "name": "The News"}
    assert mail["reply_to"] == {"email": "help@example.com", "name": '"Help, please"'}
    assert [part["type"] for part in mail["content"]] == ["text/plain", "text/html"]
    assert mail["headers"] == {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "List-Unsubscribe": "<https://example.com/u>",
        "X-Note": "=?utf-8?b?Z3LDvMOfZQ==?=",
    }
    inline, file = mail["attachments"]
    assert (inline["disposition"], inline["content_id"]) == ("inline", "logo")
    assert b64decode(file["content"]) == b"%PDF"
    assert (file["filename"], file["disposition"]) == ("größe.pdf", "attachment")
    assert "content_id" not in file


def test_several_reply_addresses_are_a_list() -> None:
    people = (Mailbox("a@example.com"), Mailbox("b@example.com", "B"))
    (call,) = compose(replace(PLAIN, reply_to=people), copy(1, name="", code=""))
    assert payload(call)["reply_to_list"] == [
        {"email": "a@example.com"},
        {"email": "b@example.com", "name": "B"},
    ]


def test_the_application_s_own_word_on_automatic_mail_stands() -> None:
    content = replace(PLAIN, headers=(("auto-submitted", "no"),))
    (call,) = compose(content, copy(1, name="", code=""))
    assert payload(call)["headers"] == {
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "auto-submitted": "no",
    }


def test_names_of_recipients_are_shown() -> None:
    named = replace(copy(1, name="x", code="y"), name="Ö, Jo")
    (call,) = compose(PLAIN, named)
    assert payload(call)["personalizations"][0]["to"][0]["name"] == '"Ö, Jo"'


@pytest.mark.parametrize(
    "changed",
    [
        {"cc": (Mailbox("b@example.com"),)},
        {"display_to": (Mailbox("all@example.com"),)},
        {"message_id": "<1@example.com>"},
        {"headers": (("Date", "today"),)},
        {"headers": (("Content-Language", "de"),)},
        {"headers": (("X-A", "1"), ("x-a", "2"))},
        {"text": None, "html": None},
        {"text": "", "html": ""},
        {"attachments": (Attachment("a.txt", "text/plain", b""),)},
        {"attachments": (Attachment("a.ics", "text/calendar; method=REQUEST", b"x"),)},
        {"attachments": (Attachment("a.eml", "message/rfc822", b"x"),)},
        {"attachments": (Attachment("a.bin", "application/zip", bytes(CALL_BYTES_MAX)),)},
    ],
    ids=",".join,
)
def test_what_the_json_cannot_say_goes_another_way(changed: dict[str, Any]) -> None:
    with pytest.raises(CannotCarry) as refusal:
        compose(replace(PLAIN, **changed), copy(1, name="Jo", code="1"))
    assert str(refusal.value)


def test_a_finished_mail_goes_another_way() -> None:
    mail = RawMail(mail_from="", copies={}, shared={})
    with pytest.raises(CannotCarry):
        SendGridCarrier().compose(ACCOUNT, mail, [])


def test_calls_stay_below_thirty_megabytes() -> None:
    file = Attachment("a.bin", "application/zip", bytes(22_000_000))
    content = replace(PLAIN, text="{{ name }}", html=None, attachments=(file,))
    calls = compose(content, *(copy(n, name="x" * 8_000) for n in range(300)))
    assert len(calls) > 1
    assert max(len(call.body()) for call in calls) <= CALL_BYTES_MAX
    assert sum(len(call.copies) for call in calls) == 300


def test_a_hundred_thousand_copies_are_composed_in_two_seconds_of_cpu() -> None:
    copies = [copy(n, name=f"Zoë {n}", code=str(n)) for n in range(100_000)]
    begun = time.process_time()
    calls = compose(PLAIN, *copies)
    assert time.process_time() - begun < 2
    assert len(calls) == 100
    assert sum(map(_length, calls)) > 0


def _length(call: Call) -> int:
    return len(call.body())
