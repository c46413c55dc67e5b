"""Mails that somebody broke, cut or blew up: no traceback, no invention, and no waiting."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.reason import read
from postroom.providers.base import Unreadable
from postroom.providers.bounces import HANDOVER, RECIPIENT, BounceReceiver, is_personal, parse_mail

HEAD = b"From: MAILER-DAEMON@x.example\nTo: news@corp.example\nSubject: failure notice\n"
REPORT = (
    HEAD + b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
    b"--b\nContent-Type: text/plain; charset=iso-2022-jp\n\n<jo@example.com>: unknown\n"
    b"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x.example\n\n"
    b"Original-Recipient: rfc822; jo@example.com\nFinal-Recipient: rfc822; jo@example.com\n"
    b"Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 unknown\n"
    b"Last-Attempt-Date: Tue, 24 Nov 2026 09:00:00 +0100\n\n"
    b"--b\nContent-Type: message/rfc822\n\nTo: jo@example.com\n\nHello\n--b--\n"
)
COMPLAINT = (
    HEAD + b'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
    b"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: abuse\n"
    b"Original-Rcpt-To: jo@example.com\n\n--b--\n"
)
PROSE = [file.read_bytes() for file in (Path(__file__).parent / "fixtures/bounces").iterdir()]
WHOLE = [REPORT, COMPLAINT, *(HEAD + b"\n" + text for text in PROSE)]
NOTES = {HANDOVER: "019ab3c0-7d10-7abc-8def-0123456789ab", RECIPIENT: "jo@example.com"}


def check(mail: bytes) -> None:
    """Every address that is reported stands in the mail, and everything can be read on."""
    said = mail.decode("latin-1").lower()
    for heard in parse_mail(mail):
        read(heard, "smtp")
        local = (heard.recipient or "").partition("@")[0].lower()
        assert local.encode().decode("latin-1") in said
    is_personal(mail)
    assert list(BounceReceiver().parse(NOTES, mail))


@given(st.binary(max_size=500))
def test_noise_is_no_bounce(noise: bytes) -> None:
    check(noise)


@given(st.sampled_from(WHOLE), st.data())
def test_a_mail_that_was_cut_or_mended_never_raises(whole: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.integers(0, 200))
    noise = data.draw(st.binary(max_size=100))
    check(whole[:start] + noise + whole[start + length :])


@given(st.sampled_from(WHOLE), st.sampled_from(WHOLE), st.data())
def test_two_mails_grown_together_never_raise(
    one: bytes, other: bytes, data: st.DataObject
) -> None:
    check(one[: data.draw(st.integers(0, len(one)))] + other)


PIECES: dict[str, bytes] = {
    "letters": b"a",
    "half addresses": b"a@",
    "addresses": b"jo@example.com\n",
    "labels": b"to ",
    "announcements": b"could not be delivered to ",
    "empty lines": b"\n",
    "markers": b"-----",
    "codes": b"550 5.1.1 ",
}


@pytest.mark.parametrize("piece", PIECES)
def test_ten_megabytes_of_prose_are_read_at_once(piece: str) -> None:
    assert seconds(HEAD + b"\n" + PIECES[piece] * (10_000_000 // len(PIECES[piece]))) < 3


PARTS: dict[str, bytes] = {
    "parts": b"--b\n\nx\n",
    "pages": b"--b\nContent-Type: text/html\n\n<style <head <br \n",
    "recipients": (
        b"--b\nContent-Type: message/delivery-status\n\nFinal-Recipient: rfc822; j@x.example\n"
        b"Action: failed\nStatus: 5.1.1\n\n"
    ),
}


@pytest.mark.parametrize("part", PARTS)
def test_ten_megabytes_of_parts_are_read_at_once(part: str) -> None:
    head = HEAD + b'Content-Type: multipart/mixed; boundary="b"\n\n'
    assert seconds(head + PARTS[part] * (10_000_000 // len(PARTS[part]))) < 6


def test_ten_megabytes_of_headers_are_read_at_once() -> None:
    assert seconds(HEAD + b"X-Y: z\n" * 1_400_000 + b"\n") < 3


def seconds(mail: bytes) -> float:
    begun = time.process_time()
    parse_mail(mail)
    return time.process_time() - begun


def test_a_mail_nested_without_end_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        parse_mail(HEAD + b"Content-Type: message/rfc822\n\n" * 5_000)
    with pytest.raises(Unreadable):
        list(BounceReceiver().parse(NOTES, HEAD + b"Content-Type: message/rfc822\n\n" * 5_000))
