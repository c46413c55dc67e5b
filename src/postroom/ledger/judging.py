"""From what was heard to suppressions: each address is judged by all that is known of it.

The rules are `domain.suppression`; here facts are kept, addresses judged anew, and storms met.
Whatever order interpreters hear things in, the judgement is of the set.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from postroom.domain.delivery import EventType
from postroom.domain.storm import Words, slot_of
from postroom.domain.suppression import CHOICES, PROOF_WINDOW, condemned, ends_at
from postroom.ledger import choices, domain_words, failures, probation, storms
from postroom.ledger.clock import utc_now
from postroom.ledger.db import Connection
from postroom.ledger.domain_words import Domain
from postroom.ledger.failures import Arrival, Evidence, Key
from postroom.ledger.suppressions import NewSuppression, add_with


@dataclass(frozen=True, slots=True)
class Told:
    """One fact about an address, heard for the first time."""

    simulated: bool
    address_key: str
    type: str
    reason: str | None
    """What it says against the address; None: nothing."""
    at_once: bool
    machine: bool | None
    at: datetime
    """When the mail was handed over, by our clock; where that is not known, when it was heard."""
    heard_at: datetime
    delivery_id: UUID | None
    event_digest: bytes | None
    receipt_id: UUID | None
    """None: it was told by a hit on an address of ours, and by no notification."""

    @property
    def key(self) -> Key:
        """Whom it is about."""
        return (self.simulated, self.address_key)

    @property
    def is_failure(self) -> bool:
        """Whether it counts against the address, as against what its owner asks for."""
        return self.reason is not None and self.reason not in CHOICES

    @property
    def is_proof(self) -> bool:
        """Whether it shows that somebody reads mail at the address."""
        by_person = self.type == EventType.CLICKED and self.machine is False
        return self.type == EventType.DELIVERED or by_person


def judge(conn: Connection, told: Sequence[Told]) -> None:
    """Keep what these facts say for addresses and against them, and judge those concerned anew.

    Verdicts of the deliveries must be folded by now.
    """
    failing = [
        _evidence(one, one.receipt_id)
        for one in told
        if one.is_failure and one.receipt_id is not None
    ]
    if failing:
        domain_words.lock(conn, {domain_of(one.key) for one in failing})
    fresh = _kept(conn, failing)
    arrived = _arrivals(conn, failing)
    domain_words.add(conn, _words(told, fresh, arrived))
    stormy = storms.met(conn, _slots(fresh))
    probation.end_trials(conn, {one.delivery_id for one in told if one.delivery_id is not None})
    doubted = probation.failing(conn, {one.key for one in told if one.is_proof})
    _judge_anew(conn, {one.key for one in failing} | doubted, stormy)
    choices.follow(conn, [one for one in told if not one.is_failure])


def domain_of(key: Key) -> Domain:
    """The receiving domain of an address."""
    simulated, address = key
    return simulated, address.rpartition("@")[2]


def _evidence(one: Told, receipt_id: UUID) -> Evidence:
    return Evidence(
        simulated=one.simulated,
        address_key=one.address_key,
        reason=one.reason or "",
        subject=one.delivery_id or receipt_id,
        failed_at=one.at,
        at_once=one.at_once,
        delivery_id=one.delivery_id,
        event_digest=one.event_digest,
        receipt_id=receipt_id,
    )


def _kept(conn: Connection, failing: Sequence[Evidence]) -> list[Evidence]:
    """One of each delivery that had not failed before."""
    if not failing:
        return []
    new = failures.keep(conn, failing)
    return list({one.subject: one for one in failing if one.subject in new}.values())


def _arrivals(conn: Connection, failing: Sequence[Evidence]) -> Mapping[Key, Arrival]:
    if not failing:
        return {}
    since = min(one.failed_at for one in failing)
    return failures.arrivals(conn, {one.key for one in failing}, since)


def _words(
    told: Iterable[Told], fresh: Iterable[Evidence], arrived: Mapping[Key, Arrival]
) -> dict[domain_words.Slot, Words]:
    words: dict[domain_words.Slot, Words] = {}

    def count(key: Key, at: datetime, one: Words) -> None:
        slot = (*domain_of(key), slot_of(at))
        words[slot] = words.get(slot, Words()) + one

    for one in told:
        if one.type == EventType.DELIVERED:
            count(one.key, one.at, Words(delivered=1))
    for failed in fresh:
        last = arrived.get(failed.key)
        proven = last is not None and last.at > failed.failed_at - PROOF_WINDOW
        count(failed.key, failed.failed_at, Words(failed=1, proven=int(proven)))
    return words


def _slots(fresh: Iterable[Evidence]) -> dict[Domain, set[datetime]]:
    slots: dict[Domain, set[datetime]] = {}
    for one in fresh:
        slots.setdefault(domain_of(one.key), set()).add(slot_of(one.failed_at))
    return slots


def _judge_anew(
    conn: Connection, keys: Collection[Key], stormy: Mapping[Domain, Collection[datetime]]
) -> None:
    """Suppress the addresses that all their failures condemn, and lift what is disproved."""
    if not keys:
        return
    known = failures.of(conn, keys)
    oldest = min((one.failed_at for some in known.values() for one in some), default=utc_now())
    arrived = failures.arrivals(conn, keys, oldest)
    lifted = failures.lifts(conn, keys)
    stops: dict[Key, list[Evidence]] = {}
    for key, some in known.items():
        proofs = [lifted[key]] if key in lifted else []
        if key in arrived:
            proofs.append(arrived[key].at)
        takes = domain_words.takes_mail(conn, domain_of(key))
        found = condemned((one.failure for one in some), max(proofs, default=None), takes)
        stops[key] = [one for one in some if one.failure in found.values()]
    probation.lift_disproved(conn, known, stops, arrived)
    add_with(
        conn,
        (_suppression(one, stormy.get(domain_of(key), ())) for key in stops for one in stops[key]),
    )


def _suppression(one: Evidence, stormy: Collection[datetime]) -> NewSuppression:
    now = utc_now()
    until = storms.quarantine_ends(now) if slot_of(one.failed_at) in stormy else None
    return NewSuppression(
        simulated=one.simulated,
        address_key=one.address_key,
        reason=one.reason,
        source="event",
        delivery_id=one.delivery_id,
        event_digest=one.event_digest,
        receipt_id=one.receipt_id,
        failed_at=one.failed_at,
        expires_at=until or ends_at(one.reason, now),
        quarantined_until=until,
    )
