"""`postroom ask`: did it reach this person, and if not, why not?"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from postroom.domain.address import suppression_key
from postroom.ledger import evidence, reading, suppressions
from postroom.ledger.suppressions import Standing
from postroom.ledger.wanted import Wanted
from postroom.reports import delivery_shapes
from postroom.reports.sentences import advice, moment, sentence
from postroom.reports.terminal import fields, printable, verbatim, wrapped

SHOWN_MAX = 20
"""Deliveries shown to a person; the newest ones answer nearly every question."""

_LATEST_BY = "opened_at", "clicked_at", "complained_at", "unsubscribed_at"


def answer(
    recipient: str, communication: str | None, as_of: datetime | None
) -> tuple[reading.Found, list[Standing], int]:
    """The newest deliveries to an address, what stands against it, and events that fit none.

    Over all applications, live and simulated. Raises AddressError.
    """
    key = suppression_key(recipient)
    found = reading.find(
        Wanted(recipient_key=key, communication=communication),
        limit=SHOWN_MAX,
        as_of=as_of,
    )
    return found, suppressions.all_standing(key), len(evidence.unattributed(key))


def as_json(found: reading.Found) -> dict[str, Any]:
    """The same objects as `GET /v1/deliveries` answers."""
    page = delivery_shapes.DeliveryPage.model_validate(
        {
            "items": [delivery_shapes.delivery(row) for row in found.items],
            "next_cursor": None,
            "as_of": found.as_of,
        }
    )
    return page.model_dump(mode="json")


def as_text(
    recipient: str, found: reading.Found, standing: list[Standing], unattributed: int
) -> str:
    """The answer for a person."""
    lines = [printable(recipient)]
    if found.as_of is not None:
        lines.append(f"as known on {moment(found.as_of)}")
    lines += [wrapped(standing_sentence(one)) for one in standing]
    if not found.items:
        lines += ["", "Nothing was ever submitted for this address."]
    for row in found.items:
        lines += ["", *_delivery(row)]
    if len(found.items) == SHOWN_MAX:
        lines += ["", f"The newest {SHOWN_MAX} are shown; the API gives the others."]
    if unattributed:
        lines += ["", f"Notifications that name this address and fit no mail: {unattributed}."]
    return "\n".join(lines)


def standing_sentence(one: Standing) -> str:
    """What stands against an address, in words."""
    which = " ".join(filter(None, ("simulated" if one.simulated else None, one.kind, "mail")))
    whose = "" if one.application_id is None else " of one application"
    end = "" if one.expires_at is None else f", until {moment(one.expires_at)}, then one trial"
    why = one.note or advice(one.reason) or one.reason
    return (
        f"{which.capitalize()}{whose} to this address is {_STATES[one.state(datetime.now(UTC))]}"
        f" since {moment(one.created_at)}{end}"
        f" ({one.reason}, suppression {one.id}): {printable(why)}"
    )


_STATES = {
    "in_force": "stopped",
    "on_probation": "let go once, as a trial, and was stopped",
    "on_trial": "stopped but for its trial, which is under way,",
    "quarantined": "not stopped, though its domain refuses it,",
    "lifted": "let go again and was stopped",
}


def _delivery(row: reading.Delivery) -> Iterator[str]:
    yield wrapped(sentence(row))
    yield from fields(
        (
            ("Subject", printable(row.subject)),
            ("Submitted", f"{moment(row.accepted_at)} by {row.application}{_kind(row)}"),
            ("Communication", row.communication),
            ("Reason", _reason(row)),
            ("Reply", None if row.reason else _codes(row)),
            ("Said by", _said_by(row)),
            ("Noted", ", ".join(_noted(row)) or None),
            ("Delivery", str(row.id)),
        )
    )
    if row.reason_text:
        yield from verbatim("Evidence", row.reason_text)


def _kind(row: reading.Delivery) -> str:
    return " (simulated)" if row.simulated else ""


def _reason(row: reading.Delivery) -> str | None:
    codes = _codes(row)
    return f"{row.reason} ({codes})" if row.reason and codes else row.reason


def _codes(row: reading.Delivery) -> str | None:
    """What the receiver's server answered, in numbers."""
    codes = [str(code) for code in (row.reply_code, row.enhanced_code) if code is not None]
    return " ".join(codes) or None


def _said_by(row: reading.Delivery) -> str | None:
    if row.said_by is None or row.said_at is None:
        return None
    host = f" for {printable(row.remote_host)}" if row.remote_host else ""
    return f"{row.said_by}{host}, {moment(row.said_at)}"


def _noted(row: reading.Delivery) -> Iterator[str]:
    """What else was heard; other axes than whether it arrived."""
    for name in _LATEST_BY:
        at: datetime | None = getattr(row, name)
        if at is not None:
            yield f"{name.removesuffix('_at')} {moment(at)}"
    if row.conflicting_evidence:
        yield "the provider reported it both delivered and refused"
    if row.suppression is not None:
        link = row.suppression
        yield f"{_EFFECTS[link.effect]} {link.id}: {link.reason}, {moment(link.created_at)}"


_EFFECTS = {
    "caused": "stopped further mail by suppression",
    "stopped": "stopped by suppression",
    "overridden": "critical: sent in spite of suppression",
    "tried": "sent as the one trial of suppression",
}
