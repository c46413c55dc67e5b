"""Which mail operator answers for a domain, and what a plain server says for a code."""

from functools import lru_cache

from postroom.simulator.dice import Dice
from postroom.simulator.replies import (
    EXCHANGE,
    EXCHANGE_ONLINE,
    GMX,
    GOOGLE,
    ICLOUD,
    MIMECAST,
    OUTLOOK,
    POSTFIX,
    PROOFPOINT,
    YAHOO,
    Replies,
    Reply,
    Situation,
)

DOMAINS: dict[str, Replies] = {
    **dict.fromkeys(("gmail.com", "googlemail.com"), GOOGLE),
    **dict.fromkeys(("outlook.com", "hotmail.com", "live.com", "msn.com"), OUTLOOK),
    **dict.fromkeys(("yahoo.com", "aol.com", "ymail.com"), YAHOO),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), ICLOUD),
    **dict.fromkeys(("gmx.de", "gmx.net", "web.de", "mail.com"), GMX),
}

CORPORATE: tuple[tuple[Replies, float], ...] = (
    (EXCHANGE_ONLINE, 45),
    (GOOGLE, 20),
    (POSTFIX, 15),
    (PROOFPOINT, 8),
    (MIMECAST, 7),
    (EXCHANGE, 5),
)
"""Who carries the mail of a domain that is not a mail operator's own, in percent."""

CODE_LINES: dict[str, str] = {
    "1.1": "Bad destination mailbox address",
    "1.2": "Bad destination system address",
    "1.3": "Bad destination mailbox address syntax",
    "1.6": "Destination mailbox has moved, No forwarding address",
    "2.0": "Other or undefined mailbox status",
    "2.1": "Mailbox disabled, not accepting messages",
    "2.2": "Mailbox full",
    "2.3": "Message length exceeds administrative limit",
    "3.2": "System not accepting network messages",
    "3.4": "Message too big for system",
    "4.1": "No answer from host",
    "4.4": "Unable to route",
    "4.7": "Delivery time expired",
    "7.1": "Delivery not authorized, message refused",
    "7.10": "Encryption needed",
    "7.25": "Reverse DNS validation failed",
    "7.26": "Multiple authentication checks failed",
}
"""Labels of the IANA registry of enhanced status codes (RFC 3463, RFC 7372), without the class."""

_REPLY_CODES = {"2.2": "552", "2.3": "552", "3.4": "552", "7.10": "523"}


_MEANINGS: tuple[tuple[str, Situation], ...] = (
    ("4.", Situation.LATER),
    ("5.1.", Situation.UNKNOWN),
    ("5.2.2", Situation.FULL),
    ("5.2.", Situation.DISABLED),
    ("5.4.", Situation.LATER),
    ("5.6.", Situation.SPAM),
    ("5.7.", Situation.BLOCKED),
)
"""What an enhanced code means when nothing else tells; the first prefix that fits."""


@lru_cache(maxsize=10_000)
def operator_of(domain: str, seed: int) -> Replies:
    """Who answers for this domain: always the same for one seed."""
    return DOMAINS.get(domain) or Dice(seed, domain).weighted(CORPORATE)


def reply_for_code(code: str, address: str) -> Reply:
    """The reply of a plain server that reports this enhanced code."""
    kind, _, detail = code.partition(".")
    default = {"2": "250", "4": "450"}.get(kind, "550")
    reply_code = _REPLY_CODES.get(detail, default) if kind == "5" else default
    label = CODE_LINES.get(detail, "Other undefined status")
    return Reply(f"{reply_code} {code} <{address}>: {label}", code)


def situation_for_code(code: str) -> Situation | None:
    """What a receiver means that says only this code; None when the code leaves it open."""
    return next((meant for prefix, meant in _MEANINGS if code.startswith(prefix)), None)
