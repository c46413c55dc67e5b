"""What a provider says of one of our accounts: credentials, sender domains, webhook; in words."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

from django.conf import settings

from postroom.ledger import sender_domains
from postroom.ledger.accounts import AccountRow
from postroom.management.doctor import Finding, Level
from postroom.providers import login
from postroom.providers.account_api import AccountApi, AskFailed, Webhook, asked
from postroom.providers.base import Account
from postroom.providers.registry import PROVIDERS


def examine(row: AccountRow) -> list[Finding]:
    """Everything that can be told of the account, the provider's words first."""
    findings = [*_ours(row), *_domains(row)]
    make_api = PROVIDERS[row.provider].make_account_api
    if make_api is None:
        said = f"{row.provider} has no interface that we can ask; send a mail to see it work."
        return [Finding(Level.NOTE, "credentials", said), *findings, _webhook_to_set(row, ())]
    return [*asyncio.run(_asked(row, make_api())), *findings]


def _ours(row: AccountRow) -> Iterator[Finding]:
    if row.stopped:
        yield Finding(Level.MISSING, "account", f"It is stopped: {row.stopped_why}")
    provider = PROVIDERS[row.provider]
    open_roads = [road.name for road in provider.roads if road.needs <= row.settings.keys()]
    for road in provider.roads:
        if road.name not in open_roads:
            lacks = ", ".join(sorted(road.needs - row.settings.keys()))
            level = Level.NOTE if open_roads else Level.MISSING
            yield Finding(level, "road", f"{road.name} is closed: it needs {lacks}.")
    if open_roads:
        yield Finding(Level.OK, "road", f"Mail can leave by {', '.join(open_roads)}.")


def _domains(row: AccountRow) -> Iterator[Finding]:
    known = [one for one in sender_domains.standing() if one.account == row.name]
    for one in known:
        level = Level.OK if one.carries else Level.MISSING
        note = f" ({one.note})" if one.note else ""
        yield Finding(level, "domain", f"{one.domain} is {one.status}{note}.")
    if not any(one.carries for one in known) and not row.simulated:
        said = "It may carry mail from no domain yet: `postroom domain add DOMAIN`."
        yield Finding(Level.MISSING, "domain", said)


async def _asked(row: AccountRow, api: AccountApi) -> list[Finding]:
    account = Account(row.id, row.name, row.provider, row.simulated, row.settings)
    try:
        return [*await _credentials(api, account), *await _webhooks(api, account, row)]
    finally:
        await api.close()


async def _credentials(api: AccountApi, account: Account) -> list[Finding]:
    try:
        first, *more = await asked(api.standing(account))
    except AskFailed as error:
        return [Finding(Level.MISSING, "credentials", f"{error}.")]
    notes = [Finding(Level.NOTE, "credentials", sentence) for sentence in more]
    return [Finding(Level.OK, "credentials", first), *notes]


async def _webhooks(api: AccountApi, account: Account, row: AccountRow) -> list[Finding]:
    try:
        told = await asked(api.webhooks(account))
    except AskFailed as error:
        return [
            Finding(Level.NOTE, "webhook", f"{error}."),
            _webhook_to_set(row, api.wanted_events),
        ]
    if told is None and _is_pulled(row):
        said = "Its notifications are pulled from its queue."
        return [Finding(Level.OK, "webhook", said)]
    if told is None:
        said = "The provider does not tell where it posts its notifications."
        return [Finding(Level.NOTE, "webhook", said), _webhook_to_set(row, api.wanted_events)]
    ours = [one for one in told if _is_ours(one, row)]
    if not ours:
        return [_webhook_to_set(row, api.wanted_events)]
    asks = login.is_asked(row.settings)
    return [finding for one in ours for finding in _webhook(one, api.wanted_events, asks)]


def _is_pulled(row: AccountRow) -> bool:
    make_puller = PROVIDERS[row.provider].make_puller
    return make_puller is not None and make_puller().needs <= row.settings.keys()


def _is_ours(webhook: Webhook, row: AccountRow) -> bool:
    before, _, secret = webhook.url.rpartition(f"/feedback/{row.name}/")
    return bool(before) and row.is_webhook_secret(secret.partition("?")[0].rstrip("/"))


def _webhook(webhook: Webhook, wanted: Iterable[str], asks: bool) -> Iterator[Finding]:
    """What is to be said of a webhook of ours, where we ask for a login or do not."""
    lacks = sorted(set(wanted) - webhook.events)
    if not webhook.enabled:
        yield Finding(Level.MISSING, "webhook", "It is set up and switched off; switch it on.")
    elif lacks:
        said = f"It does not tell of {', '.join(lacks)}; switch that on."
        yield Finding(Level.MISSING, "webhook", said)
    else:
        yield Finding(Level.OK, "webhook", "It posts every event that is needed to us.")
    if webhook.signed is False:
        yield Finding(Level.MISSING, "webhook", "It does not sign; switch the signature on.")
    if asks and webhook.login is False:
        said = "It shows no login, and the account asks for one: every post of it is refused."
        yield Finding(Level.MISSING, "webhook", said)


def _webhook_to_set(row: AccountRow, wanted: Iterable[str]) -> Finding:
    """What an operator sets up there; the secret was shown once and is known to nobody."""
    url = f"{settings.POSTROOM_PUBLIC_URL}/feedback/{row.name}/SECRET"
    events: Sequence[str] = sorted(wanted)
    told = f" for {', '.join(events)}" if events else ""
    said = (
        f"Set up a webhook{told} to {url}, with the SECRET that was shown when the account was"
        " made. If it is lost, `postroom account renew-webhook` makes another."
    )
    return Finding(Level.MISSING if wanted else Level.NOTE, "webhook", said)
