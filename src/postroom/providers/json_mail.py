"""What mails born by HTTP have in common, whichever provider's API takes them."""

import re
from collections.abc import Collection

from postroom.domain import encoded_word
from postroom.domain.content import Attachment, Content, Mailbox
from postroom.providers.base import CannotCarry

AUTOMATIC = (
    ("Auto-Submitted", "auto-generated"),
    ("X-Auto-Response-Suppress", "OOF, AutoReply"),
)
"""Unless the application says otherwise: RFC 3834, and what Microsoft Exchange obeys."""

_LINE_ENDS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def one_line(text: str) -> str:
    """The text without what would end a header line, here or on the way."""
    return _LINE_ENDS.sub(" ", text)


def mailbox_text(mailbox: Mailbox) -> str:
    """`"name" <address>`, the name with all its characters: JSON has them."""
    if not mailbox.name:
        return mailbox.email
    name = one_line(mailbox.name).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{name}" <{mailbox.email}>'


def header_fields(content: Content) -> dict[str, str]:
    """The header fields of the content with those of automatic mail, in ASCII."""
    given = {name: _header_text(value) for name, value in content.headers}
    named = {name.lower() for name in given}
    return {**{name: value for name, value in AUTOMATIC if name.lower() not in named}, **given}


def _header_text(value: str) -> str:
    line = one_line(value)
    return line if line.isascii() else encoded_word.encode(line)


def check_people(content: Content, api: str) -> None:
    """Nothing; raises CannotCarry for people to show, and for a Message-ID to keep."""
    if content.cc or content.display_to:
        raise CannotCarry(f"{api} sends a copy to everybody it shows in Cc and To")
    if content.message_id is not None:
        raise CannotCarry(f"{api} gives the mail a Message-ID of its own")


def check_headers(content: Content, api: str, reserved: Collection[str]) -> None:
    """Nothing; raises CannotCarry for header fields that the API refuses or overwrites.

    `reserved` are lower-case names; one that ends in `-` stands for all that begin so.
    """
    beginnings = ("content-", "resent-", *(name for name in reserved if name.endswith("-")))
    names = [name.lower() for name, _ in content.headers]
    for name in names:
        if name in reserved or name.startswith(beginnings):
            raise CannotCarry(f"{api} does not carry the header {name}")
    if len(set(names)) < len(names):
        raise CannotCarry(f"{api} carries a header once only")


def check_attachment(attachment: Attachment, api: str) -> None:
    """Nothing; raises CannotCarry for a part of which the API would make another."""
    if not attachment.content:
        raise CannotCarry(f"{api} carries no empty attachment")
    kind = attachment.content_type.lower()
    if ";" in kind or kind.startswith(("message/", "multipart/")):
        raise CannotCarry(f"{api} does not carry an attachment of type {kind}")
