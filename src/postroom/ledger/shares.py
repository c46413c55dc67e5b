"""Whose mail is claimed next: within a lane, applications and communications share alike.

A group is one communication of one application, or all its mail outside of any. The groups that
have something in the queue are found by leaps over its index, one for each group, so a million
deliveries of one group cost as much as ten.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from postroom.domain.lane import Lane
from postroom.ledger.db import Connection

GROUPS_MAX = 100
"""Groups looked at for one claim; others have their turn at the next, for it begins behind them."""

# Of the next group, its delivery that is due first.
_LEAP = """
SELECT application_id, COALESCE(communication_id, 0) AS communication, due_at
  FROM delivery
 WHERE simulated = %(simulated)s AND lane = %(lane)s AND stage IN ('queued', 'scheduled')
   AND (application_id, COALESCE(communication_id, 0)) > ({application}, {communication})
 ORDER BY application_id, COALESCE(communication_id, 0), due_at
 LIMIT 1
"""
_GROUPS = f"""
WITH RECURSIVE seen AS (
   ({_LEAP.format(application="%(application)s", communication="%(communication)s")})
   UNION ALL
   SELECT following.application_id, following.communication, following.due_at
     FROM seen, LATERAL (
          {_LEAP.format(application="seen.application_id", communication="seen.communication")}
     ) AS following),
bounded AS (SELECT * FROM seen LIMIT {GROUPS_MAX})
SELECT bounded.application_id, bounded.communication,
       application.paused_at IS NOT NULL OR communication.paused_at IS NOT NULL,
       bounded.due_at <= now()
  FROM bounded
  JOIN application ON application.id = bounded.application_id
  LEFT JOIN communication ON communication.id = bounded.communication
"""
_DUE = """
SELECT taken.id, taken.is_late, wanted.application, wanted.communication
  FROM unnest(%(applications)s::integer[], %(communications)s::bigint[], %(shares)s::integer[])
       AS wanted (application, communication, share),
       LATERAL (
       SELECT id, COALESCE(expires_at <= now(), false) AS is_late
         FROM delivery
        WHERE simulated = %(simulated)s AND lane = %(lane)s
          AND application_id = wanted.application
          AND COALESCE(communication_id, 0) = wanted.communication
          AND stage IN ('queued', 'scheduled') AND due_at <= now()
          AND id <> ALL(%(had)s::uuid[])
        ORDER BY due_at, id
        LIMIT wanted.share
          FOR UPDATE SKIP LOCKED) AS taken
"""


@dataclass(frozen=True, slots=True, order=True)
class Group:
    """One communication of one application; 0: its mail outside of any."""

    application: int
    communication: int


@dataclass(frozen=True, slots=True)
class Due:
    """What is known of a delivery that may be claimed."""

    is_late: bool
    """Past its expiry."""
    group: Group
    simulated: bool


class _Standing(NamedTuple):
    """How a group stands."""

    is_paused: bool
    is_due: bool
    """Something of it may go now; else all of it is for later."""


_FIRST = Group(-1, -1)
_KEPT_SHARE = 20
"""One part in so many of all claims is kept for each lane below."""


class Rota:
    """Where the last claim of each lane left off, so that no group is always behind."""

    def __init__(self) -> None:
        self._after: dict[tuple[bool, Lane], Group] = {}
        self._spared = 0.0

    def kept(self, limit: int) -> int:
        """How many of so many are kept for each lane below; of small claims one now and then."""
        self._spared += limit / _KEPT_SHARE
        kept = int(self._spared)
        self._spared -= kept
        return kept

    def groups(self, conn: Connection, simulated: bool, lane: Lane) -> list[Group]:
        """Those that have something due in this lane and are not paused, whose turn it is first."""
        after = self._after.get((simulated, lane), _FIRST)
        found = _going_on(conn, simulated, lane, after)
        if after is not _FIRST and len(found) < GROUPS_MAX:
            before = _going_on(conn, simulated, lane, _FIRST)
            found += [group for group in before if group <= after]
        return found[:GROUPS_MAX]

    def served(
        self, simulated: bool, lane: Lane, groups: Sequence[Group], got: Collection[Group]
    ) -> None:
        """Of these some `got` something: the next claim begins behind the last of them, unless all
        did; where none did, behind them all."""
        if len(groups) < GROUPS_MAX and len(got) in (0, len(groups)):
            last = _FIRST
        else:
            last = next((one for one in reversed(groups) if one in got), groups[-1])
        self._after[simulated, lane] = last


def all_groups(conn: Connection, simulated: bool, lane: Lane) -> list[Group]:
    """The first groups that have something in this lane, paused ones too."""
    return list(_groups(conn, simulated, lane, _FIRST))


def with_pauses(conn: Connection, simulated: bool, lane: Lane, most: int) -> dict[Group, bool]:
    """The first groups that have something in this lane, and whether each is paused.

    Pages are read until there are `most` or no more; the last one may go beyond.
    """
    found: dict[Group, bool] = {}
    for page in _pages(conn, simulated, lane, _FIRST):
        found |= {group: standing.is_paused for group, standing in page.items()}
        if len(found) >= most:
            break
    return found


def _going_on(conn: Connection, simulated: bool, lane: Lane, after: Group) -> list[Group]:
    """Groups behind that one with something that may go now, `GROUPS_MAX` if there are so many.

    Any number of others may stand before them.
    """
    found: list[Group] = []
    for page in _pages(conn, simulated, lane, after):
        found += [group for group, one in page.items() if one.is_due and not one.is_paused]
        if len(found) >= GROUPS_MAX:
            break
    return found


def _pages(
    conn: Connection, simulated: bool, lane: Lane, after: Group
) -> Iterator[dict[Group, _Standing]]:
    page = _groups(conn, simulated, lane, after)
    while page:
        yield page
        page = _groups(conn, simulated, lane, max(page)) if len(page) == GROUPS_MAX else {}


def _groups(conn: Connection, simulated: bool, lane: Lane, after: Group) -> dict[Group, _Standing]:
    """Groups behind that one in their order, and how each stands."""
    place = {"application": after.application, "communication": after.communication}
    rows = conn.execute(_GROUPS, place | {"simulated": simulated, "lane": int(lane)}).fetchall()
    return {Group(application, which): _Standing(*how) for application, which, *how in sorted(rows)}


def due(
    conn: Connection,
    simulated: bool,
    lane: Lane,
    groups: Sequence[Group],
    limit: int,
    rooms: dict[int, int],
    had: Iterable[UUID] = (),
) -> dict[UUID, Due]:
    """Up to `limit` due deliveries of these groups, locked, without those that we `had` before.

    Every group gets the same share, and what some leave over goes to the others. `rooms`:
    recipients that an application may still have now, less those found afterwards; who is not
    there may have any number.
    """
    found: dict[UUID, Due] = {}
    before, hungry = set(had), _with_room(groups, rooms)
    while hungry and len(found) < limit:
        shares = _shares(hungry, limit - len(found), rooms)
        got: Counter[Group] = Counter()
        for id, is_late, group in _take(conn, simulated, lane, shares, before | found.keys()):
            found[id] = Due(is_late, group, simulated)
            got[group] += 1
        for group, count in got.items():
            if group.application in rooms:
                rooms[group.application] -= count
        # Who got less than its share has no more; who had none yet is still to be asked.
        hungry = _with_room([one for one in hungry if got[one] == shares.get(one, 0)], rooms)
    return found


def _with_room(groups: Iterable[Group], rooms: Mapping[int, int]) -> list[Group]:
    return [group for group in groups if rooms.get(group.application, 1) > 0]


def _shares(groups: Sequence[Group], wanted: int, rooms: Mapping[int, int]) -> dict[Group, int]:
    """An equal share for each group, no application above its room; the first get something."""
    each = max(1, wanted // len(groups))
    room, shares = dict(rooms), {}
    for group in groups[:wanted]:
        share = min(each, room.get(group.application, each))
        if share > 0:
            shares[group] = share
            if group.application in room:
                room[group.application] -= share
    return shares


def _take(
    conn: Connection,
    simulated: bool,
    lane: Lane,
    shares: Mapping[Group, int],
    had: Iterable[UUID],
) -> list[tuple[UUID, bool, Group]]:
    rows = conn.execute(
        _DUE,
        {
            "simulated": simulated,
            "lane": int(lane),
            "applications": [group.application for group in shares],
            "communications": [group.communication for group in shares],
            "shares": list(shares.values()),
            "had": list(had),
        },
    ).fetchall()
    return [(id, is_late, Group(*group)) for id, is_late, *group in rows]
