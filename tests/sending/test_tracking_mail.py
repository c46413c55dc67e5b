"""Tracking of mail that came by SMTP: its HTML leads back to what it was, all else stays."""

import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage, Message
from email.policy import SMTP, default
from html import unescape
from uuid import UUID

import pytest
from django.conf import settings

from postroom.domain.tracking import Keys, Kind, read
from postroom.providers.base import assemble
from postroom.sending import messages
from tests.conformance.mails import INVITATION, PLAIN, SIGNED
from tests.sending.test_messages import NOW, stored

BASE = "https://t.corp.example"
COPY = UUID(int=77)
URL = "https://b\u00fccher.example/\u00e4?a=1&b=2"
PAGE = (
    '<html><body>Gr\u00fc\u00dfe <a href="https://b\u00fccher.example/\u00e4?a=1&amp;b=2">x</a>\n'
    '<a href="mailto:a@b.example">y</a>\n</body></html>\n'
)
HEAD = b"From: a@example.com\r\nSubject: Hi\r\nMIME-Version: 1.0\r\n"


def message(data: bytes, asked: bytes = b"opens, clicks") -> messages.Message:
    """The mail as the sender has it, asking for this."""
    header = b"X-Postroom-Track: " + asked + b"\r\n" if asked else b""
    return messages.parsed(
        replace(stored(1, header + data, "smtp"), simulated=True, tracking_url=BASE), NOW
    )


def copy_of(data: bytes, asked: bytes = b"opens, clicks") -> bytes:
    """One copy of the mail."""
    one = message(data, asked)
    mail = one.cleaned(frozenset())
    assert one.tracked_mail is not None, "it is not tracked"
    return assemble(one.tracked_mail.segments(COPY, mail.segments), mail.shared)


def is_untouched(data: bytes) -> bool:
    return message(data).tracked_mail is None


def behind(page: str) -> list[str]:
    """Where the links of a page lead to, ours and others."""
    found = []
    for written in re.findall(r'href="?([^">]+)', page):
        token = written.removeprefix(f"{BASE}/t/c/")
        followed = read(Kind.CLICK, token, [Keys.of(settings.POSTROOM_SECRET_KEY)])
        found.append(unescape(written) if followed is None else followed.url)
    return found


def restored(page: str) -> str:
    """The page as it was."""
    page = re.sub(r"<img [^>]*>", "", page)
    links = iter(behind(page))
    return re.sub(r'href="[^"]+"', lambda _: f'href="{next(links).replace("&", "&amp;")}"', page)


def part(encoding: str, charset: str) -> bytes:
    """An HTML entity."""
    mail = EmailMessage(policy=SMTP)
    mail.set_content(PAGE, subtype="html", charset=charset, cte=encoding)
    del mail["MIME-Version"]
    return mail.as_bytes()


def text_of(entity: Message) -> str:
    """The very text of an entity, line ends included."""
    payload = entity.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return payload.decode(entity.get_content_charset() or "utf-8")


CODINGS = [
    (encoding, charset)
    for encoding in ("8bit", "quoted-printable", "base64")
    for charset in ("utf-8", "iso-8859-1")
]


@pytest.mark.parametrize(("encoding", "charset"), CODINGS)
def test_html_alone_leads_back_whatever_its_encoding(encoding: str, charset: str) -> None:
    sent = message_from_bytes(copy_of(HEAD + part(encoding, charset)), policy=default)
    page = text_of(sent)
    assert behind(page) == [URL, "mailto:a@b.example"]
    assert f"{BASE}/t/o/" in page
    assert restored(page) == text_of(message_from_bytes(part(encoding, charset)))
    assert sent.get_content_charset() == charset
    assert max(map(len, sent.as_bytes().splitlines())) < 998


@pytest.mark.parametrize(("encoding", "charset"), CODINGS)
def test_around_the_html_no_byte_changes(encoding: str, charset: str) -> None:
    before = (
        HEAD
        + b'Content-Type: multipart/mixed; boundary="--a"\r\n\r\nprose <a href="x">\r\n----a\r\n'
        b"Content-Type: multipart/alternative; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nHi  \r\n<a href='https://x.example'>\r\n--b\r\n"
    )
    after = (
        b"\r\n--b--\r\n\r\n----a\r\nContent-Type: text/html\r\n"
        b"Content-Disposition: attachment\r\n\r\n<a href='https://x.example'>x</a>\r\n"
        b"----a\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: text/html\r\n\r\n"
        b"<a href='https://x.example'>x</a>\r\n----a--\r\nepilogue\r\n"
    )
    sent = copy_of(before + part(encoding, charset) + after)
    assert sent.startswith(before)
    assert sent.endswith(after)
    page = message_from_bytes(sent, policy=default).get_body(("html",))
    assert page is not None
    assert restored(text_of(page)) == text_of(message_from_bytes(part(encoding, charset)))


def test_a_part_that_says_no_encoding_gets_one() -> None:
    sent = copy_of(HEAD + b"Content-Type: text/html\r\n\r\n<a href=https://x.example>x</a>\r\n")
    mail = message_from_bytes(sent, policy=default)
    assert mail["Content-Transfer-Encoding"] == "quoted-printable"
    assert behind(mail.get_content()) == ["https://x.example"]


@pytest.mark.parametrize(
    "data",
    [
        *SIGNED.values(),
        b"DKIM-Signature: v=1\r\n" + HEAD + part("8bit", "utf-8"),
        HEAD
        + b"Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n"
        + SIGNED["PGP"]
        + b"\r\n--a\r\n"
        + part("8bit", "utf-8")
        + b"\r\n--a--\r\n",
        HEAD + b"Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nMIIB\r\n",
        PLAIN,
        INVITATION,
        HEAD + b"\r\n<a href='https://x.example'>no HTML</a>\r\n",
        HEAD
        + b"Content-Type: text/html; charset=unheard-of\r\n\r\n<a href='https://x.example'>\r\n",
        HEAD + b"Content-Type: text/html; charset=us-ascii\r\n\r\n\xff<a href='https://x.example'>",
        HEAD + b"Content-Type: text/html\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin\r\n",
        HEAD + b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n?=?\r\n",
    ],
)
def test_what_may_not_or_cannot_be_changed_is_left_alone(data: bytes) -> None:
    assert is_untouched(data)


def test_nothing_is_tracked_that_nobody_asks_for() -> None:
    data = HEAD + part("8bit", "utf-8")
    assert message(data, b"none").tracked_mail is None
    assert message(data, b"").tracked_mail is None


def test_lines_with_odd_ends_keep_them() -> None:
    body = b"<p>one\n two\r three\r\n<a href='https://x.example'>x</a>"
    sent = copy_of(HEAD + b"Content-Type: text/html\r\n\r\n" + body, b"clicks")
    payload = message_from_bytes(sent).get_payload(decode=True)
    assert isinstance(payload, bytes)
    assert payload.startswith(b"<p>one\n two\r three\r\n<a href='https://t.corp.example/")


def test_the_record_names_what_was_changed() -> None:
    tracked = message(HEAD + part("base64", "utf-8")).tracked_mail
    assert tracked is not None
    (change,) = tracked.changes
    assert change.startswith("text/html: 1 links and 1 pictures lead through us")
    assert re.search("[0-9a-f]{64}$", change)
