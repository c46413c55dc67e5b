"""The fields of mails and reports, each on one line and storable, or not there at all."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.header import Header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from postroom.domain import encoded_word
from postroom.providers import told

FIELD_CHARS_MAX = 8_192
_ADDRESS = re.compile(r"[^\s<>()@;:,\ufffd]{1,256}@[^\s<>()@;:,\"'\ufffd]{1,255}")
_REPORT_LINES_MAX = 20_000


def field(fields: Message, name: str) -> str | None:
    """A field on one line; None when absent or empty. Bytes beyond ASCII are UTF-8 (RFC 6532)."""
    value: object = fields.get(name)
    if isinstance(value, Header):
        raw = next(raw for key, raw in fields.raw_items() if key.lower() == name.lower())
        value = str(raw).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _one_line(str(value)) if value else None


def readable(mail: Message, name: str) -> str:
    """A field with its encoded words decoded (RFC 2047); as it stands where they are broken."""
    return told.storable(encoded_word.decode(field(mail, name) or ""))


def _one_line(value: str) -> str | None:
    return told.storable(" ".join(value[:FIELD_CHARS_MAX].split())) or None


def typed(group: Mapping[str, str], name: str) -> str | None:
    """The address, or host name, behind the `rfc822;` or `dns;` of a field (RFC 3464, 2.1.2)."""
    value = group.get(name, "").rpartition(";")[2].split("(")[0]
    return value.strip().strip("<>\"'") or None


def recipient(group: Mapping[str, str], name: str) -> str | None:
    """The mail address of a field; None for what is none, as the names of local users are."""
    found = _ADDRESS.search(typed(group, name) or "")
    return found[0] if found else None


def addresses(text: str) -> list[str]:
    """The addresses of a list of mailboxes."""
    return [address for _, address in getaddresses([text]) if "@" in address]


def when(text: str | None) -> datetime | None:
    """The instant of a mail date; None when it is none."""
    try:
        at = parsedate_to_datetime(text or "")
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError, IndexError):
        return None


_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]{1,40})[ \t]{0,9}:[ \t]{0,9}(.*)")


def groups(text: str) -> Iterator[dict[str, str]]:
    """The blocks of fields in a report's text, by lower-case name; folded lines joined.

    The blocks are parted by empty lines, or by a second Final-Recipient where a careless server
    leaves the line out; lines that are no field end none.
    """
    block: dict[str, str] = {}
    name = ""
    for line in text.splitlines()[:_REPORT_LINES_MAX]:
        found = _FIELD.match(line)
        if not line.strip():
            if block:
                yield block
            block, name = {}, ""
        elif line[0] in " \t" and name:
            block[name] = f"{block[name]} {line.strip()}"[:FIELD_CHARS_MAX]
        elif found:
            name = found[1].lower()
            if name == "final-recipient" and name in block:
                yield block
                block = {}
            block.setdefault(name, told.storable(found[2].strip()))
    if block:
        yield block
