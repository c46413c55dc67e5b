"""What is odd about an address that is well-formed: said to whoever submits, and never a refusal.

Tables and spelling alone: nobody is asked, so nothing waits and no mail is lost by it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class About(StrEnum):
    """What a hint is about."""

    TYPO = "typo"
    """The domain is one letter away from one that very many people have."""
    ROLE = "role"
    """The address is an office's and not a person's (RFC 2142)."""
    DISPOSABLE = "disposable"
    """The domain gives mailboxes that are thrown away."""


@dataclass(frozen=True, slots=True)
class Hint:
    """One odd thing about an address."""

    about: About
    suggestion: str | None = None
    """What may be meant instead."""


_ROLES = frozenset(
    (
        "abuse",
        "admin",
        "administrator",
        "billing",
        "contact",
        "ftp",
        "help",
        "hostmaster",
        "info",
        "mailer-daemon",
        "marketing",
        "news",
        "no-reply",
        "noc",
        "noreply",
        "office",
        "postmaster",
        "root",
        "sales",
        "security",
        "support",
        "usenet",
        "uucp",
        "webmaster",
        "www",
    )
)
_DISPOSABLE = frozenset(
    (
        "10minutemail.com",
        "dispostable.com",
        "getnada.com",
        "guerrillamail.com",
        "mailinator.com",
        "maildrop.cc",
        "sharklasers.com",
        "temp-mail.org",
        "trashmail.com",
        "yopmail.com",
    )
)
_COMMON = (
    "aol.com",
    "gmail.com",
    "googlemail.com",
    "hotmail.com",
    "icloud.com",
    "outlook.com",
    "proton.me",
    "protonmail.com",
    "yahoo.com",
)
_NO_TYPOS = frozenset(["aol.de", "email.com", "mail.com", "ymail.com"]) | frozenset(_COMMON)
"""Domains that are their own, however near they lie to a common one."""


def hints(address: str) -> Iterator[Hint]:
    """Everything odd about a well-formed address, with its domain in lower case."""
    local, _, domain = address.rpartition("@")
    meant = _meant(domain)
    if meant is not None:
        yield Hint(About.TYPO, f"{local}@{meant}")
    if local.lower().partition("+")[0] in _ROLES:
        yield Hint(About.ROLE)
    if domain in _DISPOSABLE:
        yield Hint(About.DISPOSABLE)


@lru_cache(maxsize=10_000)
def _meant(domain: str) -> str | None:
    if domain in _NO_TYPOS:
        return None
    return next((common for common in _COMMON if _one_slip(domain, common)), None)


def _one_slip(written: str, meant: str) -> bool:
    """Whether one letter is wrong, missing, too much, or changed places with its neighbour."""
    if abs(len(written) - len(meant)) > 1 or written == meant:
        return False
    pairs = zip(written, meant, strict=False)
    same = next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(written), len(meant)))
    rest, wanted = written[same:], meant[same:]
    swapped = len(rest) > 1 and rest[1] + rest[0] + rest[2:] == wanted
    return swapped or rest[1:] in (wanted[1:], wanted) or rest == wanted[1:]
