"""The header block of a mail as received by SMTP, read without changing a byte of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from postroom.domain import encoded_word
from postroom.domain.address import Address, AddressError, parse_mailbox
from postroom.domain.problem import Problem, invalid_field

HOPS_MAX = 50
"""Received fields after which a mail is taken to go in circles; RFC 5321, section 6.3, says
100 at least is safe, and no house has fifty relays."""
_FIELD = re.compile(rb"([!-9;-~]+)[ \t]*:(.*)", re.DOTALL)
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_MAILBOX = re.compile(r'(?:"(?:[^"\\]|\\.)*"|\((?:[^()\\]|\\.)*\)|<[^<>]*>|[^,"(<])+')


@dataclass(frozen=True, slots=True)
class Headers:
    """The fields of a mail in order: lower-case name, value with its folds undone."""

    fields: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        """The values of every field of this name."""
        return [value for field, value in self.fields if field == name]

    def first(self, name: str) -> str | None:
        return next((value for field, value in self.fields if field == name), None)


def split_mail(data: bytes) -> tuple[bytes, bytes]:
    """Header block and body; the blank line between them belongs to neither."""
    if data.startswith(b"\r\n"):
        return b"", data[2:]
    block, _, body = data.partition(b"\r\n\r\n")
    return block, body


def read_headers(block: bytes) -> Headers:
    """The fields; raises Problem for a block that is too long or holds what is no field."""
    if len(block) > settings.POSTROOM_HEADER_BYTES_MAX:
        raise _refused(f"the header has {len(block)} bytes")
    unfolded = _FOLD.sub(b"", block.removesuffix(b"\r\n"))
    lines = unfolded.split(b"\r\n") if unfolded else []
    if len(lines) > settings.POSTROOM_HEADERS_MAX:
        raise _refused(f"the header has {len(lines)} fields")
    headers = Headers(tuple(_fields(lines)))
    if len(headers.all("received")) > HOPS_MAX:
        raise Problem(
            422, "loop", "The mail goes in circles", f"more than {HOPS_MAX} Received fields"
        )
    return headers


def _refused(what: str) -> Problem:
    count_max, bytes_max = settings.POSTROOM_HEADERS_MAX, settings.POSTROOM_HEADER_BYTES_MAX
    return invalid_field("header", f"{what}, at most {count_max} fields in {bytes_max} bytes")


def _fields(lines: list[bytes]) -> Iterator[tuple[str, str]]:
    for position, line in enumerate(lines, start=1):
        field = _FIELD.fullmatch(line)
        if field is None:
            raise invalid_field("header", f"field {position} is no `Name: value`")
        yield field[1].decode("ascii").lower(), _text(field[2].strip(b" \t"))


def _text(value: bytes) -> str:
    """As UTF-8, and where it is none as Latin-1: old clients send their local 8-bit set."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")


def readable(value: str) -> str:
    """The value for people: encoded words read, control characters replaced by a space."""
    return _CONTROLS.sub(" ", encoded_word.decode(value)).strip()


def senders(headers: Headers) -> list[Address]:
    """Every mailbox of From, then that of Sender (RFC 5322, section 3.6.2).

    Raises Problem when there is not exactly one From, more than one Sender, several mailboxes
    in From without a Sender to answer for them, or an address that no mail can come from.
    """
    froms, sender = headers.all("from"), headers.all("sender")
    if len(froms) != 1:
        found = "no From field" if not froms else f"{len(froms)} From fields"
        raise invalid_field("From", f"the mail has {found}, exactly one is needed")
    if len(sender) > 1:
        raise invalid_field("Sender", f"the mail has {len(sender)} Sender fields, at most one")
    authors = list(_mailboxes("From", froms[0]))
    answerable = list(_mailboxes("Sender", sender[0])) if sender else []
    if len(authors) > 1 and len(answerable) != 1:
        raise invalid_field("From", "several mailboxes need a Sender field with exactly one")
    return authors + answerable


def _mailboxes(field: str, value: str) -> Iterator[Address]:
    found = [text for text in _MAILBOX.findall(value) if text.strip(" \t")]
    if not found:
        raise invalid_field(field, "has no address")
    for text in found:
        try:
            yield parse_mailbox(text)[1]
        except AddressError as error:
            raise invalid_field(field, str(error)) from error
