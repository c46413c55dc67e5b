"""Mails and copies for the tests of carriers."""

from typing import Any
from uuid import UUID

from postroom.domain.content import Attachment, Content, Mailbox
from postroom.providers.base import Copy

CONTENT = Content(
    Mailbox("news@example.com", "The News, Oslo"),
    "Hello {{ name }}",
    text="Dear {{ name }}, your code is {{ code }}",
    html="<p>Dear {{ name }}</p><a href='https://example.com/?c={{ code }}'>go</a>",
)
PLAIN = Content(Mailbox("news@example.com"), "Hello", text="Dear all")
PDF = Attachment("bill.pdf", "application/pdf", b"%PDF-1.7 \x00\xff")
LOGO = Attachment("logo.png", "image/png", b"\x89PNG\x00", "logo.png")
INVITE = Attachment("invite.ics", "text/calendar; method=REQUEST", b"BEGIN:VCALENDAR\r\n")


def copy(number: int, recipient: str | None = None, shown: str | None = None, **vars: str) -> Copy:
    """The copy of one recipient."""
    filled = {"name": f"N{number}", "code": f"C{number}"} | vars
    return Copy(UUID(int=number + 1), recipient or f"user{number}@example.com", shown, filled)


def copies(count: int) -> list[Copy]:
    """So many copies, each for another recipient."""
    return [copy(number) for number in range(count)]


def headers(**given: str) -> dict[str, Any]:
    """Header fields of a content by their names with underscores."""
    return {"headers": tuple((name.replace("_", "-"), value) for name, value in given.items())}
