"""The accounts that mail may leave by now, with their roads."""

import asyncio
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.conf import settings

from postroom.domain.health import Health, State
from postroom.domain.limits import Limits
from postroom.domain.return_path import key_of
from postroom.ledger import account_health, paces, routes, sender_domains
from postroom.ledger import accounts as ledger
from postroom.providers.base import Account
from postroom.providers.registry import PROVIDERS
from postroom.sending.backoff import BackOff
from postroom.sending.berths import AllBerths
from postroom.sending.compose import Planned
from postroom.sending.meter import Meters
from postroom.sending.roadmap import RoadMap
from postroom.sending.roads import Carriers, Way, ways_of


class Accounts:
    """What this sender knows of the accounts; `refresh` looks again."""

    def __init__(
        self, carriers: Carriers, back_off: BackOff, meters: Meters, berths: AllBerths
    ) -> None:
        self._carriers = carriers
        self._back_off = back_off
        self._meters = meters
        self._berths = berths
        self._maps = {True: RoadMap(), False: RoadMap()}

    async def refresh(self) -> None:
        """Read the accounts that are in use; LedgerUnavailable when the database is away."""
        carried = await asyncio.to_thread(sender_domains.carried)
        standings = await asyncio.to_thread(paces.standings)
        health = await asyncio.to_thread(account_health.standing)
        in_force = await asyncio.to_thread(routes.in_force)
        rest = timedelta(seconds=settings.POSTROOM_FAILOVER_REST_S)
        for simulated in (True, False):
            known = _known(await asyncio.to_thread(ledger.usable, simulated))
            ways = ways_of(known, self._carriers, carried)
            for account in known:
                self._heed(account, standings.get(account.id), ways)
            self._maps[simulated] = RoadMap(
                [self._bounded(way) for way in ways],
                [one.route for one in in_force if one.simulated is simulated],
                {id: self._share(id, *one, rest) for id, one in health.items()},
                frozenset(
                    id
                    for id, (one, _) in health.items()
                    if one.state is State.SOUND and not self._meters.of(id).is_full
                ),
            )

    def _share(self, id: int, health: Health, now: datetime, rest: timedelta) -> float:
        """What the account carries of its usual mail; nothing more on a day that is full."""
        return 0.0 if self._meters.of(id).is_full else health.share(now, rest)

    def _heed(self, account: Account, standing: paces.Standing | None, ways: Iterable[Way]) -> None:
        """Take over what other senders have learned of the account."""
        sizes = [
            way.carrier.capabilities.batch_size for way in ways if way.account.id == account.id
        ]
        limits = Limits.of(account.settings, standing, max(sizes, default=1))
        self._meters.of(account.id).limits = limits
        self._berths.of(account.id).most = limits.calls_in_flight
        if standing is not None:
            self._back_off.rest(account.id, time.monotonic() + standing.rest_s)

    def _bounded(self, way: Way) -> Way:
        limits = self._meters.of(way.account.id).limits
        return replace(way, recipients_max=limits.recipients_max)

    def calls_within(self, kinds: Iterable[bool], seconds: float) -> float:
        """How many calls the accounts of these kinds can make in this time at the most."""
        accounts = {way.account.id for kind in kinds for way in self._maps[kind].ways}
        return sum(self._meters.of(id).limits.calls_within(seconds, 1) for id in accounts)

    def road_map(self, simulated: bool) -> RoadMap:
        """Every road by which mail of this kind may leave, and what is known of them."""
        return self._maps[simulated]

    def is_left(self, planned: Planned) -> bool:
        """Whether another account is to make this call, by what is known since it was planned."""
        account = planned.way.account
        road_map = self._maps[account.simulated]
        return road_map.is_left(account.id, planned.others, planned.message.stored.lane)

    def kinds(self, now: float) -> list[bool]:
        """The kinds of mail (simulated or not) for which some account may be called now."""
        return [
            simulated
            for simulated, road_map in self._maps.items()
            if any(self._back_off.left_s(way.account.id, now) == 0 for way in road_map.ways)
        ]


def _known(rows: Iterable[ledger.AccountRow]) -> list[Account]:
    return [
        Account(row.id, row.name, row.provider, row.simulated, _settings(row))
        for row in rows
        if row.provider in PROVIDERS
    ]


def _settings(row: ledger.AccountRow) -> dict[str, str]:
    """The account's settings, and the key of its return paths, which no account keeps."""
    if "return_path_domain" not in row.settings:
        return row.settings
    return row.settings | {"return_path_key": key_of(settings.POSTROOM_SECRET_KEY).hex()}
