"""What an event says about its address: the order of decision over texts, codes and classes."""

from dataclasses import dataclass, replace
from typing import Protocol

from postroom.domain.address import AddressError, parse_address
from postroom.domain.delivery import EventType
from postroom.domain.provider_classes import (
    LIST_TEXTS,
    NEVER_SUPPRESSES,
    QUOTA_TEXTS,
    ProviderClass,
    class_of,
)
from postroom.domain.reason_codes import by_enhanced, by_reply
from postroom.domain.reason_table import REASONS, Fault, Permanence, Reason, Suppress
from postroom.domain.reason_texts import by_text, by_weak_text, normalised, operator_of

__all__ = [
    "REASONS",
    "RULES_VERSION",
    "Fault",
    "Permanence",
    "Reading",
    "Reason",
    "Suppress",
    "Told",
    "is_temporary",
    "read",
]

RULES_VERSION = 2
"""Rises whenever a rule below changes what is read; stored events are then read again."""


class Told(Protocol):
    """What a teller said of one event, as far as the reason depends on it."""

    @property
    def type(self) -> EventType: ...
    @property
    def recipient(self) -> str | None: ...
    @property
    def provider_type(self) -> str: ...
    @property
    def provider_class(self) -> str: ...
    @property
    def reply_code(self) -> int | None: ...
    @property
    def enhanced_code(self) -> str | None: ...
    @property
    def diagnostic(self) -> str | None: ...
    @property
    def remote_host(self) -> str | None: ...
    @property
    def given_up(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Reading:
    """What one event says about the address."""

    reason: str | None
    """A name of `REASONS`; None where nothing went wrong."""
    permanence: Permanence | None
    suppress: Suppress
    basis: str
    """What decided: signal, text, enhanced_code, provider_class, reply_code or none."""
    rules: int = RULES_VERSION
    cause: str | None = None
    """Of `suppressed_by_provider`: why the address stands on its list, where that is told."""


SIGNALS: dict[EventType, str] = {
    EventType.COMPLAINED: "complained_before",
    EventType.UNSUBSCRIBED: "unsubscribed",
    EventType.AUTO_REPLIED: "auto_reply",
}
"""Types that are their own reason."""

CONDEMNING: frozenset[str] = frozenset(
    name for name, reason in REASONS.items() if reason.suppress is Suppress.NOW
)
"""Reasons that end the writing to an address at once."""

_NOTHING = Reading(None, None, Suppress.NO, "none")
_NOT_ATTEMPTED = frozenset({EventType.SUPPRESSED, EventType.REJECTED})
_FAILURES = frozenset({EventType.BOUNCED, EventType.DEFERRED}) | _NOT_ATTEMPTED


def read(told: Told, provider: str = "") -> Reading:
    """What an event says about its address: reason, permanence, suppression. Never raises.

    Order of decision: not attempted, text, enhanced code, general wording, provider's class, reply
    code, unclassified. Whatever a 4.y.z says, it is no permanent failure.
    """
    if told.type in SIGNALS:
        return _reading(SIGNALS[told.type], "signal", temporary=False)
    if told.type not in _FAILURES:
        return _NOTHING
    return _failure(told, provider)


def _failure(told: Told, provider: str) -> Reading:
    words = normalised(told.diagnostic or "")
    if told.type in _NOT_ATTEMPTED or any(text in words for text in LIST_TEXTS + QUOTA_TEXTS):
        return _not_attempted(told, provider, words)
    if told.diagnostic == told.provider_class:
        words = ""  # the class alone, which its own row reads
    temporary = is_temporary(told)
    name, basis = _decided(told, provider, words, temporary)
    if temporary:
        name = _softened(name, given_up=told.type is EventType.BOUNCED)
    reading = _reading(name, basis, temporary)
    return _tempered(reading, told, provider)


def is_temporary(told: Told) -> bool:
    """Whether the receiver said `later`: by the type, or by a code of class 4, even at the end."""
    return (
        told.type is EventType.DEFERRED
        or told.given_up
        or (told.enhanced_code or "").startswith("4.")
        or (told.reply_code is not None and 400 <= told.reply_code < 500)
    )


def _not_attempted(told: Told, provider: str, words: str) -> Reading:
    """Step 1: the provider kept the mail back."""
    row = class_of(provider, told.provider_class)
    if row and told.type in _NOT_ATTEMPTED:
        return _kept_back(row, told)
    if any(text in words for text in QUOTA_TEXTS):
        return _reading("provider_quota", "signal", temporary=False)
    listed = told.type is not EventType.REJECTED or any(text in words for text in LIST_TEXTS)
    return _reading("suppressed_by_provider" if listed else "provider_refused", "signal", False)


def _kept_back(row: ProviderClass, told: Told) -> Reading:
    if row.reason == "address_syntax":
        return _tempered(_reading(row.reason, "signal", False), told, "")
    suppress = Suppress.NOW if row.cause == "complained_before" else Suppress.NO
    return Reading(row.reason, None, suppress, "signal", cause=row.cause)


def _decided(told: Told, provider: str, words: str, temporary: bool) -> tuple[str, str]:
    """Steps 2 to 6: the name of the reason and what decided it."""
    operator = operator_of(told.recipient, told.remote_host, words)
    coded = by_enhanced(told.enhanced_code or "", operator, temporary) or "unclassified"
    rule = by_text(words, operator, told.enhanced_code)
    if rule and rule.reason in CONDEMNING and coded not in CONDEMNING:
        # Words that give two reasons, and no code beside them that condemns: the milder one.
        rule = by_text(words, operator, told.enhanced_code, CONDEMNING) or rule
    if rule:
        return rule.reason, "text"
    vague = coded == "unclassified" or (temporary and coded == "policy_refused")
    weak = by_weak_text(words) if vague else None
    if weak and not (temporary and weak.reason == "unclassified"):
        return weak.reason, "text"
    if coded != "unclassified":
        return coded, "enhanced_code"
    return _without_words(told, provider)


def _without_words(told: Told, provider: str) -> tuple[str, str]:
    row = class_of(provider, told.provider_class)
    if row and row.reason != "unclassified":
        return row.reason, "provider_class"
    replied = by_reply(told.reply_code) if told.reply_code else "unclassified"
    return replied, "none" if replied == "unclassified" else "reply_code"


def _softened(name: str, given_up: bool) -> str:
    """The reason under which a temporary refusal goes: 4 is not 5."""
    reason = REASONS[name]
    if given_up:
        return name if reason.stands_when_given_up else "gave_up"
    return reason.meanwhile or name


def _reading(name: str, basis: str, temporary: bool) -> Reading:
    reason = REASONS[name]
    if not temporary:
        return Reading(name, reason.permanence, reason.suppress, basis)
    return Reading(name, Permanence.TEMPORARY, reason.suppress, basis)


def _tempered(reading: Reading, told: Told, provider: str) -> Reading:
    """The same reading, with what this event alone may not do to the address taken out."""
    unfinished = told.type is EventType.DEFERRED
    blocked = (provider, told.provider_type) in NEVER_SUPPRESSES
    well_formed = reading.reason == "address_syntax" and is_address(told.recipient)
    if unfinished or blocked or well_formed:
        return replace(reading, suppress=Suppress.NO)
    return reading


def is_address(text: str | None) -> bool:
    """Whether our own parser takes it."""
    try:
        parse_address(text or "")
    except AddressError:
        return False
    return True
