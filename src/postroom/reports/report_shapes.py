"""What the call for a report answers: its shapes, and how the ledger's figures take them."""

from dataclasses import asdict
from typing import Any

from ninja import Schema

from postroom.domain.forecast import Forecast as Expected
from postroom.ledger import figures
from postroom.reports.instant import Instant


class Completeness(Schema):
    """How much of what was handed over has its final word."""

    handed_over: int
    """Deliveries with an attempt in play."""
    final: int
    """Those delivered, bounced, or refused by the provider."""
    share: float | None
    """`final` of `handed_over`; null: nothing was handed over."""
    silent_since: Instant | None
    """The last word about any of the rest; null: there is no rest."""


class Forecast(Schema):
    """What is to be expected of a communication that is on its way out."""

    remaining: int
    """Deliveries that are not handed over yet."""
    recipients_per_s: float
    """Lately."""
    through_at: Instant | None
    """When the last one will be handed over at this pace; null: that cannot be told."""
    limited_by: str | None
    """What sets the pace; null: nothing remains."""


class Engagement(Schema):
    """Deliveries with at least one hit of a kind."""

    human: int
    """By a person, as far as the rules can tell."""
    at_most: int
    """With those of which nobody can tell."""
    with_machines: int
    """With those that only machines hit."""


class Report(Schema):
    """What one communication achieved: every intended recipient in exactly one bucket."""

    communication: str
    application: str
    simulated: bool
    paused_at: Instant | None
    """Since when nothing more of it is handed over, for it or its application is paused; null:
    it goes on. This is as of now, whatever `as_of` says."""
    as_of: Instant
    rules: int
    recipients: int
    duplicates: int
    answers: dict[str, int]
    states: dict[str, int]
    reasons: dict[str, int]
    people: dict[str, int]
    engagement: dict[str, Engagement]
    """Of `opened` and `clicked`; never part of the sums."""
    completeness: Completeness
    balanced: bool
    forecast: Forecast | None = None
    """Null in a report as of an earlier instant."""


def forecast(found: Expected) -> dict[str, Any]:
    """What is to be expected of a communication."""
    return {
        "remaining": found.remaining,
        "recipients_per_s": round(found.per_s, 1),
        "through_at": found.through_at,
        "limited_by": found.limited_by,
    }


def report(made: figures.Report) -> dict[str, Any]:
    """The balanced report."""
    share = made.final / made.handed_over if made.handed_over else None
    return {
        "communication": made.communication,
        "application": made.application,
        "simulated": made.simulated,
        "paused_at": made.paused_at,
        "as_of": made.as_of,
        "rules": made.rules,
        "recipients": made.recipients,
        "duplicates": made.duplicates,
        "answers": made.answers,
        "states": made.states,
        "reasons": dict(sorted(made.reasons.items(), key=lambda pair: (-pair[1], pair[0]))),
        "people": made.people,
        "engagement": {kind: asdict(counted) for kind, counted in made.engagement.items()},
        "completeness": {
            "handed_over": made.handed_over,
            "final": made.final,
            "share": share,
            "silent_since": made.silent_since,
        },
        "balanced": made.balanced,
    }
