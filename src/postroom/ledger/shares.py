"""Whose mail is claimed next: within a lane, applications and communications share alike.

A group is one communication of one application, or all its mail outside of any. The groups that
have something in the queue are found by leaps over its index, one for each group, so a million
deliveries of one group cost as much as ten.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from postroom.domain.lane import Lane
from postroom.ledger.db import Connection

GROUPS_MAX = 100
"""Groups looked at for one claim; others have their turn at the next, for it begins behind them."""

_LEAP = """
SELECT application_id, COALESCE(communication_id, 0) AS communication
  FROM delivery
 WHERE simulated = %(simulated)s AND lane = %(lane)s AND stage IN ('queued', 'scheduled')
   AND (application_id, COALESCE(communication_id, 0)) > ({application}, {communication})
 ORDER BY application_id, COALESCE(communication_id, 0)
 LIMIT 1
"""
_GROUPS = f"""
WITH RECURSIVE seen AS (
   ({_LEAP.format(application="%(application)s", communication="%(communication)s")})
   UNION ALL
   SELECT following.application_id, following.communication
     FROM seen, LATERAL (
          {_LEAP.format(application="seen.application_id", communication="seen.communication")}
     ) AS following),
bounded AS (SELECT * FROM seen LIMIT {GROUPS_MAX})
SELECT bounded.application_id, bounded.communication,
       application.paused_at IS NOT NULL OR communication.paused_at IS NOT NULL
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
    application: int


_FIRST = Group(-1, -1)


class Rota:
    """Where the last claim of each lane left off, so that no group is always behind."""

    def __init__(self) -> None:
        self._after: dict[tuple[bool, Lane], Group] = {}

    def groups(self, conn: Connection, simulated: bool, lane: Lane) -> list[Group]:
        """Those that have something in this lane and are not paused, whose turn it is first."""
        after = self._after.get((simulated, lane), _FIRST)
        found = _going_on(conn, simulated, lane, after)
        if after is not _FIRST and len(found) < GROUPS_MAX:
            before = _going_on(conn, simulated, lane, _FIRST)
            found += [group for group in before if group <= after]
        return found[:GROUPS_MAX]

    def served(self, simulated: bool, lane: Lane, groups: Sequence[Group], limit: int) -> None:
        """A claim of at most `limit` was made for these: the next begins behind the last of them,
        unless it can serve them all."""
        all_of_them = len(groups) < min(limit, GROUPS_MAX)
        last = _FIRST if all_of_them or not groups else groups[min(limit, len(groups)) - 1]
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
        found |= page
        if len(found) >= most:
            break
    return found


def _going_on(conn: Connection, simulated: bool, lane: Lane, after: Group) -> list[Group]:
    """Groups behind that one that are not paused, at least `GROUPS_MAX` if there are so many.

    Any number of paused ones may stand before them.
    """
    found: list[Group] = []
    for page in _pages(conn, simulated, lane, after):
        found += [group for group, paused in page.items() if not paused]
        if len(found) >= GROUPS_MAX:
            break
    return found


def _pages(
    conn: Connection, simulated: bool, lane: Lane, after: Group
) -> Iterator[dict[Group, bool]]:
    page = _groups(conn, simulated, lane, after)
    while page:
        yield page
        page = _groups(conn, simulated, lane, max(page)) if len(page) == GROUPS_MAX else {}


def _groups(conn: Connection, simulated: bool, lane: Lane, after: Group) -> dict[Group, bool]:
    """Groups behind that one in their order, and whether each is paused."""
    place = {"application": after.application, "communication": after.communication}
    rows = conn.execute(_GROUPS, place | {"simulated": simulated, "lane": int(lane)}).fetchall()
    return {Group(application, which): paused for application, which, paused in sorted(rows)}


def due(
    conn: Connection,
    simulated: bool,
    lane: Lane,
    groups: Sequence[Group],
    limit: int,
    rooms: Mapping[int, int],
    had: Iterable[UUID] = (),
) -> dict[UUID, Due]:
    """Up to `limit` due deliveries of these groups, locked, without those that we `had` before.

    Every group gets the same share, and what some leave over goes to the others. `rooms`:
    recipients that an application may still have now; who is not there may have any number.
    """
    found: dict[UUID, Due] = {}
    before, left, hungry = set(had), dict(rooms), list(groups)
    while hungry and len(found) < limit:
        shares = _shares(hungry, limit - len(found), left)
        got: Counter[Group] = Counter()
        for id, is_late, group in _take(conn, simulated, lane, shares, before | found.keys()):
            found[id] = Due(is_late, group.application)
            got[group] += 1
        for group, count in got.items():
            if group.application in left:
                left[group.application] -= count
        hungry = [group for group, share in shares.items() if got[group] == share]
    return found


def _shares(groups: Sequence[Group], wanted: int, left: Mapping[int, int]) -> dict[Group, int]:
    """An equal share for each group, no application above its room; none for who gets nothing."""
    each = max(1, wanted // len(groups))
    room, shares = dict(left), {}
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
