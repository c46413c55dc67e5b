"""The verdict as one plain sentence: the answer first, then why, until when, or what would tell."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

from postroom.domain.delivery import Stage, Verdict
from postroom.domain.reason import REASONS

PROVIDERS_TRY = timedelta(hours=72)
"""How long providers go on trying after a deferral, unless they say otherwise."""

HOLDS = {
    "asked": "Somebody asked to wait. Release it, or cancel it.",
    "needs_raw_carrier": (
        "No road can carry this mail as it is. An operator has to add an account that can, or"
        " the application has to change the mail."
    ),
    "canary": "A part of the recipients goes first; the rest waits for what comes of it.",
    "canary_stopped": (
        "Of those who went first, too many failed or complained. Look at the report, then release"
        " the message or cancel it."
    ),
    "from_not_verified": (
        "The sender's domain is not verified with any provider account. An operator has to"
        " verify it."
    ),
    "guard": (
        "Mail of this kind fails or annoys too often. Nothing goes on until an operator has looked"
        " and lets it."
    ),
    "route_closed": (
        "The sender's domain is not verified with any provider account of the route for this mail."
        " An operator has to verify it there, or change the route."
    ),
}
"""Reasons to hold, which are no failure: what is wrong and what to do."""


class Told(Protocol):
    """What a sentence needs to know of a delivery."""

    @property
    def state(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def due_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime | None: ...
    @property
    def said_at(self) -> datetime | None: ...
    @property
    def changed_at(self) -> datetime: ...
    @property
    def after_acceptance(self) -> bool: ...


def advice(reason: str | None) -> str | None:
    """What is wrong and what to do about it, for a reason of either table."""
    if reason is None:
        return None
    if reason in REASONS:
        return REASONS[reason].advice
    return HOLDS.get(reason, f"The reason given is {reason}.")


def sentence(told: Told) -> str:
    """What became of a delivery, in words for somebody who has never seen an SMTP reply."""
    return _SENTENCES[told.state](told)


def moment(at: datetime) -> str:
    """An instant for people, to the second, in UTC."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _delivered(told: Told) -> str:
    return (
        f"Delivered: the recipient's mail server took it{_at(told)}."
        " That it was read is not proved by this."
    )


def _bounced(told: Told) -> str:
    if told.after_acceptance:
        return _with_why(
            "Not delivered: the recipient's server took it at first and returned it later.", told
        )
    return _with_why("Not delivered.", told)


def _waiting(told: Told) -> str:
    until = "" if told.expires_at is None else f", until {moment(told.expires_at)} at the latest"
    return f"Still trying: it waits its turn to be handed to the provider{until}."


def _scheduled(told: Told) -> str:
    return f"Still trying: it is to leave at {moment(told.due_at)}."


def _held(told: Told) -> str:
    return _with_why(f"Still trying: it is on hold{_since(told)}.", told)


def _submitting(_told: Told) -> str:
    return "Still trying: it is being handed to the provider now."


def _submitted(told: Told) -> str:
    return (
        f"Still trying: the provider took it{_at(told)};"
        " the recipient's mail server has not answered yet."
    )


def _deferred(told: Told) -> str:
    until = moment((told.said_at or told.changed_at) + PROVIDERS_TRY)
    return _with_why(
        f"Still trying: the recipient's mail server said `later`{_at(told)};"
        f" the provider goes on, usually until {until} at the latest.",
        told,
    )


def _indeterminate(told: Told) -> str:
    return (
        f"Not known yet{_since(told)}: the call to the provider ended without a clear answer."
        " A notification from the provider, or proof that there is none, will tell."
    )


def _unconfirmed(told: Told) -> str:
    return (
        f"Not known yet{_since(told)}: no word came in the time in which one was to be expected."
        " A later notification from the provider would still tell."
    )


def _rejected(told: Told) -> str:
    return _with_why("Not sent.", told)


def _suppressed(told: Told) -> str:
    # The advice for a suppression begins with the answer itself.
    return _with_why("Not sent.", told).replace("Not sent. Not sent:", "Not sent:")


def _cancelled(told: Told) -> str:
    return f"Not sent: it was withdrawn{_at(told)}, before it was handed over."


def _expired(told: Told) -> str:
    end = told.expires_at or told.changed_at
    return f"Not sent: it was of use only until {moment(end)} and had not been handed over by then."


def _at(told: Told) -> str:
    return "" if told.said_at is None else f" at {moment(told.said_at)}"


def _since(told: Told) -> str:
    return f", since {moment(told.said_at or told.changed_at)}"


def _with_why(answer: str, told: Told) -> str:
    why = advice(told.reason)
    return answer if why is None else f"{answer} {why}"


_SENTENCES: dict[str, Callable[[Told], str]] = {
    Stage.ACCEPTED: _waiting,
    Stage.SCHEDULED: _scheduled,
    Stage.HELD: _held,
    Stage.QUEUED: _waiting,
    Stage.SUBMITTING: _submitting,
    Stage.CANCELLED: _cancelled,
    Stage.EXPIRED: _expired,
    Verdict.SUBMITTED: _submitted,
    Verdict.DEFERRED: _deferred,
    Verdict.INDETERMINATE: _indeterminate,
    Verdict.UNCONFIRMED: _unconfirmed,
    Verdict.DELIVERED: _delivered,
    Verdict.BOUNCED: _bounced,
    Verdict.REJECTED: _rejected,
    Verdict.SUPPRESSED: _suppressed,
}
"""One sentence for each state that people see."""
