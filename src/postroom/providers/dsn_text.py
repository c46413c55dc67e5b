"""Failures that a server tells in prose: qmail, Exim, older Sendmail and Postfix, Exchange, others.

There is no standard. What they share: one line begins with the address that failed, and the
reason stands behind it or in the lines below, before the returned mail.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message

from postroom.providers.told import storable

REASON_CHARS_MAX = 2_000
_WORDS_LINES_MAX = 16
_LINES_MAX = 2_000
"""How much prose is read: the returned mail, which may be large, comes after it."""

_RETURNED = re.compile(
    r"-{2,}.{0,30}(?:original|copy of|below this line|returned (?:message|mail)"
    r"|message (?:header|body)|unsent message|forwarded).{0,120}"
    r"|(?:received|return-path|dkim-signature|message-id): .{1,900}"
    r"|original message(?: follows)?[.:]?"
    r"|the (?:text|header)s? of the (?:original )?message.{0,80}",
    re.IGNORECASE,
)
_ADDRESS = r"[^\s<>()\[\]\",;:@]{1,64}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]"
_AT_THE_BEGINNING = re.compile(rf"[\s>*\"']{{0,20}}<?({_ADDRESS})>?[\s\"']{{0,3}}(.{{0,900}})")
_AFTER_A_LABEL = re.compile(
    r"(?:unknown|recipient|rcpt to|user|userid|to|address|known|mailbox)\W{1,6}"
    rf"(?:rfc822;\s{{0,3}})?<?({_ADDRESS})",
    re.IGNORECASE,
)
_ANYWHERE = re.compile(_ADDRESS)
_LATER = re.compile(
    r"will (?:continue to )?(?:be )?retr|has not (?:yet )?been delivered|warning(?: message)? only"
    r"|no action is required|do not need to resend|delivery .{0,30}delayed|still trying",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One address and what was said of it."""

    recipient: str
    words: str


def text_of(mail: Message) -> str:
    """The prose: every text part that is no part of the returned mail."""
    if mail.get_content_maintype() == "message":
        return ""
    if mail.is_multipart():
        parts = mail.get_payload()
        return "\n".join(text_of(part) for part in parts if isinstance(part, Message))
    if mail.get_content_maintype() == "multipart":
        # Promised parts that are not there: everything is prose.
        return storable(str(mail.get_payload()))
    if mail.get_content_type() not in {"text/plain", "text/html"}:
        return ""
    return storable(_decoded(mail))


def _decoded(part: Message) -> str:
    raw = part.get_payload(decode=True)
    if not isinstance(raw, bytes):
        return ""
    try:
        return raw.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return raw.decode("latin-1")


def is_delay(text: str) -> bool:
    """Whether the server says that it goes on trying."""
    return _LATER.search(text[: 10 * REASON_CHARS_MAX]) is not None


def failures(text: str, named: tuple[str, ...] = ()) -> Iterator[Failure]:
    """Each address that failed, once; `named` are those that a header already names."""
    lines = list(_prose(text))
    found = dict(_blocks(lines))
    whole = " ".join(line.strip() for line in lines).strip()[:REASON_CHARS_MAX]
    for address in named:
        yield Failure(address, found.get(address.lower(), (address, ""))[1] or whole)
    if named:
        return
    if not found:
        found = _fallback(lines, whole)
    for address, words in found.values():
        yield Failure(address, words or whole)


def _prose(text: str) -> Iterator[str]:
    """The lines before the returned mail."""
    for number, line in enumerate(text.splitlines()[:_LINES_MAX]):
        if number > 2 and _RETURNED.fullmatch(line.strip()[:1000]):
            return
        yield line[:1000]


def _blocks(lines: list[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Each line that begins with an address, with the words behind and below it."""
    for number, line in enumerate(lines):
        match = _AT_THE_BEGINNING.match(line)
        if match:
            words = _words(match[2].lstrip(" :.-"), lines[number + 1 :])
            yield match[1].lower(), (match[1], words)


def _words(behind: str, below: list[str]) -> str:
    """The rest of the line, and what stands below it before the next address."""
    words = [behind]
    for line in below[:_WORDS_LINES_MAX]:
        if _AT_THE_BEGINNING.match(line):
            break
        words.append(line)
    return " ".join(" ".join(words).split())[:REASON_CHARS_MAX]


def _fallback(lines: list[str], whole: str) -> dict[str, tuple[str, str]]:
    """The first address behind a word that announces a recipient, else the first at all."""
    for pattern, group in ((_AFTER_A_LABEL, 1), (_ANYWHERE, 0)):
        for line in lines:
            match = pattern.search(line)
            if match and "postmaster" not in match[group].lower():
                return {match[group].lower(): (match[group], whole)}
    return {}
