"""Sender domains at all accounts: registered, and looked at again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from postroom.ledger import accounts, sender_domains
from postroom.ledger.accounts import AccountRow
from postroom.management import dns
from postroom.providers.account_api import (
    AccountApi,
    AskFailed,
    DnsRecord,
    Identity,
    Purpose,
    asked,
)
from postroom.providers.base import Account
from postroom.providers.registry import PROVIDERS

log = logging.getLogger(__name__)

DAILY_S = 24 * 3600.0
"""A verified domain is looked at once a day."""
PENDING_S = 600.0
"""One that is not: DNS records become visible within minutes to hours."""

Ask = Callable[[AccountApi, Account, str], Awaitable[Identity | None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one account when it was asked about one domain."""

    account: str
    said: str


def register(domain: str, names: Sequence[str] | None = None) -> list[Outcome]:
    """Registers the domain at these accounts, or at all that are live; one outcome for each."""
    return _ask_all(domain, _chosen(names), _register)


def check(domain: str, names: Sequence[str] | None = None) -> list[Outcome]:
    """Looks how the domain stands at these accounts, or at all live ones; one outcome each."""
    return _ask_all(domain, _chosen(names), _look)


def vouch(domain: str, name: str) -> None:
    """A person says that mail from the domain is signed and aligned at this account.

    For accounts whose provider has no interface for it. Raises LookupError for an unknown account.
    """
    (row,) = _chosen([name])
    sender_domains.keep(row.id, domain, sender_domains.VOUCHED, aligned=True)


def forget(domain: str, name: str) -> bool:
    """Whether the account knew the domain; it carries no mail from it any more.

    Nothing is changed at the provider. Raises LookupError for an unknown account.
    """
    (row,) = _chosen([name])
    return sender_domains.forget(row.id, domain)


def check_due(limit: int = 10) -> int:
    """How many domains, each at one account, were due for a look and got it."""
    due = sender_domains.due(DAILY_S, PENDING_S, limit)
    for name, domain in due:
        for outcome in check(domain, [name]):
            log.info("sender domain %s at %s: %s", domain, outcome.account, outcome.said)
    return len(due)


def records_of(domain: str) -> list[tuple[DnsRecord, tuple[str, ...]]]:
    """The records that the domain's owner publishes, each with the accounts that ask for it."""
    wanted: dict[DnsRecord, list[str]] = {}
    for one in sender_domains.standing(domain):
        for told in one.records:
            record = DnsRecord(Purpose(told["purpose"]), told["type"], told["host"], told["value"])
            wanted.setdefault(record, []).append(one.account)
    return [(record, tuple(names)) for record, names in wanted.items()]


def with_policy(
    domain: str, wanted: Sequence[tuple[DnsRecord, tuple[str, ...]]]
) -> Sequence[tuple[DnsRecord, tuple[str, ...]]]:
    """These records, and a DMARC policy for all accounts unless one asks for a policy of its own.

    A domain with two policies has none (RFC 7489 section 6.6.3).
    """
    if any(record.purpose is Purpose.DMARC for record, _ in wanted):
        return wanted
    return [*wanted, (dns.dmarc_record(domain), ("all",))]


def _chosen(names: Sequence[str] | None) -> list[AccountRow]:
    known = {row.name: row for row in accounts.all_accounts()}
    if names is None:
        return [row for row in known.values() if not row.simulated]
    for name in names:
        if name not in known:
            raise LookupError(f"There is no account {name}; see `postroom account list`.")
    return [known[name] for name in names]


def _ask_all(domain: str, rows: Iterable[AccountRow], ask: Ask) -> list[Outcome]:
    return asyncio.run(_all(domain, list(rows), ask))


async def _all(domain: str, rows: Sequence[AccountRow], ask: Ask) -> list[Outcome]:
    return list(await asyncio.gather(*(_one(domain, row, ask) for row in rows)))


async def _one(domain: str, row: AccountRow, ask: Ask) -> Outcome:
    """Asks one account and keeps the answer; one that cannot be asked keeps what it said last."""
    make_api = PROVIDERS[row.provider].make_account_api if row.provider in PROVIDERS else None
    if make_api is None:
        return Outcome(row.name, await asyncio.to_thread(_without_api, row, domain))
    api = make_api()
    account = Account(row.id, row.name, row.provider, row.simulated, row.settings)
    try:
        identity = await asked(ask(api, account, domain))
    except AskFailed as error:
        await asyncio.to_thread(sender_domains.checked_in_vain, row.id, domain, str(error))
        return Outcome(row.name, f"could not be asked: {error}")
    finally:
        await api.close()
    return Outcome(row.name, await asyncio.to_thread(_keep, row, domain, identity))


async def _register(api: AccountApi, account: Account, domain: str) -> Identity | None:
    return await api.register(account, domain)


async def _look(api: AccountApi, account: Account, domain: str) -> Identity | None:
    return await api.identity(account, domain)


def _without_api(row: AccountRow, domain: str) -> str:
    if row.id in {id for id, domains in sender_domains.carried().items() if domain in domains}:
        return "vouched for by a person"
    why = "its provider has no interface for sender domains"
    sender_domains.checked_in_vain(row.id, domain, why)
    return (
        f"has no interface for sender domains: set it up there by hand, then"
        f" `postroom domain vouch {domain} --account {row.name}`"
    )


def _keep(row: AccountRow, domain: str, identity: Identity | None) -> str:
    if identity is None:
        if sender_domains.forget(row.id, domain):
            log.error("ALARM sender domain %s is gone at account %s", domain, row.name)
        return f"does not know it; `postroom domain add {domain}`"
    was = {one.account: one.carries for one in sender_domains.standing(domain)}
    records = [
        {"purpose": one.purpose, "type": one.type, "host": one.host, "value": one.value}
        for one in identity.records
    ]
    sender_domains.keep(row.id, domain, identity.status, identity.aligned, records, identity.note)
    if was.get(row.name) and identity.status != sender_domains.VERIFIED:
        log.error("ALARM sender domain %s is no longer verified at %s", domain, row.name)
    aligned = "" if identity.aligned else ", not aligned with the From domain"
    note = f" ({identity.note})" if identity.note else ""
    return f"{identity.status}{aligned}{note}"
