"""The accounts that mail may leave by now, with their roads."""

import asyncio
from collections.abc import Iterable

from django.conf import settings

from postroom.domain.return_path import key_of
from postroom.ledger import accounts as ledger
from postroom.ledger import sender_domains
from postroom.providers.base import Account
from postroom.providers.registry import PROVIDERS
from postroom.sending.backoff import BackOff
from postroom.sending.roads import Carriers, Way, ways_of


class Accounts:
    """What this sender knows of the accounts; `refresh` looks again."""

    def __init__(self, carriers: Carriers, back_off: BackOff) -> None:
        self._carriers = carriers
        self._back_off = back_off
        self._ways: dict[bool, list[Way]] = {True: [], False: []}

    async def refresh(self) -> None:
        """Read the accounts that are in use; LedgerUnavailable when the database is away."""
        carried = await asyncio.to_thread(sender_domains.carried)
        for simulated in (True, False):
            rows = await asyncio.to_thread(ledger.usable, simulated)
            self._ways[simulated] = ways_of(_known(rows), self._carriers, carried)

    def ways(self, simulated: bool) -> list[Way]:
        """Every road by which mail of this kind may leave, in order of preference."""
        return self._ways[simulated]

    def kinds(self, now: float) -> list[bool]:
        """The kinds of mail (simulated or not) for which some account may be called now."""
        return [
            simulated
            for simulated, ways in self._ways.items()
            if any(self._back_off.left_s(way.account.id, now) == 0 for way in ways)
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
