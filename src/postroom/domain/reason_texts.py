"""How the words of a reply are read: by the tables of operators and wordings, first match speaks.

No regular expression runs over the words but one of bounded length, so time grows with the text
alone; of a very long text only both ends are read.
"""

import re

from postroom.domain.reason_codes import TEXT_EXAMINED_CHARS
from postroom.domain.reason_languages import LANGUAGE_RULES
from postroom.domain.reason_operators import OPERATOR_RULES
from postroom.domain.reason_rule import TextRule
from postroom.domain.reason_weak import WEAK_RULES
from postroom.domain.reason_wordings import SYSTEM_RULES

_STRONG_RULES = OPERATOR_RULES + SYSTEM_RULES + LANGUAGE_RULES

_ENDS: dict[str, str] = {
    "gmail.com": "gmail", "googlemail.com": "gmail", "google.com": "gmail",
    "outlook.com": "microsoft", "msn.com": "microsoft",
    "gmx.de": "gmx", "gmx.net": "gmx", "gmx.com": "gmx", "gmx.at": "gmx", "gmx.ch": "gmx",
    "web.de": "gmx", "mail.com": "gmx", "docomo.ne.jp": "docomo",
}  # fmt: skip
"""The end of a recipient's domain, or of its server's name, to the operator."""

_BRANDS = {
    "hotmail": "microsoft",
    "outlook": "microsoft",
    "live": "microsoft",
    "gmx": "gmx",
    "docomo": "docomo",
}
"""Brands that their operator uses under many top-level domains."""

_MARKS: tuple[tuple[str, str], ...] = (
    ("gsmtp", "gmail"),
    ("support.google.com", "gmail"),
    ("outlook.com", "microsoft"),
    ("as(201", "microsoft"),
    ("(s20", "microsoft"),
    ("gmx.net", "gmx"),
    ("postmaster.web.de", "gmx"),
)
"""What an operator writes into its replies and nobody else does."""

_CONTINUATION = re.compile(
    r"(?:[\r\n]\s{0,8}|\s)[245]\d\d[- ](?:[245]\.\d{1,3}\.\d{1,3}\s)?|\s[245]\d\d-"
)

_HAS_DIGIT = re.compile(r"\d")
_ADDRESS = re.compile(r"<?[^<>()\[\]\"',;:@]*@[^<>()\[\]\"',;:@]*>?")


def normalised(text: str) -> str:
    """The text as the rules read it: lower case, one line, between spaces, without addresses."""
    if len(text) > TEXT_EXAMINED_CHARS:
        half = TEXT_EXAMINED_CHARS // 2
        text = f"{text[:half]} {text[-half:]}"
    joined = _CONTINUATION.sub(" ", text).replace("\u2019", "'").lower()
    words = filter(None, map(_without_address, joined.split()))
    return f" {' '.join(words)} "


def shape_of(text: str) -> str:
    """What a reply has in common with others: its words without addresses, numbers and ids."""
    return " ".join("#" if _HAS_DIGIT.search(word) else word for word in normalised(text).split())


def _without_address(word: str) -> str:
    """What is left of a word beside an address, whose own letters must never meet a rule."""
    return _ADDRESS.sub("", word) if "@" in word else word


def operator_of(recipient: str | None, remote_host: str | None, words: str) -> str | None:
    """The operator that speaks, by the recipient's domain, its server's name or its marks."""
    domain = (recipient or "").rpartition("@")[2].lower()
    host = (remote_host or "").lower().strip("[]. ")
    return (
        _BRANDS.get(domain.partition(".")[0])
        or _by_end(domain)
        or _by_end(host)
        or next((operator for mark, operator in _MARKS if mark in words), None)
    )


def _by_end(name: str) -> str | None:
    labels = name.split(".")
    return _ENDS.get(".".join(labels[-2:])) or _ENDS.get(".".join(labels[-3:]))


def by_text(
    words: str,
    operator: str | None,
    enhanced_code: str | None,
    but: frozenset[str] = frozenset(),
) -> TextRule | None:
    """The first rule that the normalised text meets, weak wordings apart; none to these reasons."""
    for rule in _STRONG_RULES:
        if rule.reason not in but and _meets(rule, words, operator, enhanced_code):
            return rule
    return None


def by_weak_text(words: str) -> TextRule | None:
    """The first of the general wordings that the normalised text meets."""
    return next((rule for rule in WEAK_RULES if _meets(rule, words, None, None)), None)


def _meets(rule: TextRule, words: str, operator: str | None, code: str | None) -> bool:
    for phrase in rule.phrases:
        if phrase not in words:
            return False
    return rule.operator in (None, operator) and rule.code in (None, code)
