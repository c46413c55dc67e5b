"""The lines that a sender must not cross: of providers, and of mailbox operators.

Read on 2026-11-24, where no page is named from what operators of senders report; a provider that
publishes no line is held to the usual advice.
"""

from dataclasses import dataclass
from enum import StrEnum


class Measure(StrEnum):
    """What is measured."""

    BOUNCES = "bounces"
    """Failures for the recipient's sake, that no later attempt mends, of all final words."""
    COMPLAINTS = "complaints"
    """Complaints of what was delivered where the mailbox operator tells of them."""


@dataclass(frozen=True, slots=True)
class Line:
    """A share that must not be reached."""

    measure: Measure
    share: float
    whose: str
    """Who acts when it is crossed."""
    source: str
    """Where that is said; empty: usual advice, the provider publishes nothing."""


_SES = "https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-bounce-rate.html"
_GMAIL = "https://support.google.com/a/answer/14229414"
_YAHOO = "https://senders.yahooinc.com/best-practices"


def _of_provider(whose: str, bounces: float, complaints: float, source: str) -> tuple[Line, ...]:
    return (
        Line(Measure.BOUNCES, bounces, whose, source),
        Line(Measure.COMPLAINTS, complaints, whose, source),
    )


_LINES = {
    # The review begins here; sending is paused at 10 % and 0.5 %.
    "ses": _of_provider("Amazon SES", 0.05, 0.001, _SES),
    "postmark": _of_provider("Postmark", 0.10, 0.001, ""),
    "mailgun": _of_provider("Mailgun", 0.05, 0.0008, ""),
}

_OPERATOR_LINES = {
    "gmail": (Line(Measure.COMPLAINTS, 0.003, "Gmail", _GMAIL),),
    "yahoo": (Line(Measure.COMPLAINTS, 0.003, "Yahoo", _YAHOO),),
    # Microsoft names no share; what the other two ask is asked here too.
    "microsoft": (Line(Measure.COMPLAINTS, 0.003, "Microsoft", ""),),
}

MAILBOXES: dict[str, tuple[str, ...]] = {
    "gmail": ("gmail.com", "googlemail.com"),
    "yahoo": ("yahoo.com", "ymail.com", "rocketmail.com", "aol.com", "yahoo.co.uk", "yahoo.de"),
    "microsoft": ("outlook.com", "hotmail.com", "live.com", "msn.com"),
}
"""The consumer domains for which an operator's rules are written, the largest of each."""

TELLS_NO_COMPLAINTS = frozenset(MAILBOXES["gmail"])
"""Whoever complains there is told to nobody: a complaint rate cannot be measured from events."""


def of_provider(provider: str) -> tuple[Line, ...]:
    """The lines for mail over an account of this provider."""
    return _LINES.get(provider) or _of_provider(provider, 0.05, 0.001, "")


def of_operator(operator: str) -> tuple[Line, ...]:
    """The lines for mail to this operator's mailboxes."""
    return _OPERATOR_LINES[operator]
