"""Structure: signed, encrypted and calendar mail is known, in whatever part it stands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postroom.domain.structure import Structure, structure_of

PLAIN = b"Subject: hello\r\n\r\nThis is multipart/signed in words only.\r\n"


def mail(content_type: str, body: str = "x") -> bytes:
    """A mail of one part."""
    return f"Subject: a\r\nContent-Type: {content_type}\r\n\r\n{body}\r\n".encode()


def inside(outer: str, part: bytes) -> bytes:
    """The mail as a part of a multipart mail."""
    head = f'MIME-Version: 1.0\r\nContent-Type: {outer}; boundary="cut"\r\n\r\n--cut\r\n'.encode()
    return head + part + b"\r\n--cut--\r\n"


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("text/plain", Structure()),
        ("text/html; charset=utf-8", Structure()),
        ("text/plain; name=multipart/signed", Structure()),
        ('multipart/signed; protocol="application/pgp-signature"', Structure(signed=True)),
        ("MULTIPART/Signed", Structure(signed=True)),
        ("\r\n multipart/signed; micalg=sha-256", Structure(signed=True)),
        ("multipart/encrypted; protocol=application/pgp-encrypted", Structure(encrypted=True)),
        ("application/pkcs7-mime; smime-type=signed-data; name=smime.p7m", Structure(signed=True)),
        ('application/x-pkcs7-mime;\r\n\tSMIME-Type="signed-data"', Structure(signed=True)),
        ("application/pkcs7-mime; smime-type=enveloped-data", Structure(encrypted=True)),
        ("application/pkcs7-mime", Structure(encrypted=True)),
        ("text/calendar; charset=utf-8; method=request", Structure(calendar_method="REQUEST")),
        ('text/calendar; METHOD="CANCEL"', Structure(calendar_method="CANCEL")),
        ("text/calendar", Structure()),
    ],
)
@pytest.mark.parametrize("outer", [None, "multipart/mixed", "multipart/alternative"])
def test_the_type_of_any_part_tells(
    content_type: str, expected: Structure, outer: str | None
) -> None:
    data = mail(content_type)
    assert structure_of(data if outer is None else inside(outer, data)) == expected


def test_words_in_the_text_are_no_signature() -> None:
    assert structure_of(PLAIN) == Structure()
    assert structure_of(PLAIN).may_be_rebuilt


def test_an_attached_signed_mail_counts_too() -> None:
    attached = b"Content-Type: message/rfc822\r\n\r\n" + mail("multipart/signed")
    assert structure_of(inside("multipart/mixed", attached)).signed


def test_of_two_content_types_both_count() -> None:
    data = b"Content-Type: text/plain\r\nContent-Type: multipart/signed\r\n\r\nx"
    assert structure_of(data).signed


def test_inline_armour_is_known() -> None:
    signed = mail("text/plain", "-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256")
    encrypted = mail("text/plain", "-----BEGIN PGP MESSAGE-----")
    assert structure_of(signed) == Structure(signed=True)
    assert structure_of(encrypted) == Structure(encrypted=True)


@pytest.mark.parametrize(
    "structure",
    [
        Structure(signed=True),
        Structure(encrypted=True),
        Structure(calendar_method="REQUEST"),
        Structure(readable=False),
    ],
)
def test_none_of_these_may_be_rebuilt(structure: Structure) -> None:
    assert not structure.may_be_rebuilt


def test_endless_nesting_is_not_looked_into() -> None:
    levels = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n)
        for n in range(3_000)
    )
    assert not structure_of(levels + mail("multipart/signed")).readable


BROKEN_LINES = [
    b"Content-Type: multipart/signed; boundary=a",
    b"Content-Type: message/rfc822",
    b"Content-Type: text/calendar;=",
    b"Content-Type:",
    b"--a",
    b"--a--",
    b" \xff\x00",
    b":",
    b"",
]


@given(st.lists(st.sampled_from(BROKEN_LINES)))
def test_broken_mail_has_a_structure(lines: list[bytes]) -> None:
    assert isinstance(structure_of(b"\r\n".join(lines)), Structure)
