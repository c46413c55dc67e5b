"""The queue, which is the delivery row: claim, give back, hold, reject, and what people ask for.

Every move is guarded in its WHERE; a row that has moved on is left alone.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from postroom.domain.delivery import EventType, Stage
from postroom.domain.lane import Lane
from postroom.ledger import application_limits, guard_cases, receivers
from postroom.ledger.application_limits import Room
from postroom.ledger.db import Connection, transaction
from postroom.ledger.fences import by_fence
from postroom.ledger.folding import refold
from postroom.ledger.local_events import move
from postroom.ledger.shares import Due, Group, Rota, due
from postroom.ledger.stops import stop_claimed


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this sender may hand over until its lease ends."""

    delivery_id: UUID
    message_id: UUID
    simulated: bool
    lane: Lane
    recipient: str
    recipient_name: str | None
    vars: dict[str, str]
    ref: str | None
    tries: int
    """Attempts begun before this claim."""
    fence: int
    """The claim's number; whatever is written about the claim must still carry it."""
    lease_until: datetime


_rota = Rota()
_LOOKED_AT = 1_000
_ROUNDS_MAX = 5
"""So often others are looked for in one claim where all that was found waits for its receiver."""


def claim(
    simulated: Sequence[bool], limit: int, lease_s: float, lanes: Sequence[Lane] = tuple(Lane)
) -> list[Claimed]:
    """Up to `limit` due deliveries of these lanes, urgent before normal before bulk.

    Within a lane, applications and communications share alike, and each one's oldest come first.
    Nothing of a paused one is claimed. Deliveries that are suppressed or expired by now are
    recorded as such instead of claimed. Mail to a receiver that asked for less waits its turn,
    and other mail is claimed in its place.
    """
    claimed, waiting = _claim(simulated, limit, lease_s, lanes)
    for _ in range(_ROUNDS_MAX):
        if claimed or not waiting:
            break
        _put_off_more(simulated, lanes)
        claimed, waiting = _claim(simulated, limit, lease_s, lanes)
    return claimed


def _claim(
    simulated: Sequence[bool], limit: int, lease_s: float, lanes: Sequence[Lane]
) -> tuple[list[Claimed], int]:
    """What can be claimed of the next so many, and how many of them wait for their receiver."""
    with transaction() as conn:
        slow = receivers.in_force(conn)
        due = _due(conn, simulated, sorted(lanes), limit)
        if not due:
            return [], 0
        suppressed = stop_claimed(conn, due.keys())
        expired = {id for id, one in due.items() if one.is_late} - suppressed
        _expire(conn, expired)
        _drop_copies(conn, suppressed | expired)
        going = due.keys() - suppressed - expired
        going -= guard_cases.hold_claimed(conn, going)
        waiting = receivers.put_off(conn, slow, list(going), going=True) if slow else set()
        going -= waiting
        _use(conn, (due[id] for id in going))
        return _lease(conn, going, lease_s), len(waiting)


def _put_off_more(simulated: Sequence[bool], lanes: Sequence[Lane]) -> None:
    """Let many wait for their receiver at once, so that they do not stand before all others."""
    with transaction() as conn:
        slow = receivers.in_force(conn)
        due = _due(conn, simulated, sorted(lanes), _LOOKED_AT)
        receivers.put_off(
            conn, slow, [id for id, one in due.items() if not one.is_late], going=False
        )


def _due(
    conn: Connection, simulated: Sequence[bool], lanes: Sequence[Lane], limit: int
) -> dict[UUID, Due]:
    """What may be claimed; first with a little kept for each lane below, then without."""
    waiting = {(kind, lane): _rota.groups(conn, kind, lane) for lane in lanes for kind in simulated}
    rooms = _rooms(conn, waiting)
    kept = _rota.kept(limit) if len(lanes) > 1 else 0
    found: dict[UUID, Due] = {}
    more = []
    for below, lane in reversed(list(enumerate(reversed(lanes)))):
        for kind in simulated:
            most = max(0, limit - len(found) - below * kept)
            taken = _due_in_lane(conn, kind, lane, waiting[kind, lane], most, rooms, found)
            found |= taken
            if most == len(taken):
                more.append((kind, lane))
    for kind, lane in more:
        most = limit - len(found)
        found |= _due_in_lane(conn, kind, lane, waiting[kind, lane], most, rooms, found)
    return found


def _rooms(
    conn: Connection, waiting: Mapping[tuple[bool, Lane], Sequence[Group]]
) -> dict[int, Room]:
    """What live applications with limits may have now: locked all at once, so in one order."""
    live = [groups for (simulated, _), groups in waiting.items() if not simulated]
    return application_limits.rooms(conn, {group.application for some in live for group in some})


def _due_in_lane(
    conn: Connection,
    simulated: bool,
    lane: Lane,
    groups: Sequence[Group],
    limit: int,
    rooms: Mapping[int, Room],
    had: Iterable[UUID],
) -> dict[UUID, Due]:
    if limit <= 0 or not groups:
        return {}
    open_now = {} if simulated else {id: room.of(lane) for id, room in rooms.items()}
    taken = due(conn, simulated, lane, groups, limit, open_now, had)
    if not simulated:
        for id, recipients in Counter(one.group.application for one in taken.values()).items():
            if id in rooms:
                rooms[id].less(recipients)
    _rota.served(simulated, lane, groups, {one.group for one in taken.values()})
    return taken


def _use(conn: Connection, claimed: Iterable[Due]) -> None:
    live = (one.group.application for one in claimed if not one.simulated)
    application_limits.use(conn, Counter(live))


def _expire(conn: Connection, ids: set[UUID]) -> None:
    if ids:
        conn.execute(
            move(
                EventType.EXPIRED,
                "stage = 'expired', reason = NULL, reason_text = NULL",
                "id = ANY(%s) AND verdict IS NULL",
            ),
            (list(ids), None, None),
        )


def _drop_copies(conn: Connection, ids: Iterable[UUID]) -> None:
    """Copies that are not sent after all: the earlier attempt, in doubt, is watched again."""
    wanted = list(ids)
    if wanted:
        rows = conn.execute(
            "UPDATE delivery SET stage = 'handed', lease_until = NULL, changed_at = now()"
            " WHERE id = ANY(%s) AND stage IN ('queued', 'scheduled', 'submitting')"
            "   AND verdict IS NOT NULL"
            " RETURNING id",
            (wanted,),
        ).fetchall()
        refold(conn, [id for (id,) in rows])


def _lease(conn: Connection, ids: set[UUID], lease_s: float) -> list[Claimed]:
    rows = conn.execute(
        "UPDATE delivery"
        "   SET stage = 'submitting', changed_at = now(),"
        "       lease_until = now() + make_interval(secs => %s),"
        "       fence = (SELECT nextval('claim_fence'))"
        " WHERE id = ANY(%s)"
        " RETURNING id, message_id, simulated, lane, recipient, recipient_name, vars, ref,"
        "           tries, fence, lease_until",
        (lease_s, list(ids)),
    ).fetchall()
    claimed = [_claimed(row) for row in rows]
    return sorted(claimed, key=lambda one: (one.lane, one.delivery_id))


def _claimed(row: tuple[Any, ...]) -> Claimed:
    described = dict(zip((field.name for field in fields(Claimed)), row, strict=True))
    described["lane"] = Lane(described["lane"])
    described["vars"] = described["vars"] or {}
    return Claimed(**described)


def give_back(claimed: Sequence[Claimed], delay_s: float) -> None:
    """Return claimed deliveries, none of them handed over, to the queue.

    Without a delay each has its old place there.
    """
    with transaction() as conn:
        for fence, ids in by_fence(claimed):
            returned = conn.execute(
                "UPDATE delivery"
                "   SET stage = 'queued', lease_until = NULL, changed_at = now(),"
                "       due_at = CASE WHEN %(delay)s = 0 THEN due_at"
                "                     ELSE now() + make_interval(secs => %(delay)s) END"
                " WHERE id = ANY(%(ids)s) AND stage = 'submitting' AND fence = %(fence)s"
                " RETURNING id",
                {"delay": delay_s, "ids": ids, "fence": fence},
            ).fetchall()
            application_limits.give_back(conn, [id for (id,) in returned])


def put_on_hold(claimed: Sequence[Claimed], reason: str, text: str | None) -> None:
    """Claimed deliveries wait for a person or a rule, with the reason."""
    _end_claim(claimed, Stage.HELD, EventType.HELD, reason, text)


def reject(claimed: Sequence[Claimed], reason: str, text: str | None) -> None:
    """Claimed deliveries end here: we refuse them before any attempt."""
    _end_claim(claimed, Stage.REJECTED, EventType.REJECTED, reason, text)


def _end_claim(
    claimed: Sequence[Claimed], stage: Stage, event: EventType, reason: str, text: str | None
) -> None:
    with transaction() as conn:
        for fence, ids in by_fence(claimed):
            ours = conn.execute(
                "SELECT id FROM delivery"
                " WHERE id = ANY(%s) AND stage = 'submitting' AND fence = %s"
                " ORDER BY id FOR UPDATE",
                (ids, fence),
            ).fetchall()
            still_ours = [id for (id,) in ours]
            application_limits.give_back(conn, still_ours)
            _drop_copies(conn, still_ours)
            conn.execute(
                move(
                    event,
                    "stage = %s, lease_until = NULL, reason = %s, reason_text = %s",
                    "id = ANY(%s) AND stage = 'submitting'",
                ),
                (stage, reason, text, still_ours, reason, text),
            )


_IN_HAND = "stage = 'submitting' AND tries = 0"
"""Claimed for the first time, and not begun: a begin that comes first changes the row."""


def cancel(message_id: UUID, application_id: int) -> int | None:
    """How many deliveries were withdrawn; None when the application has no such message.

    What a sender has claimed is withdrawn too, unless an attempt has begun, or did before.
    """
    return _ask(
        message_id,
        application_id,
        "stage = 'cancelled', reason = NULL, reason_text = NULL",
        f"(stage IN ('scheduled', 'queued', 'held') OR {_IN_HAND}) AND verdict IS NULL",
        EventType.CANCELLED,
    )


_LET_GO = "'canary', 'from_not_verified', 'guard', 'route_closed'"
"""Reasons of holds that end without a person."""


def hold(message_id: UUID, application_id: int) -> int | None:
    """How many deliveries wait from now on; None when the application has no such message.

    What a rule holds, and would let go by itself, waits for a person too.
    """
    return _ask(
        message_id,
        application_id,
        "stage = 'held', reason = 'asked', reason_text = NULL",
        f"(stage IN ('scheduled', 'queued') OR {_IN_HAND}"
        f" OR stage = 'held' AND reason IN ({_LET_GO})) AND verdict IS NULL",
        EventType.HELD,
        "asked",
    )


def release(message_id: UUID, application_id: int) -> int | None:
    """How many held deliveries go on, at their `send_at` if that is to come.

    None when the application has no such message.
    """
    return _ask(
        message_id,
        application_id,
        "reason = NULL, reason_text = NULL,"
        " stage = CASE WHEN due_at > now() THEN 'scheduled' ELSE 'queued' END",
        "stage = 'held'",
        EventType.RELEASED,
    )


def _ask(
    message_id: UUID,
    application_id: int,
    change: str,
    guard: str,
    event: EventType,
    reason: str | None = None,
) -> int | None:
    with transaction() as conn:
        known = conn.execute(
            "SELECT FROM message WHERE id = %s AND application_id = %s",
            (message_id, application_id),
        )
        if known.rowcount == 0:
            return None
        moved = conn.execute(
            move(event, f"{change}, lease_until = NULL", f"message_id = %s AND {guard}"),
            (message_id, reason, None),
        )
        return moved.rowcount
