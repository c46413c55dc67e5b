"""What a delivery is planned for is what it is not taken away from again."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from postroom.domain.lane import Lane
from postroom.domain.route import Route
from postroom.ledger.blobs import StoredMessage
from postroom.ledger.queue import Claimed
from postroom.providers.base import Account
from postroom.providers.registry import PROVIDERS
from postroom.sending.messages import Message
from postroom.sending.roadmap import RoadMap
from postroom.sending.roads import Carriers, Way

NOW = datetime(2026, 11, 24, tzinfo=UTC)
ROAD = PROVIDERS["smtp"].roads[0]
CARRIER = Carriers(5).of(ROAD)


def message(lane: Lane) -> Message:
    described: dict[str, Any] = dict.fromkeys(StoredMessage.__dataclass_fields__)
    known = {"application_id": 1, "lane": lane, "from_address": "a@example.org"}
    return Message(StoredMessage(**(described | known)), None, NOW)


def claimed(number: int, lane: Lane, tries: int) -> Claimed:
    id = UUID(int=number << 64)
    return Claimed(id, id, True, lane, "b@example.org", None, {}, None, tries, 1, NOW)


HEALTH = st.tuples(st.sampled_from([0.0, 0.5, 1.0]), st.booleans())


@settings(max_examples=1000)
@given(
    st.lists(HEALTH, min_size=1, max_size=3),
    st.sampled_from(Lane),
    st.integers(0, 1),
    st.booleans(),
)
def test_no_delivery_is_planned_for_an_account_that_it_is_to_leave(
    health: list[tuple[float, bool]], lane: Lane, tries: int, weighted: bool
) -> None:
    accounts = [Account(number, str(number), "smtp", True, {}) for number in range(len(health))]
    road_map = RoadMap(
        [Way(account, ROAD, CARRIER) for account in accounts],
        shares={number: share for number, (share, _) in enumerate(health)},
        sound=frozenset(number for number, (share, sound) in enumerate(health) if sound and share),
    )
    ids = tuple(account.id for account in accounts)
    route = Route(1, ids, tuple(1.0 + id for id in ids)) if weighted else None
    ones = [claimed(number, lane, tries) for number in range(20)]
    seen = 0
    for ways, group in road_map.by_ways(message(lane), ones, route):
        first, *others = (way.account.id for way in ways)
        assert not road_map.is_left(first, road_map.carrying(frozenset(others)), lane)
        seen += len(group)
    assert seen == len(ones)
