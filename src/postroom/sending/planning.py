"""From claims to planned calls; what cannot be called is put away with its reason, never lost."""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from uuid import UUID

from postroom.domain.route import Route
from postroom.ledger import queue
from postroom.ledger.db import LedgerUnavailable
from postroom.ledger.queue import Claimed
from postroom.sending.compose import NeedsRawCarrier, Planned, compose, missing_fields
from postroom.sending.halving import halves
from postroom.sending.messages import Message, RecentMessages
from postroom.sending.roadmap import FromNotVerified, RoadMap, RouteAtRest, RouteClosed
from postroom.sending.roads import Way

_log = logging.getLogger(__name__)

_ACCOUNT_AGAIN_AFTER_S = 1.0
"""How long mail waits where no account is in use: until the accounts are looked at again."""
_ROUTE_AGAIN_AFTER_S = 30.0
"""How long mail waits whose route has no account in use."""


def by_message(claimed: Iterable[Claimed]) -> dict[UUID, list[Claimed]]:
    """The claims of each message, in the order of the claim."""
    groups: dict[UUID, list[Claimed]] = {}
    for one in claimed:
        groups.setdefault(one.message_id, []).append(one)
    return groups


def for_calls(claimed: Iterable[Claimed], calls: int) -> tuple[list[Claimed], list[Claimed]]:
    """The claims of so many messages, each of which is one call at least; and the others."""
    groups = list(by_message(claimed).values())
    return list(chain(*groups[:calls])), list(chain(*groups[calls:]))


@dataclass(slots=True)
class Plans:
    """What became of claims that were to be planned."""

    calls: list[Planned] = field(default_factory=list)
    left: list[Claimed] = field(default_factory=list)
    """Those for which the ledger was away."""


@dataclass(slots=True)
class _Composed:
    plans: list[Planned] = field(default_factory=list)
    failed: list[Claimed] = field(default_factory=list)
    error: Exception | None = None


class Planner:
    """Plans calls in the sender's threads."""

    def __init__(
        self,
        messages: RecentMessages,
        road_map: Callable[[bool], RoadMap],
        batch_max: int | None,
    ) -> None:
        self._messages = messages
        self._road_map = road_map
        self._batch_max = batch_max

    def plan(self, claimed: Sequence[Claimed]) -> Plans:
        """The calls for these claims; raises LedgerUnavailable where none can be planned."""
        groups = by_message(claimed)
        messages = self._messages.get(groups)
        plans = Plans()
        for id, group in groups.items():
            try:
                plans.calls += self._plan_message(messages[id], group)
            except LedgerUnavailable:
                plans.left += group
            except Exception:  # noqa: BLE001 - nor may trouble with one end the others; its lease ends
                _log.exception("ALARM message %s cannot be planned", id)
        return plans

    def _plan_message(
        self, message: Message | Exception, claimed: Sequence[Claimed]
    ) -> list[Planned]:
        if isinstance(message, Exception):
            self._hold_broken(claimed, message)
            return []
        return self._plan(message, self._without_missing(message, claimed))

    def _without_missing(self, message: Message, claimed: Sequence[Claimed]) -> list[Claimed]:
        """The claims that can be rendered; the others end here."""
        missing = missing_fields(message, claimed)
        for text, ones in missing.items():
            queue.reject(ones, "render_failed", text)
        gone = {one.delivery_id for ones in missing.values() for one in ones}
        return [one for one in claimed if one.delivery_id not in gone]

    def _plan(self, message: Message, claimed: Sequence[Claimed]) -> list[Planned]:
        if not claimed:
            return []
        road_map = self._road_map(claimed[0].simulated)
        if not road_map.ways:
            queue.give_back(claimed, _ACCOUNT_AGAIN_AFTER_S)
            return []
        plans: list[Planned] = []
        for route, group in road_map.by_route(message, claimed):
            plans += self._plan_route(road_map, message, group, route)
        return plans

    def _plan_route(
        self, road_map: RoadMap, message: Message, claimed: Sequence[Claimed], route: Route | None
    ) -> list[Planned]:
        try:
            groups = list(road_map.by_ways(message, claimed, route))
        except RouteAtRest:
            queue.give_back(claimed, _ROUTE_AGAIN_AFTER_S)
        except RouteClosed as why:
            queue.put_on_hold(claimed, "route_closed", str(why))
        except FromNotVerified as why:
            queue.put_on_hold(claimed, "from_not_verified", str(why))
        else:
            return [
                replace(one, others=road_map.carrying(one.others))
                for ways, group in groups
                for one in self._plan_ways(message, group, ways)
            ]
        return []

    def _plan_ways(
        self, message: Message, claimed: Sequence[Claimed], ways: Sequence[Way]
    ) -> list[Planned]:
        try:
            composed = self._compose(message, claimed, ways)
        except NeedsRawCarrier as why:
            queue.put_on_hold(claimed, "needs_raw_carrier", str(why))
            return []
        if composed.error is not None:
            self._hold_broken(composed.failed, composed.error)
        return composed.plans

    def _compose(
        self, message: Message, claimed: Sequence[Claimed], ways: Sequence[Way]
    ) -> _Composed:
        """The calls, and those deliveries for which composing fails: a fault of ours."""
        try:
            return _Composed(compose(message, claimed, ways, self._batch_max))
        except NeedsRawCarrier:
            raise
        except Exception as error:  # noqa: BLE001 - one bad copy is held, the others go
            if len(claimed) == 1:
                return _Composed(failed=list(claimed), error=error)
        first, second = (self._compose(message, half, ways) for half in halves(claimed))
        return _Composed(
            first.plans + second.plans, first.failed + second.failed, first.error or second.error
        )

    def _hold_broken(self, claimed: Sequence[Claimed], error: Exception) -> None:
        """Our own fault, or content that is gone: a person has to look at it."""
        _log.error(
            "ALARM message %s cannot be composed for %d recipients",
            claimed[0].message_id,
            len(claimed),
            exc_info=error,
        )
        queue.put_on_hold(claimed, "render_failed", f"composing failed: {type(error).__name__}")
