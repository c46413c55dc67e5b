"""Failures that a server tells in prose: no standard, and some fifty ways to say the same.

What they share: a line announces failed recipients, addresses follow at the beginning of lines,
and the reason stands behind each address or in the lines below, before the returned mail. Where
nothing is announced, a word before an address says that it is the recipient. The formats are
those of qmail, Exim, Sendmail 5 to 8, Postfix, Courier, OpenSMTPD, DragonFly, Exchange 5.5 to
2003, Domino, Notes, GroupWise, IMail, MDaemon, MailEnable, InterScan, MailMarshal, m-FILTER,
Active!hunter, Yahoo, Google, Zoho, KDDI, Verizon and 1&1, as their manuals and sources show them.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from postroom.domain.reason_codes import extract_codes
from postroom.domain.reason_texts import by_text, normalised

REASON_CHARS_MAX = 2_000
_WORDS_LINES_MAX = 16

_ADDRESS = (
    r"[^\s<>()\[\]\",;:@\ufffd'`][^\s<>()\[\]\",;:@\ufffd]{0,63}@[A-Za-z0-9.-]{1,253}[A-Za-z0-9]"
)
_ANNOUNCES = re.compile(
    r"(?:following|these|intended|failed|affected|undeliverable|list of) {1,3}"
    r"(?:e-?mail |mail )?(?:address|recipient|user|mailbox|account|person|people)"
    r"|address(?:es)?(?: which| that)? (?:had|failed|has|is\b)"
    r"|(?:recipients?|addresses|message|mail) (?:did not|were not|was not|could not)"
    r"|(?:could not|cannot|can't|can not|wasn't|was not|not|n't) (?:be )?(?:able to )?"
    r"(?:yet )?(?:be )?(?:deliver|sent\b|send\b|reach)"
    r"|undeliver(?:able|ed)|non-?delivery|not reach"
    r"|(?:unable to|fail(?:ed|ure)(?: to)?|error(?: in)?|problems?) (?:the )?(?:deliver|send)"
    r"|delivery (?:to|has|failed|failure|problem|was|attempt|for)|did(?: not|n't) receive"
    r"|returned (?:permanent )?errors?|failure reasons?|failed (?:after|address|delivery|for)"
    r"|message (?:you sent )?to:?\s*$|your message\s*$|not(?: yet)? been delivered"
    r"|no pudo ser entregado|nicht (?:zu)?gestellt|konnte nicht|n'a pas pu|non remis"
    r"|送信(?:に失敗|できません)|配信(?:に失敗|できません)|届けられません|не (?:было )?доставлен",
    re.IGNORECASE,
)
"""Lines behind which the addresses that failed stand."""

_AT_THE_BEGINNING = re.compile(
    rf"[\s>*\"'\-•]{{0,20}}(?:recipient:?\s{{1,8}}|\d{{1,3}}[.)]\s{{0,3}})?"
    rf"[\"']?(?:\[?SMTP[:=])?<?(?:mailto:)?({_ADDRESS})[>\]]{{0,2}}[\"'\s]{{0,3}}(.{{0,900}})",
    re.IGNORECASE,
)
"""An address that begins its line, and what stands behind it."""

_LABELS: tuple[re.Pattern[str], ...] = tuple(
    re.compile(
        rf"\b(?:{label})\W{{1,8}}(?:rfc822;|smtp[:=])?\s{{0,3}}<?({_ADDRESS})", re.IGNORECASE
    )
    for label in (
        r"(?:unknown|invalid|no such) (?:local )?(?:user|recipient|mailbox|address)s?",
        r"undeliverable (?:to|address)|failed recipients?|error-for|intended recipient",
        r"mailbox is full|user mailbox exceeds allowed size",
        r"(?:deliver|send|delivered|delivery|sent)(?: \w{1,12}){0,5} to",
        r"rcpt to|recipient(?: address)?|addressed to|address|userid|mailbox|user",
        r"to|for|known|failed [^@\n]{0,30}",
    )
)
"""Words before an address that make it the recipient, the surest first."""
_SURE_LABELS = 3
_BEHIND = re.compile(
    rf"({_ADDRESS})\W{{0,4}}(?:is|was|has|does|did|could|cannot|can't|not|on)\b", re.IGNORECASE
)
_ANYWHERE = re.compile(_ADDRESS)
_BARE = re.compile(r"\s{1,9}[A-Za-z0-9][A-Za-z0-9._-]{0,63}\s*")
_EXPANDED = re.compile(rf"\((?:expanded|generated) from:? {{0,3}}<?({_ADDRESS})>?\)", re.IGNORECASE)
"""Sendmail and Exim: the address that failed is where ours was forwarded to."""

_LATER = re.compile(
    r"will (?:continue to )?(?:be )?retr|has not (?:yet )?been delivered|warning(?: message)? only"
    r"|no action is required|do(?:es)? not need to (?:re-?send|take)|delivery .{0,30}delayed"
    r"|still trying|attempts will continue|will keep trying|advisory-only|just a warning"
    r"|(?:not|n't) (?:yet )?been able to deliver .{0,40} yet|will try again for",
    re.IGNORECASE,
)
_STAFF = re.compile(
    r"(?:mailer-?daemon|post-?master|abuse|support|help-?desk|no-?reply)@", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Failure:
    """One address and what was said of it."""

    recipient: str
    words: str
    expanded_from: str | None = None
    """The address that was forwarded to this one."""


class _Block(NamedTuple):
    """A line that begins with an address."""

    number: int
    address: str
    behind: str


def is_delay(lines: Sequence[str]) -> bool:
    """Whether the server says that it goes on trying."""
    return any(_LATER.search(line) for line in lines) or bool(
        _LATER.search(" ".join(lines)[: 5 * REASON_CHARS_MAX])
    )


def is_refusal_by_store(words: str) -> bool:
    """Whether the store that would have kept the mail tells why it did not: Dovecot's sentence."""
    return "was automatically rejected:" in words


def announces(lines: Sequence[str]) -> bool:
    """Whether some line speaks of recipients that failed."""
    sure = (_ANNOUNCES, *_LABELS[:_SURE_LABELS])
    return any(pattern.search(line) for line in lines for pattern in sure)


def failures(
    lines: Sequence[str], named: Sequence[str] = (), not_these: Sequence[str] = (), home: str = ""
) -> Iterator[Failure]:
    """Each address that failed, once.

    `named` are those that a header names, `not_these` those of the mail's own sender and
    recipients, taken only where they stand as announced; `home` is the domain that speaks, whose
    users may be named without it.
    """
    blocks = _blocks(lines)
    announced = _announced(lines, blocks)
    whole = _joined(lines)
    ours = {address.lower() for address in not_these}
    if not announced:
        announced = [one for one in blocks if one.address.lower() not in ours]
    if not announced and not named:
        named = _bare(lines, home) or _labelled(lines, ours)
    if announced:
        yield from _each(lines, announced, whole)
    else:
        yield from (Failure(address, whole) for address in dict.fromkeys(named))


def words_for(lines: Sequence[str], recipient: str | None) -> str | None:
    """What the prose says of this recipient, or at all."""
    for block in _blocks(lines):
        if block.address.lower() == (recipient or "").lower():
            said = _words(block, lines)
            return said or _joined(lines)
    return _joined(lines) or None


def _each(lines: Sequence[str], blocks: Sequence[_Block], whole: str) -> Iterator[Failure]:
    alone = len({block.address.lower() for block in blocks}) == 1
    seen: set[str] = set()
    for block in blocks:
        if block.address.lower() not in seen:
            seen.add(block.address.lower())
            words = _words(block, lines)
            from_ours = _EXPANDED.search(words)
            said = _EXPANDED.sub("", words).strip()
            origin = from_ours[1] if from_ours else None
            yield Failure(block.address, said if _tells(said) or not alone else whole, origin)


def _tells(words: str) -> bool:
    """Whether words give a reason: by a code, or by themselves."""
    coded = extract_codes(words) != (None, None)
    return coded or by_text(normalised(words), None, None) is not None


def _blocks(lines: Sequence[str]) -> list[_Block]:
    telling = ((number, line) for number, line in enumerate(lines) if "@" in line)
    found = ((number, _AT_THE_BEGINNING.match(line)) for number, line in telling)
    return [
        _Block(number, match[1], match[2].lstrip(" :.-\t"))
        for number, match in found
        if match and not _STAFF.match(match[1])
    ]


def _announced(lines: Sequence[str], blocks: Sequence[_Block]) -> list[_Block]:
    """The blocks behind the first line that announces recipients."""
    first = next((n for n, line in enumerate(lines) if _ANNOUNCES.search(line)), None)
    if first is None:
        return []
    return [block for block in blocks if block.number >= first]


def _words(block: _Block, lines: Sequence[str]) -> str:
    """The rest of the line, and what stands below it before the next address."""
    words = [block.behind]
    for line in lines[block.number + 1 : block.number + 1 + _WORDS_LINES_MAX]:
        other = _AT_THE_BEGINNING.match(line) if "@" in line else None
        if other and other[1].lower() != block.address.lower():
            break
        words.append(line)
    return _joined(words)


def _joined(lines: Sequence[str]) -> str:
    return " ".join(" ".join(lines).split())[:REASON_CHARS_MAX]


def _bare(lines: Sequence[str], home: str) -> list[str]:
    """Users named without their domain, behind a line that announces them and ends in a colon."""
    found: list[str] = []
    announced = False
    for line in lines:
        if announced and line.strip():
            if not _BARE.fullmatch(line):
                break
            found.append(f"{line.strip()}@{home}")
        announced = announced or bool(line.rstrip().endswith(":") and _ANNOUNCES.search(line))
    return found if home else []


def _labelled(lines: Sequence[str], ours: set[str]) -> list[str]:
    """The addresses behind the surest word that makes one a recipient; else the first at all."""
    telling = [line for line in lines if "@" in line]
    by_words = [partial(_matches, one) for one in (*_LABELS, _BEHIND, _ANYWHERE)]
    ways: list[Callable[[str], list[str]]] = [_behind_an_announcement, *by_words]
    for way in ways:
        found = (address for line in telling for address in way(line))
        strangers = [one for one in found if one.lower() not in ours and not _STAFF.match(one)]
        if strangers:
            return strangers[:1]
    return []


def _behind_an_announcement(line: str) -> list[str]:
    """Addresses in the rest of the line that announces them."""
    found = _ANNOUNCES.search(line)
    return _ANYWHERE.findall(line, found.end()) if found else []


def _matches(pattern: re.Pattern[str], line: str) -> list[str]:
    return pattern.findall(line)
