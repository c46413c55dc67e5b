"""Whether mail from a domain meets what Gmail, Yahoo and Microsoft ask of those who send much.

They ask for SPF and DKIM, DMARC with the From domain aligned to one of them, and for one-click
unsubscribing on marketing mail: https://support.google.com/a/answer/81126,
https://senders.yahooinc.com/best-practices, read on 2026-11-24. Microsoft refuses with 550 5.7.515.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings

from postroom.domain.guard_lines import MAILBOXES
from postroom.ledger import guard, sender_domains, sender_needs
from postroom.ledger.accounts import all_accounts
from postroom.ledger.sender_domains import SenderDomain
from postroom.management import dns
from postroom.management.doctor import Finding, Level
from postroom.management.sender_domains import records_of, with_policy
from postroom.providers.account_api import Purpose

DAILY = timedelta(days=1)
BULK_PER_DAY = 5000
"""From so many a day on an operator counts a domain as one that sends in bulk; Gmail, for good."""
_NEAR_BULK = 4000
_NAMED = {"gmail": "Gmail", "yahoo": "Yahoo", "microsoft": "Microsoft"}


def look(domain: str) -> list[Finding]:
    """Everything there is to say; what the domain lacks is kept, to be told at the doors."""
    found = asyncio.run(findings(domain))
    lacking = [one for one in found if one.level is Level.MISSING]
    sender_needs.keep(domain, [f"{domain}: {one.about}: {one.said}" for one in lacking])
    return found


def look_due(limit: int = 5) -> int:
    """How many From domains were due for a look, which each gets once a day."""
    domains = sender_needs.due(DAILY, limit)
    for domain in domains:
        look(domain)
    return len(domains)


async def findings(domain: str) -> list[Finding]:
    """Everything there is to say of mail from the domain."""
    standing = await asyncio.to_thread(sender_domains.standing, domain)
    records = [found async for found in _records(domain)]
    policy = _policy(domain, await dns.texts(f"_dmarc.{domain}"))
    return [
        *await asyncio.to_thread(lambda: list(_accounts(domain, standing))),
        *records,
        *policy,
        *_spf(domain, await dns.texts(domain)),
        _one_click(),
        *await asyncio.to_thread(lambda: list(_volume(domain))),
    ]


def _accounts(domain: str, standing: Sequence[SenderDomain]) -> Iterator[Finding]:
    """DKIM or SPF in the name of the From domain, as the providers say."""
    known = {one.account: one for one in standing}
    in_use = [row for row in all_accounts() if not row.simulated and not row.stopped]
    if not in_use:
        yield Finding(Level.NOTE, "accounts", "There is no live account in use.")
    for row in in_use:
        one = known.get(row.name)
        if one is None:
            said = f"{row.name} does not know {domain}; `postroom domain add {domain}`."
            yield Finding(Level.NOTE, "alignment", said)
        elif one.carries:
            said = f"{row.name} signs in the name of {domain} ({one.status})."
            yield Finding(Level.OK, "alignment", said)
        else:
            aligned = "" if one.aligned else ", not aligned with the From domain"
            said = f"{row.name}: {one.status}{aligned}; it carries no mail from {domain}."
            yield Finding(Level.MISSING, "alignment", said)


async def _records(domain: str) -> AsyncIterator[Finding]:
    """The records that the accounts ask for, and whether DNS holds them."""
    wanted = await asyncio.to_thread(lambda: with_policy(domain, records_of(domain)))
    stands = await dns.stand(record for record, _ in wanted)
    for record, names in wanted:
        if record.purpose is Purpose.DMARC:
            continue  # looked at by itself, for a domain may have one of its own
        said = f"{record.host} {record.type} {record.value} (for {', '.join(names)})"
        if stands[record] is None:
            yield Finding(Level.NOTE, record.purpose, f"Nobody could be asked about {said}.")
        elif stands[record]:
            yield Finding(Level.OK, record.purpose, f"In DNS: {said}")
        else:
            yield Finding(Level.MISSING, record.purpose, f"To be set: {said}")


def _policy(domain: str, texts: Sequence[str] | None) -> Iterator[Finding]:
    if texts is None:
        yield Finding(Level.NOTE, "DMARC", "Nobody could be asked.")
        return
    policies = [text for text in texts if text.lower().startswith("v=dmarc1")]
    if len(policies) == 1:
        yield Finding(Level.OK, "DMARC", policies[0])
    elif policies:
        said = f"{len(policies)} policies are none (RFC 7489 section 6.6.3): leave one."
        yield Finding(Level.MISSING, "DMARC", said)
    else:
        record = dns.dmarc_record(domain)
        said = f"To be set: {record.host} {record.type} {record.value}"
        yield Finding(Level.MISSING, "DMARC", said)


def _spf(domain: str, texts: Sequence[str] | None) -> Iterator[Finding]:
    """Of the From domain itself; providers' bounces come back to a host with an SPF of its own."""
    if texts is None:
        yield Finding(Level.NOTE, "SPF", "Nobody could be asked.")
        return
    policies = [text for text in texts if text.lower().split(" ")[0] == "v=spf1"]
    if len(policies) > 1:
        said = f"{len(policies)} policies are an error (RFC 7208 section 4.5): leave one."
        yield Finding(Level.MISSING, "SPF", said)
    elif policies:
        yield Finding(Level.OK, "SPF", policies[0])
    else:
        said = (
            f"{domain} has none. It is needed where mail leaves with an envelope sender of this"
            " very domain, as through a relay."
        )
        yield Finding(Level.NOTE, "SPF", said)


def _one_click() -> Finding:
    """Whether one-click unsubscribing (RFC 8058) could work: it wants an HTTPS address."""
    url = settings.POSTROOM_PUBLIC_URL
    if urlsplit(url).scheme == "https":
        return Finding(Level.OK, "one-click", f"Links to {url} may stand in List-Unsubscribe.")
    said = f"POSTROOM_PUBLIC_URL is {url}: one-click unsubscribing needs https (RFC 8058)."
    return Finding(Level.MISSING, "one-click", said)


def _volume(domain: str) -> Iterator[Finding]:
    """How near the domain is to being one that sends in bulk."""
    for operator, delivered in guard.delivered_in_a_day(domain, MAILBOXES).items():
        if delivered >= _NEAR_BULK:
            said = (
                f"{delivered:,} mails from {domain} reached {_NAMED[operator]} within a day. Who"
                f" sends {BULK_PER_DAY:,} must meet all of this; Gmail counts him so for good."
            )
            yield Finding(Level.NOTE, "volume", said)
