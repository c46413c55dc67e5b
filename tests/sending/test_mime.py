"""Mail that we build ourselves, read back by the standard library."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, MIMEPart
from email.policy import default
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.providers.base import Copy, assemble
from postroom.sending.mime import build, quoted_printable

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)
KIM = Copy(UUID(int=1), "kim@example.org", "Kim Berg", {"name": "Kim", "sum": "1 < 2 & 3"})
LEE = Copy(UUID(int=2), "lee@example.org", None, {"name": "Lee", "sum": "0"})
SENDER = Mailbox("news@example.com", "The News")
INVITATION = Attachment(
    "invite.ics", "text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
)


def data(content: Content, copy: Copy = KIM) -> bytes:
    """One copy's bytes."""
    mail = build(content, NOW).mail([copy])
    return assemble(mail.copies[copy.handover_id], mail.shared)


def read(content: Content, copy: Copy = KIM) -> EmailMessage:
    """One copy, as the standard library reads it."""
    message = message_from_bytes(data(content, copy), policy=default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def shape(message: MIMEPart) -> object:
    """The structure in short."""
    if not message.is_multipart():
        return message.get_content_type()
    return [message.get_content_subtype(), *(shape(part) for part in message.iter_parts())]


def test_each_copy_shows_its_own_recipient_and_its_own_values() -> None:
    content = Content(SENDER, "For {{ name }}", text="Dear {{ name }}\r\n", html="<b>{{ sum }}</b>")
    kim, lee = read(content), read(content, LEE)
    assert kim["To"] == "Kim Berg <kim@example.org>"
    assert lee["To"] == "lee@example.org"
    assert (kim["Subject"], lee["Subject"]) == ("For Kim", "For Lee")
    text, html = kim.get_body(("plain",)), kim.get_body(("html",))
    assert text is not None
    assert html is not None
    assert text.get_content() == "Dear Kim\r\n"
    assert html.get_content().strip() == "<b>1 &lt; 2 &amp; 3</b>"
    assert b"kim" not in data(content, LEE).lower()


def test_shown_recipients_and_copies_are_kept_in_every_copy() -> None:
    shown = (Mailbox("board@example.com", "The Board"), Mailbox("staff@example.com"))
    content = Content(SENDER, "Hi", text="x", display_to=shown, cc=(Mailbox("cc@example.com"),))
    for copy in (KIM, LEE):
        message = read(content, copy)
        assert message["To"] == "The Board <board@example.com>, staff@example.com"
        assert message["Cc"] == "cc@example.com"
        assert copy.recipient not in data(content, copy).decode()


def test_the_mail_has_what_a_mail_needs() -> None:
    message = read(Content(SENDER, "Hi", text="x", reply_to=(Mailbox("desk@example.com"),)))
    assert message["From"] == "The News <news@example.com>"
    assert message["Reply-To"] == "desk@example.com"
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == f"<{KIM.handover_id}@example.com>"
    assert message["MIME-Version"] == "1.0"


def test_it_says_that_no_person_wrote_it_unless_told_otherwise() -> None:
    plain = read(Content(SENDER, "Hi", text="x"))
    assert plain["Auto-Submitted"] == "auto-generated"
    assert plain["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    told = read(Content(SENDER, "Hi", text="x", headers=(("auto-submitted", "no"),)))
    assert told.get_all("Auto-Submitted") == ["no"]


def test_a_given_message_id_is_kept() -> None:
    given_id = read(Content(SENDER, "Hi", text="x", message_id="<mine@example.com>"))
    assert given_id["Message-ID"] == "<mine@example.com>"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (Content(SENDER, "Hi", text="x"), "text/plain"),
        (Content(SENDER, "Hi", html="x"), "text/html"),
        (Content(SENDER, "Hi", text="x", html="y"), ["alternative", "text/plain", "text/html"]),
        (Content(SENDER, "Hi"), "text/plain"),
        (
            Content(SENDER, "Hi", text="x", attachments=(INVITATION,)),
            ["alternative", "text/plain", "text/calendar"],
        ),
        (
            Content(
                SENDER,
                "Hi",
                text="x",
                html="y",
                attachments=(
                    Attachment("a.png", "image/png", b"\x89PNG", content_id="logo@example.com"),
                    Attachment("b.pdf", "application/pdf", b"%PDF"),
                ),
            ),
            [
                "mixed",
                ["alternative", "text/plain", ["related", "text/html", "image/png"]],
                "application/pdf",
            ],
        ),
    ],
)
def test_the_structure_is_the_smallest_that_says_what_each_part_is(
    content: Content, expected: object
) -> None:
    assert shape(read(content)) == expected


def test_an_invitation_keeps_its_method_and_its_bytes() -> None:
    message = read(Content(SENDER, "Hi", text="x", attachments=(INVITATION,)))
    *_, part = message.iter_parts()
    assert isinstance(part, EmailMessage)
    assert part.get_param("method") == "REQUEST"
    assert part.get_payload(decode=True) == INVITATION.content


@pytest.mark.parametrize(
    "name", ['a "b" c.pdf', "Übersicht, Größe.pdf", "x" * 150 + ".pdf", "a;b.pdf"]
)
def test_attachments_keep_name_and_bytes(name: str) -> None:
    whole = bytes(range(256)) * 40
    message = read(
        Content(SENDER, "Hi", text="x", attachments=(Attachment(name, "application/pdf", whole),))
    )
    *_, part = message.iter_parts()
    assert isinstance(part, EmailMessage)
    assert part.get_filename() == name
    assert part.get_content() == whole


def test_a_mail_within_a_mail_travels_as_a_file() -> None:
    inner = Attachment("old.eml", "message/rfc822", b"Subject: old\r\n\r\nx\r\n")
    message = read(Content(SENDER, "Hi", text="x", attachments=(inner,)))
    *_, part = message.iter_parts()
    assert isinstance(part, EmailMessage)
    assert part.get_content_type() == "application/octet-stream"
    assert part.get_content() == inner.content


def test_large_parts_are_kept_once_for_all_copies() -> None:
    big = Attachment("b.bin", "application/octet-stream", b"x" * 300_000)
    mail = build(Content(SENDER, "Hi {{ name }}", text="x", attachments=(big,)), NOW).mail(
        [KIM, LEE]
    )
    assert len(mail.shared) == 1
    for segments in mail.copies.values():
        assert sum(len(segment) for segment in segments if isinstance(segment, bytes)) < 300


_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=200)


@given(value=_TEXT)
def test_no_value_breaks_out_of_the_subject(value: str) -> None:
    copy = Copy(UUID(int=1), "kim@example.org", None, {"name": value})
    whole = data(Content(SENDER, "Re: {{ name }} {{ name }}", text="x"), copy)
    head, _, _ = whole.partition(b"\r\n\r\n")
    names = [line.partition(b":")[0] for line in head.split(b"\r\n") if line[:1] not in b" \t"]
    assert names == [
        b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted",
        b"X-Auto-Response-Suppress", b"MIME-Version", b"Content-Type",
        b"Content-Transfer-Encoding",
    ]  # fmt: skip
    assert max(map(len, head.split(b"\r\n"))) <= 998


@given(value=_TEXT)
def test_no_value_breaks_out_of_its_part_and_text_survives_the_encoding(value: str) -> None:
    copy = Copy(UUID(int=1), "kim@example.org", None, {"name": value})
    content = Content(SENDER, "Hi", text="a {{ name }} b", html="<p>{{ name }}</p>")
    message = read(content, copy)
    assert shape(message) == ["alternative", "text/plain", "text/html"]
    text = message.get_body(("plain",))
    assert text is not None
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    payload = text.get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.decode().replace("\r\n", "\n") == f"a {lines} b"


@given(value=_TEXT)
def test_encoded_lines_are_short_and_plain(value: str) -> None:
    encoded = quoted_printable(value)
    assert encoded.isascii()
    assert all(len(line) <= 76 for line in encoded.split(b"\r\n"))
    assert b"\r" not in encoded.replace(b"\r\n", b"")
    assert b"\n" not in encoded.replace(b"\r\n", b"")
