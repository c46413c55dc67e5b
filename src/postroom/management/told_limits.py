"""What providers' interfaces say of our accounts' limits, asked again and again."""

import asyncio
import logging

from postroom.ledger import accounts, paces
from postroom.ledger.accounts import AccountRow
from postroom.providers.account_api import AskFailed, asked
from postroom.providers.base import Account
from postroom.providers.limits_api import TellsLimits
from postroom.providers.registry import PROVIDERS

log = logging.getLogger(__name__)


def ask_all() -> int:
    """How many live accounts told their limits, which senders heed within a second."""
    rows = [row for row in accounts.all_accounts() if not row.simulated and not row.stopped]
    return sum(asyncio.run(_ask(row)) for row in rows if row.provider in PROVIDERS)


async def _ask(row: AccountRow) -> bool:
    """Whether it told; one that cannot be asked keeps the limits that it told last."""
    make_api = PROVIDERS[row.provider].make_account_api
    api = make_api() if make_api is not None else None
    if api is None:
        return False
    account = Account(row.id, row.name, row.provider, row.simulated, row.settings)
    try:
        if not isinstance(api, TellsLimits):
            return False
        told = await asked(api.limits(account))
    except AskFailed as error:
        log.warning("the limits of account %s are not told: %s", row.name, error)
        return False
    finally:
        await api.close()
    await asyncio.to_thread(paces.tell, row.id, told.recipients_per_s, told.recipients_left)
    return True
