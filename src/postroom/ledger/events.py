"""Events: facts heard from providers, found their delivery, stored once, folded into verdicts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from hashlib import sha256
from operator import attrgetter
from typing import Any
from uuid import UUID

from postroom.domain.delivery import Verdict
from postroom.domain.reason_table import Suppress
from postroom.domain.receiver import RATE_LIMITED, receiver_of
from postroom.ledger import account_health, doubts, flow, guard, receivers, said
from postroom.ledger.db import Connection
from postroom.ledger.folding import lock, refold
from postroom.ledger.judging import Told, judge
from postroom.ledger.locating import Found, locate
from postroom.ledger.recordset import rows_json, rows_of


@dataclass(frozen=True, slots=True)
class NewEvent:
    """One event of a receipt: the provider's words, and our reading of them."""

    account_id: int
    receipt_id: UUID
    receipt_start: int
    receipt_length: int | None
    received_at: datetime
    handover_id: UUID | None
    provider_message_ids: tuple[str, ...]
    """Ways to write the provider's id of the message, the likeliest first."""
    address_key: str | None
    provider_type: str
    provider_class: str
    provider_event_id: str | None
    reply_code: int | None
    enhanced_code: str | None
    diagnostic: str | None
    remote_host: str | None
    url: str | None
    user_agent: str | None
    occurred_at: datetime | None
    occurred_raw: str
    type: str
    grade: int
    verdict: str | None
    reason: str | None
    permanence: str | None
    suppress: str | None
    machine: bool | None
    asynchronous: bool | None
    reason_basis: str | None
    rules: int
    suppression_reason: str | None
    """What it says against its address, by itself or with others; None: nothing."""
    signed: bool
    """Whether the provider signed it; unsigned, it speaks only of hand-overs that are ours."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a reading was, and what it is under today's rules."""

    reason_before: str | None
    reason: str | None
    suppress_before: str | None
    suppress: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch of events."""

    new: int
    repeated: int
    orphans: list[NewEvent]
    changes: Mapping[Change, int]
    """Of events that were read again: how many are read otherwise now."""


def fact_digest(event: NewEvent, handover_id: UUID | None) -> bytes:
    """The fact's identity within its delivery; two tellings of one fact have the same.

    The provider's event id is left out on purpose: a retry or a second channel may change it.
    """
    parts = (
        str(handover_id),
        event.provider_type,
        event.provider_class,
        event.occurred_raw,
        event.url or "",
        str(event.reply_code or ""),
        event.enhanced_code or "",
        event.diagnostic or "",
    )
    return sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).digest()[:16]


_FINAL = (Verdict.DELIVERED, Verdict.BOUNCED)


@dataclass(frozen=True, slots=True)
class _Located:
    event: NewEvent
    delivery_id: UUID
    handover_id: UUID | None
    basis: str
    digest: bytes
    begun_at: datetime


def record(conn: Connection, events: Sequence[NewEvent], *, reread: bool = False) -> Recorded:
    """Store events once each, fold the verdicts they touch, and stop mailing dead addresses.

    With `reread` our reading of events that are there already is written anew.
    """
    found = locate(conn, events)
    orphans = [event for event, place in zip(events, found, strict=True) if place is None]
    located = [_placed(event, place) for event, place in zip(events, found, strict=True) if place]
    kinds = lock(conn, {one.delivery_id for one in located})
    # A delivery whose month was dropped is counted and let go.
    present = [one for one in located if one.delivery_id in kinds]
    firsts, repeats = _distinct(present)
    new = _insert(conn, firsts)
    fresh = [one for one in firsts if (one.delivery_id, one.digest) in new]
    known = [one for one in firsts if (one.delivery_id, one.digest) not in new]
    amended = _amend(conn, known, _EARLIER)
    changes: Mapping[Change, int] = {}
    if reread:
        changes = _changes(conn, known)
        amended |= _amend(conn, known, _READ_AGAIN)
    _hear(conn, [*known, *repeats])
    touched = {one.delivery_id for one in fresh}
    refold(conn, amended | touched)
    judge(conn, [_told(one, *kinds[one.delivery_id]) for one in fresh])
    doubts.note_refuted(conn, touched)
    flow.count_heard(conn, touched)
    account_health.note_words(conn, *_final_words(fresh))
    guard.count_words(conn, touched)
    said.note(conn, _refusals(fresh, kinds))
    receivers.note(conn, _slow_receivers(fresh, kinds))
    return Recorded(len(new), len(present) - len(new), orphans, changes)


def _final_words(fresh: Iterable[_Located]) -> tuple[Counter[int], Counter[int]]:
    """By account, how many were delivered or not, and how many of them for our reputation."""
    final = [one.event for one in fresh if one.event.verdict in _FINAL]
    blocked = [event.account_id for event in final if event.reason == "reputation_block"]
    return Counter(event.account_id for event in final), Counter(blocked)


def _slow_receivers(
    fresh: Iterable[_Located], kinds: Mapping[UUID, tuple[bool, str]]
) -> dict[tuple[bool, str], datetime]:
    """Receivers that ask for less mail, and when the latest of theirs was handed over."""
    said: dict[tuple[bool, str], datetime] = {}
    for one in fresh:
        event = one.event
        if event.reason == RATE_LIMITED and receivers.is_news(
            event.occurred_at or event.received_at
        ):
            simulated, address = kinds[one.delivery_id]
            receiver = (simulated, receiver_of(address))
            said[receiver] = max(said.get(receiver, one.begun_at), one.begun_at)
    return said


def _refusals(
    fresh: Iterable[_Located], kinds: Mapping[UUID, tuple[bool, str]]
) -> Counter[said.Refusal]:
    """What was said by those that failed for good or were given up."""
    return Counter(
        said.refusal(*kinds[one.delivery_id], one.event.reason, one.event.diagnostic)
        for one in fresh
        if one.event.verdict == Verdict.BOUNCED and one.event.reason and one.event.diagnostic
    )


def _placed(event: NewEvent, place: Found) -> _Located:
    digest = fact_digest(event, place.handover_id)
    found = (place.delivery_id, place.handover_id, place.basis)
    return _Located(event, *found, digest, place.begun_at)


def _distinct(located: Sequence[_Located]) -> tuple[list[_Located], list[_Located]]:
    """Each fact once, in its earliest hearing; and the other hearings of this batch."""
    firsts: dict[tuple[UUID, bytes], _Located] = {}
    ordered = sorted(located, key=lambda one: one.event.received_at)
    repeats = [
        one for one in ordered if firsts.setdefault((one.delivery_id, one.digest), one) is not one
    ]
    return list(firsts.values()), repeats


_OURS = {"delivery_id": "uuid", "digest": "bytea", "handover_id": "uuid", "basis": "text"}
_WORDS = {
    "account_id": "int",
    "receipt_id": "uuid",
    "receipt_start": "int",
    "receipt_length": "int",
    "received_at": "timestamptz",
    "provider_type": "text",
    "provider_class": "text",
    "provider_event_id": "text",
    "reply_code": "smallint",
    "enhanced_code": "text",
    "diagnostic": "text",
    "remote_host": "text",
    "url": "text",
    "user_agent": "text",
    "occurred_at": "timestamptz",
}
_READING = {
    "type": "text",
    "grade": "smallint",
    "verdict": "text",
    "reason": "text",
    "permanence": "text",
    "suppress": "text",
    "machine": "bool",
    "asynchronous": "bool",
    "reason_basis": "text",
    "rules": "smallint",
}
_COLUMNS = _OURS | _WORDS | _READING


_NAMES = ", ".join(_COLUMNS)
_HEARD = rows_of(_COLUMNS, "heard")

_INSERT = (
    f"INSERT INTO event ({_NAMES})"
    f" SELECT {_NAMES} FROM {_HEARD}"
    " ON CONFLICT (delivery_id, digest) DO NOTHING"
    " RETURNING delivery_id, digest"
)

_SAME = (
    # `= ANY` beside the join keeps the plan to index look-ups on the partitions concerned.
    " WHERE event.delivery_id = heard.delivery_id AND event.digest = heard.digest"
    "   AND event.delivery_id = ANY(%s)"
)

# The earliest hearing gives the time, whatever the order in which receipts are read.
_EARLIER = (
    f"UPDATE event SET received_at = heard.received_at FROM {_HEARD}{_SAME}"
    "    AND heard.received_at < event.received_at"
    " RETURNING event.delivery_id"
)

_READ_AGAIN = (
    f"UPDATE event SET {', '.join(f'{name} = heard.{name}' for name in _READING)}"
    f"  FROM {_HEARD}{_SAME}"
    " RETURNING event.delivery_id"
)

_CHANGED = (
    "SELECT event.reason, heard.reason, event.suppress, heard.suppress, count(*)"
    f"  FROM event, {_HEARD}{_SAME}"
    "   AND (event.reason, event.suppress) IS DISTINCT FROM (heard.reason, heard.suppress)"
    " GROUP BY 1, 2, 3, 4"
)


def _insert(conn: Connection, events: Sequence[_Located]) -> set[tuple[UUID, bytes]]:
    """The (delivery, digest) of those that were not known before."""
    if not events:
        return set()
    rows = conn.execute(_INSERT, (_rows(events),))
    return {(delivery_id, bytes(digest)) for delivery_id, digest in rows}


def _amend(conn: Connection, known: Sequence[_Located], statement: str) -> set[UUID]:
    """The deliveries of those events that the statement changed."""
    if not known:
        return set()
    ids = [one.delivery_id for one in known]
    return {id for (id,) in conn.execute(statement, (_rows(known), ids))}


def _changes(conn: Connection, known: Sequence[_Located]) -> dict[Change, int]:
    """How these readings differ from those that stand."""
    if not known:
        return {}
    ids = [one.delivery_id for one in known]
    rows = conn.execute(_CHANGED, (_rows(known), ids))
    return {Change(*differs): events for *differs, events in rows}


def _rows(events: Sequence[_Located]) -> str:
    return rows_json(_COLUMNS, (_values(one) for one in events))


_words_and_reading = attrgetter(*_WORDS, *_READING)


def _values(one: _Located) -> tuple[Any, ...]:
    ours = (one.delivery_id, one.digest, one.handover_id, one.basis)
    return (*ours, *_words_and_reading(one.event))


_HEARING = {
    "delivery_id": "uuid",
    "digest": "bytea",
    "receipt_id": "uuid",
    "receipt_start": "int",
    "receipt_length": "int",
}


def _hear(conn: Connection, repeats: Sequence[_Located]) -> None:
    """A second hearing adds its receipt to the event and counts nothing."""
    if not repeats:
        return
    conn.execute(
        "INSERT INTO hearing (delivery_id, digest, receipt_id, receipt_start, receipt_length)"
        f" SELECT heard.* FROM {rows_of(_HEARING, 'heard')}"
        "   JOIN event USING (delivery_id, digest)"
        "  WHERE event.receipt_id IS DISTINCT FROM heard.receipt_id"
        "    AND event.delivery_id = ANY(%s)"
        " ON CONFLICT DO NOTHING",
        (rows_json(_HEARING, map(_hearing, repeats)), [one.delivery_id for one in repeats]),
    )


def _hearing(one: _Located) -> tuple[Any, ...]:
    event = one.event
    receipt = (event.receipt_id, event.receipt_start, event.receipt_length)
    return (one.delivery_id, one.digest, *receipt)


def _told(one: _Located, simulated: bool, address_key: str) -> Told:
    return Told(
        simulated=simulated,
        address_key=address_key,
        type=one.event.type,
        reason=one.event.suppression_reason,
        at_once=one.event.suppress != Suppress.ON_REPEAT,
        machine=one.event.machine,
        at=one.begun_at,
        heard_at=one.event.received_at,
        delivery_id=one.delivery_id,
        event_digest=one.digest,
        receipt_id=one.event.receipt_id,
    )


def to_json(event: NewEvent) -> dict[str, Any]:
    """The event as an orphan keeps it; `from_json` gives it back."""
    values = {field.name: getattr(event, field.name) for field in fields(event)}
    return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def from_json(kept: Mapping[str, Any]) -> NewEvent:
    """The event that `to_json` was given."""
    event = NewEvent(**kept)
    occurred = kept["occurred_at"]
    handover = kept["handover_id"]
    return replace(
        event,
        receipt_id=UUID(kept["receipt_id"]),
        received_at=datetime.fromisoformat(kept["received_at"]),
        handover_id=UUID(handover) if handover else None,
        occurred_at=datetime.fromisoformat(occurred) if occurred else None,
        provider_message_ids=tuple(kept["provider_message_ids"]),
    )
