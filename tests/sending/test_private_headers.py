"""What leaves of a mail that came in by SMTP: every byte but the private headers."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.providers.base import CannotCarry, assemble
from postroom.sending.messages import parsed
from postroom.sending.private_headers import cleaned
from tests.sending.test_messages import NOW, stored

BODY = b"\r\nBcc: stays, for this is text\r\nX-Postroom-Lane: too\r\n"


def left(data: bytes, *steering: bytes) -> bytes:
    """The bytes that leave."""
    mail = cleaned(data, frozenset(steering))
    return assemble(mail.segments, mail.shared)


@pytest.mark.parametrize(
    "private",
    [
        b"Bcc: boss@example.com\r\n",
        b"BCC:boss@example.com\r\n",
        b"bcc : boss@example.com\r\n",
        b"Bcc: boss@example.com,\r\n\tother@example.com,\r\n third@example.com\r\n",
        b"Bcc:\r\n boss@example.com\r\n",
        b"Bcc:\r\n",
        b"Resent-Bcc: boss@example.com\r\n",
        b"Return-Path: <app@example.com>\r\n",
        b"X-Postroom-Lane: urgent\r\n",
        b"x-postroom-metadata: {\r\n  }\r\n",
        b"X-Postroom-Handover: forged\r\n",
        b"X-Postroom-Anything:\r\n",
    ],
)
def test_private_headers_stay_in_the_house_wherever_they_stand(private: bytes) -> None:
    first, last = b"From: a@example.com\r\n", b"Subject: Hi\r\n folded\r\n"
    expected = first + last + BODY
    assert left(private + first + last + BODY) == expected
    assert left(first + private + last + BODY) == expected
    assert left(first + last + private + BODY) == expected
    assert left(private + first + private + last + private + BODY) == expected


@pytest.mark.parametrize(
    "mail",
    [
        b"To: all@example.com\r\nCc: b@example.com\r\n\r\nHi\r\n",
        b"Subject: no body\r\n",
        b"Subject: no end of line",
        b"\r\nonly a body\r\n",
        b"",
        b"no header at all\r\n\r\nBcc: text\r\n",
        b"Subject: x\r\n\r\n" + b"y" * 5000 + b"\r\ncaf\xe9 \xff\r\n",
        b"X-Bcc: kept\r\nBccs: kept\r\nPostroom: kept\r\n\r\n",
        b"X-SMTPAPI: {}\r\n\r\n",
    ],
)
def test_all_other_bytes_leave_as_they_came(mail: bytes) -> None:
    assert left(mail) == mail


def test_headers_that_would_steer_our_account_are_left_out_on_that_road() -> None:
    mail = b'X-SMTPAPI: {"to":\r\n ["evil@example.com"]}\r\nSubject: Hi\r\n\r\n'
    assert left(mail, b"x-smtpapi") == b"Subject: Hi\r\n\r\n"


def test_a_blind_copy_behind_a_malformed_line_is_left_out_too() -> None:
    assert left(b"Subject: Hi\r\nmalformed\r\nBcc: b@x.example\r\n\r\n") == (
        b"Subject: Hi\r\nmalformed\r\n\r\n"
    )


@pytest.mark.parametrize("first", [b" folded: into ours", b"\tx", b"   \r\n  x"])
def test_a_mail_whose_first_line_would_fold_into_our_header_is_not_carried(first: bytes) -> None:
    with pytest.raises(CannotCarry):
        cleaned(first + b"\r\nSubject: Hi\r\n\r\n")


def test_a_mail_whose_first_line_is_blanks_is_carried_as_it_is() -> None:
    mail = b" " * 255 + b"\r\nSubject: Hi\r\n\r\nHi\r\n"
    assert left(mail) == mail


def test_what_was_left_out_is_named() -> None:
    assert cleaned(b"BCC: x@example.com\r\nReturn-Path: <>\r\n\r\n").removed == (
        "bcc",
        "return-path",
    )


_NAMES = st.sampled_from([b"Subject", b"To", b"X-Note", b"Received"])
_PRIVATE = st.sampled_from([b"Bcc", b"bCC", b"Resent-BCC", b"Return-path", b"X-POSTROOM-ref"])
_ENDS = st.sampled_from([b"\r\n", b"\n", b"\r"])
_VALUE = st.lists(
    st.binary(min_size=1, max_size=12).map(
        lambda text: text.replace(b"\r", b"r").replace(b"\n", b"n")
    ),
    min_size=1,
    max_size=3,
)


@st.composite
def _field(draw: st.DrawFn, names: st.SearchStrategy[bytes]) -> bytes:
    name, end = draw(names), draw(_ENDS)
    return name + b": " + (end + b"\t").join(draw(_VALUE)) + end


_FIELDS = st.lists(
    st.one_of(
        st.tuples(st.just(True), _field(_NAMES)), st.tuples(st.just(False), _field(_PRIVATE))
    ),
    max_size=6,
)


@given(fields=_FIELDS, body=st.binary(max_size=60))
def test_any_mix_of_headers_leaves_exactly_the_public_ones_and_the_body(
    fields: list[tuple[bool, bytes]], body: bytes
) -> None:
    whole = b"".join(field for _, field in fields)
    public = b"".join(field for stays, field in fields if stays)
    assert left(whole + b"\r\n" + body) == public + b"\r\n" + body


@given(data=st.binary(max_size=200))
def test_whatever_comes_in_nothing_is_added_and_no_private_header_leaves(data: bytes) -> None:
    try:
        once = left(data)
    except CannotCarry:
        assert data[:1] in (b" ", b"\t")
        return
    assert len(once) <= len(data)
    assert left(once) == once


@pytest.mark.parametrize(
    ("header", "track"),
    [
        (b"X-Postroom-Track: opens, clicks\r\n", {"opens", "clicks"}),
        (b"x-postroom-track:\r\n Clicks\r\n", {"clicks"}),
        (b"X-Postroom-Track: none\r\n", set()),
        (b"Subject: opens\r\n", None),
    ],
)
def test_a_mail_may_ask_to_have_its_opens_and_clicks_counted(
    header: bytes, track: set[str] | None
) -> None:
    assert cleaned(header + b"\r\nHi\r\n").track == track


@pytest.mark.parametrize(
    "kind",
    [
        b"multipart/signed; protocol=x; boundary=b",
        b"\r\n Multipart/Encrypted; boundary=b",
        b"application/pkcs7-mime; smime-type=signed-data",
        b"application/x-pkcs7-mime",
        b"multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: multipart/signed; boundary=b",
    ],
)
def test_a_signed_or_encrypted_mail_is_never_tracked(kind: bytes) -> None:
    data = b"X-Postroom-Track: opens\r\nContent-Type: " + kind + b"\r\n\r\nHi\r\n"
    assert parsed(replace(stored(1, data, "smtp"), simulated=True), NOW).wishes == set()
