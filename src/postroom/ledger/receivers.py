"""Receivers that asked for less mail: their pace, shared by all senders, and the mail that waits.

Mail waits in the queue, due when its turn is to be expected, and is not looked at before.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from postroom.domain.lane import Lane
from postroom.domain.receiver import (
    GROWTH_PER_S,
    PER_S_MAX,
    QUIET_S,
    REST_S,
    Allotment,
    Standing,
    allot,
    lowered,
    receiver_of,
)
from postroom.ledger.clock import utc_now
from postroom.ledger.db import Connection, connection, transaction
from postroom.ledger.ids import floor_of

Receiver = tuple[bool, str]
"""Whether its mail is simulated, and its operator or domain."""

_OBSERVED_S = 3.0
_OBSERVED_MAX = 20_000
_NEWS_S = 300.0
"""What was said longer ago says nothing about now."""

_PER_S = "per_s * power(%(growth)s, GREATEST(0, extract(epoch FROM now() - grows_from)))::float8"
_IN_FORCE = f"heard_at > now() - %(quiet)s * interval '1 s' AND {_PER_S} < %(forgotten)s"
_FROM_NOW = "extract(epoch FROM GREATEST({}, clock_timestamp()) - clock_timestamp())::float8"
_RULES = {"growth": GROWTH_PER_S, "quiet": QUIET_S, "forgotten": PER_S_MAX}


@dataclass(frozen=True, slots=True)
class Slowed:
    """A receiver that asked for less."""

    receiver: str
    simulated: bool
    per_s: float
    rest_s: float
    """Seconds until it is given mail again; 0: it is."""
    heard_at: datetime
    """When it last asked."""


def slowed() -> list[Slowed]:
    """All receivers that are given mail at a learned pace now."""
    with connection() as conn:
        rows = conn.execute(
            f"SELECT receiver, simulated, {_PER_S},"
            "        GREATEST(0, extract(epoch FROM grows_from - now()))::float8, heard_at"
            f"  FROM receiver_pace WHERE {_IN_FORCE} ORDER BY simulated, receiver",
            _RULES,
        ).fetchall()
    return [Slowed(*row) for row in rows]


def in_force(conn: Connection) -> frozenset[Receiver]:
    """The receivers whose mail may have to wait."""
    rows = conn.execute(f"SELECT simulated, receiver FROM receiver_pace WHERE {_IN_FORCE}", _RULES)
    return frozenset((simulated, receiver) for simulated, receiver in rows)


def put_off(
    conn: Connection, slow: frozenset[Receiver], ids: Sequence[UUID], *, going: bool
) -> set[UUID]:
    """Those of these due deliveries, locked by us, that wait for a turn of their receiver.

    The others go now, and have used up turns; unless not `going`, when they stay as they are.
    """
    mail = _mail_of(conn, slow, ids)
    waits: dict[UUID, float] = {}
    for receiver in sorted(mail):
        lanes = mail[receiver]
        allotted = _allot(conn, receiver, lanes, going=going)
        if allotted is not None:
            in_order = sorted(lanes, key=lambda id: (lanes[id], id))
            waits |= zip(in_order[allotted.going :], allotted.waits_s, strict=True)
    if waits:
        conn.execute(
            "UPDATE delivery"
            "   SET stage = 'queued', changed_at = now(),"
            "       due_at = LEAST(expires_at, now() + in_s * interval '1 s')"
            "  FROM unnest(%s::uuid[], %s::float8[]) AS waits (id, in_s)"
            " WHERE delivery.id = waits.id AND delivery.id = ANY(%s)",
            (list(waits), list(waits.values()), list(waits)),
        )
    return set(waits)


def _mail_of(
    conn: Connection, slow: frozenset[Receiver], ids: Sequence[UUID]
) -> dict[Receiver, dict[UUID, Lane]]:
    """The deliveries to slow receivers, with their lanes."""
    rows = conn.execute(
        "SELECT id, simulated, recipient_key, lane FROM delivery WHERE id = ANY(%s)", (list(ids),)
    )
    found: dict[Receiver, dict[UUID, Lane]] = defaultdict(dict)
    for id, simulated, address, lane in rows:
        receiver = (simulated, receiver_of(address))
        if receiver in slow:
            found[receiver][id] = Lane(lane)
    return found


def _allot(
    conn: Connection, receiver: Receiver, lanes: Mapping[UUID, Lane], *, going: bool
) -> Allotment | None:
    """Turns for this mail; None when the receiver is not slow any more."""
    named = {"simulated": receiver[0], "receiver": receiver[1]}
    row = conn.execute(
        f"SELECT {_PER_S},"
        f"       {_FROM_NOW.format('GREATEST(next_at, grows_from)')},"
        f"       {_FROM_NOW.format('tail_at')}"
        "   FROM receiver_pace"
        f" WHERE simulated = %(simulated)s AND receiver = %(receiver)s AND {_IN_FORCE}"
        "    FOR UPDATE",
        named | _RULES,
    ).fetchone()
    if row is None:
        return None
    urgent = sum(lane is Lane.URGENT for lane in lanes.values())
    allotted = allot(Standing(*row), urgent, len(lanes) - urgent)
    next_s = allotted.turn_s if going else row[1]
    conn.execute(
        "UPDATE receiver_pace"
        "   SET next_at = clock_timestamp() + %(next)s::float8 * interval '1 s',"
        "       tail_at = clock_timestamp() + %(tail)s::float8 * interval '1 s'"
        " WHERE simulated = %(simulated)s AND receiver = %(receiver)s",
        named | {"next": next_s, "tail": allotted.tail_s},
    )
    return allotted


def asked_for_less(simulated: bool, addresses: Iterable[str], handed_at: datetime) -> None:
    """The receivers of these recipients said so of mail that was handed over then."""
    with transaction() as conn:
        note(conn, {(simulated, receiver_of(one)): handed_at for one in addresses})


def note(conn: Connection, said: Mapping[Receiver, datetime]) -> None:
    """Lower the pace of receivers that asked for less of the mail that was handed over then.

    Mail that had left before a pace was last lowered says nothing about the pace since.
    """
    for (simulated, receiver), handed_at in sorted(said.items()):
        known = conn.execute(
            f"SELECT {_PER_S}, heard_at < %(handed_at)s"
            "   FROM receiver_pace"
            f" WHERE simulated = %(simulated)s AND receiver = %(receiver)s AND {_IN_FORCE}"
            "    FOR UPDATE",
            _RULES | {"simulated": simulated, "receiver": receiver, "handed_at": handed_at},
        ).fetchone()
        if known is None:
            _lower(conn, simulated, receiver, _observed_per_s(conn, simulated, receiver))
        elif known[1]:
            _lower(conn, simulated, receiver, known[0])


def is_news(said_at: datetime) -> bool:
    """Whether what was said then may be true of now."""
    return said_at > utc_now() - timedelta(seconds=_NEWS_S)


def _lower(conn: Connection, simulated: bool, receiver: str, per_s: float) -> None:
    conn.execute(
        "INSERT INTO receiver_pace AS pace"
        "       (simulated, receiver, per_s, heard_at, grows_from, next_at, tail_at)"
        " VALUES (%(simulated)s, %(receiver)s, %(per_s)s, clock_timestamp(),"
        "         clock_timestamp() + %(rest)s * interval '1 s', '-infinity', '-infinity')"
        " ON CONFLICT (simulated, receiver) DO UPDATE"
        "   SET per_s = excluded.per_s, heard_at = excluded.heard_at,"
        "       grows_from = excluded.grows_from",
        {
            "simulated": simulated,
            "receiver": receiver,
            "per_s": min(lowered(per_s), PER_S_MAX / 2),
            "rest": REST_S,
        },
    )


def _observed_per_s(conn: Connection, simulated: bool, receiver: str) -> float:
    """Recipients a second that were handed over for this receiver lately."""
    since = utc_now() - timedelta(seconds=_OBSERVED_S)
    rows = conn.execute(
        "WITH lately AS ("
        "     SELECT id, begun_at FROM attempt WHERE id >= %(floor)s AND begun_at >= %(since)s),"
        "handed AS ("
        "     SELECT delivery_id, lately.begun_at FROM lately"
        "       JOIN handover ON handover.attempt_id = lately.id LIMIT %(max)s)"
        " SELECT substring(recipient_key FROM '[^@]*$'), count(*),"
        "        extract(epoch FROM clock_timestamp() - min(min(begun_at)) OVER ())::float8"
        "   FROM handed JOIN delivery ON delivery.id = delivery_id"
        "  WHERE simulated = %(simulated)s"
        "  GROUP BY 1",
        {
            "floor": floor_of(since - timedelta(seconds=5)),
            "since": since,
            "max": _OBSERVED_MAX,
            "simulated": simulated,
        },
    ).fetchall()
    mine = [(count, seconds) for domain, count, seconds in rows if receiver_of(domain) == receiver]
    observed: float = sum(count / max(seconds, 1.0) for count, seconds in mine)
    return observed
